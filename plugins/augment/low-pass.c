/* low-pass: removes high frequencies, as lossy encoders do. */
#include "op.h"

#include <math.h>
#include <segue/random.h>
#include <soxr.h>
#include <string.h>

typedef struct {
  double p;
  double hz[2];
} LowPassConfig;

static const SegueParam *const low_pass_params[] = {
  OP_PROBABILITY (LowPassConfig),
  SEGUE_PARAM (LowPassConfig, hz, SEGUE_PARAM_RANGE, .def = "[11000, 17000]", .min = 1000,
               .max = 90000, .unit = "Hz",
               .doc = "Frequency above which nothing remains; drawn uniformly from the range."),
  NULL,
};

/* Resamples n frames of `from` to m frames of `to`; the rest, if the sound is shorter by rounding, is silence. */
static gboolean
resample (const float *from, gsize n, float *to, gsize m, double ratio, guint channels)
{
  soxr_quality_spec_t quality = soxr_quality_spec (SOXR_HQ, 0);
  soxr_runtime_spec_t runtime = soxr_runtime_spec (1);
  gsize done = 0;
  if (soxr_oneshot (1, ratio, channels, from, n, NULL, to, m, &done, NULL, &quality, &runtime))
    return FALSE;
  memset (to + done * channels, 0, (m - done) * channels * sizeof (float));
  return TRUE;
}

/* To twice the frequency and back: a linear-phase filter with a steep edge. */
static gboolean
low_pass (gconstpointer data, guint64 seed, const OpSound *sound)
{
  const LowPassConfig *config = data;
  /* In steps of 100 Hz: for a ratio of small whole numbers, resampling is fast. */
  double hz = 100 * floor (segue_random_between (seed, 0, config->hz[0], config->hz[1]) / 100);
  if (2 * hz >= sound->rate)
    return TRUE;
  double ratio = 2 * hz / sound->rate;
  gsize n_low = (gsize) ceil ((double) sound->n_frames * ratio) + 1;
  g_autofree float *low = g_try_malloc_n (n_low, sound->channels * sizeof (float));
  return low && resample (sound->samples, sound->n_frames, low, n_low, ratio, sound->channels) &&
         resample (low, n_low, sound->samples, sound->n_frames, 1 / ratio, sound->channels);
}

const Op op_low_pass = {
  .group =
    SEGUE_INIT (SegueParamGroup, .name = "low-pass",
                .doc = "Removes high frequencies, as lossy encoders do: a model then does not "
                       "recognise artists by the encoder that their songs came from.",
                .size = sizeof (LowPassConfig), .params = low_pass_params),
  .apply = low_pass,
};
