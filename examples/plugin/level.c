/* level: changes every song to the same loudness.
 *
 * A whole plugin, in the order of all of segue's own plugins: configuration, parameters, work,
 * stage type, plugin. */
#include <math.h>
#include <segue/format.h>
#include <segue/plugin.h>

typedef struct {
  double rms_db;
  double peak_db;
} LevelConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (LevelConfig, rms_db, SEGUE_PARAM_DOUBLE, .def = "-20", .min = -60, .max = 0,
               .unit = "dBFS", .doc = "Root-mean-square level that each song is scaled to."),
  SEGUE_PARAM (LevelConfig, peak_db, SEGUE_PARAM_DOUBLE, .def = "-1", .min = -60, .max = 0,
               .unit = "dBFS",
               .doc = "No sample exceeds this level, even if `rms_db` is then not reached."),
  NULL,
};

static gboolean
check (const void *config, GError **error)
{
  const LevelConfig *level = config;
  if (level->rms_db <= level->peak_db)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "rms_db (%g) is above peak_db (%g), which no signal can reach", level->rms_db,
               level->peak_db);
  return FALSE;
}

/* The gain that changes @x [n] to the level; 1 for silence, which has no level. */
static float
choose_gain (const LevelConfig *level, const float *x, gsize n)
{
  double energy = 0, peak = 0;
  for (gsize i = 0; i < n; i++) {
    energy += (double) x[i] * (double) x[i];
    peak = MAX (peak, fabs ((double) x[i]));
  }
  if (peak == 0)
    return 1;
  double wanted = pow (10, level->rms_db / 20) / sqrt (energy / (double) n);
  double allowed = pow (10, level->peak_db / 20) / peak;
  return (float) MIN (wanted, allowed);
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  gsize n_frames;
  const float *x = segue_item_get_frames (item, &n_frames);
  gsize n = n_frames * segue_item_get_channels (item);

  /* Audio has at least one frame. Items are immutable: the louder song is a new buffer. Memory may
   * run out on a long one, which is no property of the song: an error of the environment, never
   * recorded as a failure of the file. */
  float *y = g_try_new (float, n);
  if (!y) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "‘%s’: not enough memory for %" G_GSIZE_FORMAT " samples; use fewer workers (-j)",
                 segue_item_get_id (item), n);
    return FALSE;
  }
  /* One pass over a song needs no check for cancellation: the core checks before each item. */
  float gain = choose_gain (segue_context_get_config (context), x, n);
  for (gsize i = 0; i < n; i++)
    y[i] = gain * x[i];

  g_autoptr (GBytes) frames = g_bytes_new_take (y, n * sizeof (float));
  return segue_context_emit (context,
                             segue_item_new_audio (item, NULL, frames, segue_item_get_rate (item),
                                                   segue_item_get_channels (item)),
                             error);
}

/* The output has the rate, channels and length of the input. */
static gboolean
negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "audio", "audio");
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Songs or segments."), NULL
};
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "The same items, scaled."), NULL
};

static const SegueStageType level = {
  SEGUE_STAGE_TYPE,
  .name = "level",
  .summary = "Scales every song to the same loudness",
  .doc = "Scales each item by one gain so that its root-mean-square level is `rms_db`, or as near "
         "to it as `peak_db` allows. Silence stays silence. 0 dBFS is full scale: a square wave of "
         "amplitude 1 has an RMS level of 0 dBFS, a sine of amplitude 1 one of -3 dBFS.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (LevelConfig),
  .check = check,
  .process = process,
  .negotiate = negotiate,
};

static const SegueStageType *const stages[] = { &level, NULL };

SEGUE_PLUGIN (.name = "level", .version = "1.0", .licence = "MIT", .stages = stages)
