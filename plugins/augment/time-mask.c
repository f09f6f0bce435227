/* time-mask: silences a part of the segment. */
#include "op.h"

#include <segue/random.h>
#include <string.h>

typedef struct {
  double p;
  double share[2];
} MaskConfig;

static const SegueParam *const mask_params[] = {
  OP_PROBABILITY (MaskConfig),
  SEGUE_PARAM (
    MaskConfig, share, SEGUE_PARAM_RANGE, .def = "[0, 0.1]", .min = 0, .max = 1,
    .doc = "Length of the gap, as a fraction of the segment; drawn uniformly from the range."),
  NULL,
};

static gboolean
mask (gconstpointer data, guint64 seed, const OpSound *sound)
{
  const MaskConfig *config = data;
  double share = segue_random_between (seed, 0, config->share[0], config->share[1]);
  gsize length = MIN ((gsize) (share * (double) sound->n_frames + 0.5), sound->n_frames);
  gsize start = (gsize) (segue_random_uniform (seed, 1) * (double) (sound->n_frames - length + 1));

  memset (sound->samples + start * sound->channels, 0, length * sound->channels * sizeof (float));
  return TRUE;
}

const Op op_time_mask = {
  .group = SEGUE_INIT (SegueParamGroup, .name = "time-mask",
                       .doc = "Silences a random part of the segment.", .size = sizeof (MaskConfig),
                       .params = mask_params),
  .apply = mask,
};
