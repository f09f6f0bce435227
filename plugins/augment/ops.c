#include "ops.h"

#include "level.h"

#include <math.h>
#include <segue/random.h>
#include <string.h>

/* An op: its parameters, which also select it, and its function. */
typedef struct {
  SegueParamGroup group; /* first: a chosen case is its op */
  OpFunc apply;
} Op;

/* Every op's first field. */
typedef struct {
  double p;
} OpConfig;

#define OP_PROBABILITY(Config)                                                                     \
  SEGUE_PARAM (Config, p, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 1,                    \
               .doc = "Probability that a segment is changed in an epoch.")

/* Counters below this are for an op's own choices; noise is drawn from above. */
#define FIRST_SAMPLE 16

/* ---- gaussian-noise ---- */

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

static void
add_noise (gconstpointer data, guint64 seed, float *samples, gsize n_frames, guint channels)
{
  const NoiseConfig *config = data;
  gsize n = n_frames * channels;
  double snr_db = segue_random_between (seed, 0, config->snr_db[0], config->snr_db[1]);
  double deviation = sqrt (level_mean_square (samples, n)) * pow (10, -snr_db / 20);

  if (deviation <= 0)
    return;
  for (gsize i = 0; i < n; i += 2) {
    double a, b;

    segue_random_normal_pair (seed, FIRST_SAMPLE + i / 2, &a, &b);
    samples[i] += (float) (a * deviation);
    if (i + 1 < n)
      samples[i + 1] += (float) (b * deviation);
  }
}

static const Op noise = {
  .group = {
    .struct_size = sizeof (SegueParamGroup),
    .name = "gaussian-noise",
    .doc = "Adds white noise, relative to the segment's own level.  Silence stays silent.",
    .size = sizeof (NoiseConfig),
    .params = noise_params,
  },
  .apply = add_noise,
};

/* ---- gain ---- */

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

static void
apply_gain (gconstpointer data, guint64 seed, float *samples, gsize n_frames, guint channels)
{
  const GainConfig *config = data;
  float gain = (float) pow (10, segue_random_between (seed, 0, config->db[0], config->db[1]) / 20);

  for (gsize i = 0; i < n_frames * channels; i++)
    samples[i] *= gain;
}

static const Op gain = {
  .group = {
    .struct_size = sizeof (SegueParamGroup),
    .name = "gain",
    .doc = "Makes the segment louder or quieter.  Nothing is clipped.",
    .size = sizeof (GainConfig),
    .params = gain_params,
  },
  .apply = apply_gain,
};

/* ---- polarity ---- */

static const SegueParam *const polarity_params[] = { OP_PROBABILITY (OpConfig), NULL };

static void
invert (gconstpointer data, guint64 seed, float *samples, gsize n_frames, guint channels)
{
  for (gsize i = 0; i < n_frames * channels; i++)
    samples[i] = -samples[i];
}

static const Op polarity = {
  .group = {
    .struct_size = sizeof (SegueParamGroup),
    .name = "polarity",
    .doc = "Inverts polarity (inaudible).",
    .size = sizeof (OpConfig),
    .params = polarity_params,
  },
  .apply = invert,
};

/* ---- shift ---- */

typedef struct {
  double p;
  double share[2];
} ShareConfig;

static const SegueParam *const shift_params[] = {
  OP_PROBABILITY (ShareConfig),
  SEGUE_PARAM (ShareConfig, share, SEGUE_PARAM_RANGE, .def = "[0, 1]", .min = 0, .max = 1,
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

static void
shift (gconstpointer data, guint64 seed, float *samples, gsize n_frames, guint channels)
{
  const ShareConfig *config = data;
  double share = segue_random_between (seed, 0, config->share[0], config->share[1]);
  gsize by = MIN ((gsize) (share * (double) n_frames), n_frames);

  /* Rotating in place is three reversals. */
  reverse (samples, 0, by, channels);
  reverse (samples, by, n_frames, channels);
  reverse (samples, 0, n_frames, channels);
}

static const Op shift_op = {
  .group = {
    .struct_size = sizeof (SegueParamGroup),
    .name = "shift",
    .doc = "Rotates the segment: it starts later, and its beginning is moved to its end.",
    .size = sizeof (ShareConfig),
    .params = shift_params,
  },
  .apply = shift,
};

/* ---- time-mask ---- */

static const SegueParam *const mask_params[] = {
  OP_PROBABILITY (ShareConfig),
  SEGUE_PARAM (
    ShareConfig, share, SEGUE_PARAM_RANGE, .def = "[0, 0.1]", .min = 0, .max = 1,
    .doc = "Length of the gap, as a fraction of the segment; drawn uniformly from the range."),
  NULL,
};

static void
mask (gconstpointer data, guint64 seed, float *samples, gsize n_frames, guint channels)
{
  const ShareConfig *config = data;
  double share = segue_random_between (seed, 0, config->share[0], config->share[1]);
  gsize length = MIN ((gsize) (share * (double) n_frames + 0.5), n_frames);
  gsize start = (gsize) (segue_random_uniform (seed, 1) * (double) (n_frames - length + 1));

  memset (samples + start * channels, 0, length * channels * sizeof (float));
}

static const Op mask_op = {
  .group = {
    .struct_size = sizeof (SegueParamGroup),
    .name = "time-mask",
    .doc = "Silences a random part of the segment.",
    .size = sizeof (ShareConfig),
    .params = mask_params,
  },
  .apply = mask,
};

const SegueParamGroup *const op_cases[] = {
  &noise.group, &gain.group, &polarity.group, &shift_op.group, &mask_op.group, NULL,
};

OpFunc
op_find (const SegueParamGroup *chosen)
{
  return ((const Op *) chosen)->apply;
}

double
op_get_probability (const SegueVariant *op)
{
  return ((const OpConfig *) op->config)->p;
}
