/* hum: adds the hum of the mains to segments, differently in every epoch of training.
 *
 * A LIVE stage: it runs when `train` reads a segment, and its numbers are a function of the seed that
 * it gets for this segment and epoch. */
#include <segue/dataset.h>
#include <segue/format.h>
#include <segue/plugin.h>
#include <segue/random.h>

typedef struct {
  double p;
  double level_db[2];
  double hz;
} HumConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (HumConfig, p, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 1,
               .doc = "Probability that a segment is changed in an epoch."),
  SEGUE_PARAM (HumConfig, level_db, SEGUE_PARAM_RANGE, .def = "[-60, -30]", .min = -120, .max = 0,
               .unit = "dBFS", .doc = "Level of the hum; drawn uniformly from the range."),
  SEGUE_PARAM (HumConfig, hz, SEGUE_PARAM_DOUBLE, .def = "50", .min = 1, .max = 1000, .unit = "Hz",
               .doc = "Frequency of the hum."),
  NULL,
};

/* Validation segments pass unchanged: `train` reads them through this stage, too. */
static gboolean
is_wanted (const HumConfig *config, SegueItem *item, guint64 seed)
{
  const char *set = segue_item_get_string (item, SEGUE_META_SET);
  return (!set || segue_set_from_name (set) == SEGUE_SET_TRAIN) &&
         segue_random_uniform (seed, 0) < config->p;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const HumConfig *config = segue_context_get_config (context);
  guint64 seed = segue_context_get_seed (context);
  if (!is_wanted (config, item, seed))
    return segue_context_emit (context, segue_item_ref (item), error);

  guint rate = segue_item_get_rate (item), channels = segue_item_get_channels (item);
  double level_db = segue_random_between (seed, 1, config->level_db[0], config->level_db[1]);
  double phase = 2 * G_PI * segue_random_uniform (seed, 2), amplitude = pow (10, level_db / 20);
  gsize n_frames;
  const float *x = segue_item_get_frames (item, &n_frames);
  float *y = g_try_new (float, n_frames *channels);
  if (!y) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "‘%s’: not enough memory for a copy; reduce `batch` of the `train` stage",
                 segue_item_get_id (item));
    return FALSE;
  }
  for (gsize i = 0; i < n_frames * channels; i++) {
    double angle = 2 * G_PI * config->hz * (double) (i / channels) / rate + phase;
    y[i] = x[i] + (float) (amplitude * sin (angle));
  }
  g_autoptr (GBytes) frames = g_bytes_new_take (y, n_frames * channels * sizeof (float));
  return segue_context_emit (context, segue_item_new_audio (item, NULL, frames, rate, channels),
                             error);
}

/* The output has the rate, channels and length of the input. */
static gboolean
negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "audio", "audio");
  return TRUE;
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Segments."),
                                           NULL };
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "The same items, with hum."), NULL
};

static const SegueStageType hum = {
  SEGUE_STAGE_TYPE,
  .name = "hum",
  .summary = "Adds the hum of the mains to segments",
  .doc =
    "Adds a sine of `hz` to the segments of the set `train`, with a level and a phase that are "
    "drawn again in every epoch. `evaluate` and `report` read the segments without it. "
    "The level is that of the amplitude: a sine of amplitude 1 has 0 dBFS.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (HumConfig),
  .process = process,
  .negotiate = negotiate,
};

static const SegueStageType *const stages[] = { &hum, NULL };

SEGUE_PLUGIN (.name = "hum", .version = "1.0", .licence = "MIT", .stages = stages)
