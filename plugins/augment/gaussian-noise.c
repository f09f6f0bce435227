/* gaussian-noise: adds white noise at a level relative to the segment's own. */
#include "level.h"
#include "op.h"

#include <math.h>
#include <segue/random.h>

typedef struct {
  double p;
  double snr_db[2];
} NoiseConfig;

static const SegueParam *const noise_params[] = {
  OP_PROBABILITY (NoiseConfig),
  SEGUE_PARAM (NoiseConfig, snr_db, SEGUE_PARAM_RANGE, .def = "[10, 40]", .min = -20, .max = 120,
               .unit = "dB", .doc = "Signal-to-noise ratio; drawn uniformly from the range."),
  NULL,
};

/* Counters below this are for the op's own choices. */
#define FIRST_SAMPLE 16

static gboolean
add_noise (gconstpointer data, guint64 seed, const OpSound *sound)
{
  const NoiseConfig *config = data;
  gsize n = sound->n_frames * sound->channels;
  double snr_db = segue_random_between (seed, 0, config->snr_db[0], config->snr_db[1]);
  double deviation = sqrt (level_mean_square (sound->samples, n)) * pow (10, -snr_db / 20);

  if (deviation <= 0)
    return TRUE;
  for (gsize i = 0; i < n; i += 2) {
    double a, b;

    segue_random_normal_pair (seed, FIRST_SAMPLE + i / 2, &a, &b);
    sound->samples[i] += (float) (a * deviation);
    if (i + 1 < n)
      sound->samples[i + 1] += (float) (b * deviation);
  }
  return TRUE;
}

const Op op_gaussian_noise = {
  .group = SEGUE_INIT (
    SegueParamGroup, .name = "gaussian-noise",
    .doc = "Adds white noise, relative to the segment's own level. Silence stays silent.",
    .size = sizeof (NoiseConfig), .params = noise_params),
  .apply = add_noise,
};
