/* mono: all channels become their mean. */
#include "op.h"

typedef struct {
  double p;
} MonoConfig;

static const SegueParam *const mono_params[] = {
  OP_PROBABILITY (MonoConfig),
  NULL,
};

static gboolean
make_mono (gconstpointer data, guint64 seed, const OpSound *sound)
{
  for (gsize i = 0; i < sound->n_frames; i++) {
    float *frame = sound->samples + i * sound->channels;
    double sum = 0;
    for (guint c = 0; c < sound->channels; c++)
      sum += (double) frame[c];
    for (guint c = 0; c < sound->channels; c++)
      frame[c] = (float) (sum / sound->channels);
  }
  return TRUE;
}

const Op op_mono = {
  .group =
    SEGUE_INIT (SegueParamGroup, .name = "mono",
                .doc = "Replaces all channels by their mean: a model then also recognises songs "
                       "without stereo.",
                .size = sizeof (MonoConfig), .params = mono_params),
  .apply = make_mono,
};
