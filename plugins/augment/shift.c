/* shift: rotates the segment. */
#include "op.h"

#include <segue/random.h>

typedef struct {
  double p;
  double share[2];
} ShiftConfig;

static const SegueParam *const shift_params[] = {
  OP_PROBABILITY (ShiftConfig),
  SEGUE_PARAM (ShiftConfig, share, SEGUE_PARAM_RANGE, .def = "[0, 1]", .min = 0, .max = 1,
               .doc = "Shift, as a fraction of the segment; drawn uniformly from the range."),
  NULL,
};

static void
reverse (float *samples, gsize from, gsize to, guint channels)
{
  for (; from + 1 < to; from++, to--)
    for (guint c = 0; c < channels; c++) {
      float held = samples[from * channels + c];

      samples[from * channels + c] = samples[(to - 1) * channels + c];
      samples[(to - 1) * channels + c] = held;
    }
}

static gboolean
shift (gconstpointer data, guint64 seed, const OpSound *sound)
{
  const ShiftConfig *config = data;
  double share = segue_random_between (seed, 0, config->share[0], config->share[1]);
  gsize by = MIN ((gsize) (share * (double) sound->n_frames), sound->n_frames);

  /* Rotating in place is three reversals. */
  reverse (sound->samples, 0, by, sound->channels);
  reverse (sound->samples, by, sound->n_frames, sound->channels);
  reverse (sound->samples, 0, sound->n_frames, sound->channels);
  return TRUE;
}

const Op op_shift = {
  .group = SEGUE_INIT (
    SegueParamGroup, .name = "shift",
    .doc = "Rotates the segment: it starts later, and its beginning is moved to its end.",
    .size = sizeof (ShiftConfig), .params = shift_params),
  .apply = shift,
};
