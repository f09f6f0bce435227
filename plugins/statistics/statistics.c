/* statistics: an encoder without weights. */
#include "segment-features.h"

#include <segue/encoder.h>
#include <segue/plugin.h>

enum { GROUP_STATISTICS, GROUP_MODULATION, GROUP_STEREO, N_GROUPS };

typedef struct {
  GArray *groups; /* int */
  gint64 bands;
  double f_min, f_max, stereo_f_max;
} StatisticsConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (StatisticsConfig, groups, SEGUE_PARAM_LIST,
               .def = "[statistics, modulation, stereo]", .min_items = 1, .max_items = N_GROUPS,
               .element = SEGUE_ELEMENT (
                 SEGUE_PARAM_CHOICE, .choices = SEGUE_NAMES ("statistics", "modulation", "stereo")),
               .doc = "`statistics`: of each log-mel band, mean, deviation, change and quantiles; "
                      "`modulation`: how fast levels change; `stereo`: balance, width and "
                      "correlation of the channels."),
  SEGUE_PARAM (StatisticsConfig, bands, SEGUE_PARAM_INT, .def = "128", .min = 4, .max = 1024,
               .doc = "Number of mel bands, a multiple of 4."),
  SEGUE_PARAM (StatisticsConfig, f_min, SEGUE_PARAM_DOUBLE, .def = "20", .min = 0, .max = 20000,
               .unit = "Hz", .doc = "Lower end of the mel bands."),
  SEGUE_PARAM (StatisticsConfig, f_max, SEGUE_PARAM_DOUBLE, .def = "22050", .min = 100,
               .max = 22050, .unit = "Hz",
               .doc =
                 "Upper end of the mel bands. Lossy encoders remove what is above 16 kHz: with "
                 "`16000`, songs from different sources stay comparable."),
  SEGUE_PARAM (StatisticsConfig, stereo_f_max, SEGUE_PARAM_DOUBLE, .def = "15500", .min = 200,
               .max = 22050, .unit = "Hz",
               .doc = "Upper end of the bands of the stereo image, for the same reason."),
  NULL,
};

#define RATE 44100

/* Features has buffers, so each thread has its own. */
typedef struct {
  FeaturesConfig config;
  guint width;
  gsize min_length;
  GMutex lock;
  GPtrArray *idle; /* Features */
} Statistics;

static void
statistics_free (gpointer model)
{
  Statistics *statistics = model;
  g_ptr_array_unref (statistics->idle);
  g_mutex_clear (&statistics->lock);
  g_free (statistics);
}

static gpointer
statistics_create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const StatisticsConfig *config = data;
  FeaturesConfig features = { .rate = RATE,
                              .bands = (gsize) config->bands,
                              .f_min = config->f_min,
                              .f_max = config->f_max,
                              .stereo_f_max = config->stereo_f_max };
  for (guint i = 0; i < config->groups->len; i++) {
    int group = g_array_index (config->groups, int, i);
    features.statistics |= group == GROUP_STATISTICS;
    features.modulation |= group == GROUP_MODULATION;
    features.stereo |= group == GROUP_STEREO;
  }
  g_autoptr (GError) local = NULL;
  Features *first = features_new (&features, &local);
  if (!first) {
    int code = local->code == SEGUE_ERROR_DATA ? SEGUE_ERROR_PIPELINE : local->code;
    g_set_error_literal (error, SEGUE_ERROR, code, local->message);
    return NULL;
  }
  Statistics *statistics = g_new0 (Statistics, 1);
  statistics->config = features;
  statistics->width = (guint) features_get_width (first);
  statistics->min_length = features_get_min_length (first);
  g_mutex_init (&statistics->lock);
  statistics->idle = g_ptr_array_new_with_free_func ((GDestroyNotify) features_free);
  g_ptr_array_add (statistics->idle, first);
  return statistics;
}

static void
statistics_describe (gpointer model, SegueModelInfo *info)
{
  const Statistics *statistics = model;
  info->rate = RATE;
  info->min_length = statistics->min_length;
}

static void
encoder_describe (gpointer model, guint layer, SegueEncoderInfo *info)
{
  const Statistics *statistics = model;
  info->rate = RATE;
  info->channels = 2;
  info->n_layers = 1;
  info->width = statistics->width;
  info->parallel = TRUE;
}

static gsize
encoder_count_frames (gpointer model, gsize length)
{
  const Statistics *statistics = model;
  return length >= statistics->min_length ? 1 : 0;
}

static gsize
encoder_plan (gpointer model, guint batch, gsize length, guint layer)
{
  return 0;
}

static Features *
take_features (Statistics *statistics, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&statistics->lock);
  if (statistics->idle->len > 0)
    return g_ptr_array_steal_index (statistics->idle, statistics->idle->len - 1);
  return features_new (&statistics->config, error);
}

static void
give_features (Statistics *statistics, Features *features)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&statistics->lock);
  g_ptr_array_add (statistics->idle, features);
}

static gboolean
encoder_encode (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  Statistics *statistics = model;
  Features *features = take_features (statistics, error);
  gboolean ok = features != NULL;
  for (guint i = 0; ok && i < pass->batch; i++)
    ok = features_compute (features, pass->input + i * pass->length * 2, pass->length, 2,
                           pass->output + (gsize) i * statistics->width, error);
  if (features)
    give_features (statistics, features);
  return ok;
}

static const SegueEncoder encoder =
  SEGUE_INIT (SegueEncoder, .describe = encoder_describe, .count_frames = encoder_count_frames,
              .plan = encoder_plan, .encode = encoder_encode);

static const SegueModelType statistics = {
  SEGUE_MODEL_TYPE,
  .name = "statistics",
  .summary = "Statistics of a segment's spectrum, without weights",
  .doc =
    "What a segment sounds like, in numbers: statistics of 128 log-mel bands at 44.1 kHz, their "
    "modulation spectrum, and the stereo image. With `lda`, these are the best answers that "
    "need no pretrained weights, in seconds.",
  .result_version = 1,
  .params = params,
  .config_size = sizeof (StatisticsConfig),
  .create = statistics_create,
  .free = statistics_free,
  .describe = statistics_describe,
  .encoder = &encoder,
};

static const SegueModelType *const models[] = { &statistics, NULL };

SEGUE_PLUGIN (.name = "statistics", .version = "1.0", .licence = "MIT", .models = models)
