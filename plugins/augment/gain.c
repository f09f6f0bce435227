/* gain: changes the level. */
#include "op.h"

#include <math.h>
#include <segue/random.h>

typedef struct {
  double p;
  double db[2];
} GainConfig;

static const SegueParam *const gain_params[] = {
  OP_PROBABILITY (GainConfig),
  SEGUE_PARAM (GainConfig, db, SEGUE_PARAM_RANGE, .def = "[-6, 6]", .min = -60, .max = 60,
               .unit = "dB", .doc = "Change of level; drawn uniformly from the range."),
  NULL,
};

static gboolean
apply_gain (gconstpointer data, guint64 seed, const OpSound *sound)
{
  const GainConfig *config = data;
  float gain = (float) pow (10, segue_random_between (seed, 0, config->db[0], config->db[1]) / 20);

  for (gsize i = 0; i < sound->n_frames * sound->channels; i++)
    sound->samples[i] *= gain;
  return TRUE;
}

const Op op_gain = {
  .group = SEGUE_INIT (SegueParamGroup, .name = "gain",
                       .doc = "Makes the segment louder or quieter. Nothing is clipped.",
                       .size = sizeof (GainConfig), .params = gain_params),
  .apply = apply_gain,
};
