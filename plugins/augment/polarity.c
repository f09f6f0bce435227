/* polarity: turns the waveform upside down. */
#include "op.h"

static const SegueParam *const polarity_params[] = { OP_PROBABILITY (OpConfig), NULL };

static void
invert (gconstpointer data, guint64 seed, float *samples, gsize n_frames, guint channels)
{
  for (gsize i = 0; i < n_frames * channels; i++)
    samples[i] = -samples[i];
}

const Op op_polarity = {
  .group = SEGUE_INIT (SegueParamGroup, .name = "polarity", .doc = "Inverts polarity (inaudible).",
                       .size = sizeof (OpConfig), .params = polarity_params),
  .apply = invert,
};
