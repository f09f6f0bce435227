/* polarity: turns the waveform upside down. */
#include "op.h"

static const SegueParam *const polarity_params[] = { OP_PROBABILITY (OpConfig), NULL };

static gboolean
invert (gconstpointer data, guint64 seed, const OpSound *sound)
{
  for (gsize i = 0; i < sound->n_frames * sound->channels; i++)
    sound->samples[i] = -sound->samples[i];
  return TRUE;
}

const Op op_polarity = {
  .group = SEGUE_INIT (SegueParamGroup, .name = "polarity", .doc = "Inverts polarity (inaudible).",
                       .size = sizeof (OpConfig), .params = polarity_params),
  .apply = invert,
};
