/* A minimal preparation to replay. */
#include "tiny-stages.h"

#include <math.h>
#include <segue/file.h>
#include <segue/format.h>
#include <segue/tensor.h>
#include <sys/stat.h>
#include <unistd.h>

#define RATE 8000

typedef struct {
  gint64 rate;
} DecodeConfig;

typedef struct {
  gint64 length;
} CutConfig;

typedef struct {
  gint64 size, rows;
} MeasureConfig;

typedef struct {
  char *root;
  gint64 n;
} SongsConfig;

static const SegueParam *const songs_params[] = {
  SEGUE_PARAM (SongsConfig, root, SEGUE_PARAM_STRING, .doc = "Folder of the songs."),
  SEGUE_PARAM (SongsConfig, n, SEGUE_PARAM_INT, .def = "8", .min = 1, .max = 100,
               .doc = "Songs of each label."),
  NULL,
};

static const SegueParam *const decode_params[] = {
  SEGUE_PARAM (DecodeConfig, rate, SEGUE_PARAM_INT, .def = "8000", .min = 8000, .max = 8000,
               .unit = "Hz", .doc = "The only rate that there is."),
  NULL,
};

static const SegueParam *const cut_params[] = {
  SEGUE_PARAM (CutConfig, length, SEGUE_PARAM_INT, .def = "1600", .min = 1, .max = 100000,
               .unit = "samples", .doc = "Of a segment."),
  NULL,
};

static const SegueParam *const measure_params[] = {
  SEGUE_PARAM (MeasureConfig, size, SEGUE_PARAM_INT, .def = "4", .min = 1, .max = 100,
               .doc = "Of a vector."),
  SEGUE_PARAM (MeasureConfig, rows, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 9,
               .doc = "Of a tensor [rows, size]; 0: a vector."),
  NULL,
};

static gint n_decoded;

guint
tiny_get_decoded (void)
{
  return (guint) g_atomic_int_get (&n_decoded);
}

static gboolean
decode_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const char *path = segue_item_get_path (item);
  struct stat info;
  g_atomic_int_inc (&n_decoded);
  int fd = segue_item_open (item, error);
  if (fd < 0)
    return FALSE;
  g_assert_cmpint (fstat (fd, &info), ==, 0);
  gsize length = (gsize) info.st_size;
  char *content = g_malloc (length);
  g_assert_cmpint (read (fd, content, length), ==, length);
  g_assert_cmpint (close (fd), ==, 0);
  g_autoptr (GBytes) bytes = g_bytes_new_take (content, length);
  if (g_str_has_suffix (path, ".slow")) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT, "‘%s’ took too long", path);
    return FALSE;
  }
  if (length % sizeof (float) != 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is not a song", path);
    return FALSE;
  }
  return segue_context_emit (context, segue_item_new_audio (item, NULL, bytes, RATE, 1), error);
}

static gboolean
cut_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const CutConfig *config = segue_context_get_config (context);
  gsize n_frames, length = (gsize) config->length;
  segue_item_get_frames (item, &n_frames);
  for (gsize at = 0; at + length <= n_frames; at += length) {
    g_autofree char *suffix = g_strdup_printf ("%04u", (guint) (at / length));
    g_autoptr (GBytes) bytes = g_bytes_new_from_bytes (
      segue_item_get_bytes (item), at * sizeof (float), length * sizeof (float));
    SegueItem *segment = segue_item_new_audio (item, suffix, bytes, RATE, 1);
    segue_item_set_double (segment, SEGUE_META_START, (double) at / RATE);
    segue_item_set_double (segment, SEGUE_META_DURATION, (double) length / RATE);
    if (!segue_context_emit (context, segment, error))
      return FALSE;
  }
  return TRUE;
}

/* Number c: mean |x[i + c + 1] − x[i]|. */
static gboolean
measure_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const MeasureConfig *config = segue_context_get_config (context);
  gsize n, size = (gsize) config->size, rows = (gsize) MAX (config->rows, 1);
  const float *samples = segue_item_get_frames (item, &n);
  float *values = g_new (float, rows *size);
  for (gsize v = 0; v < rows * size; v++) {
    gsize lag = v % size + 1;
    double sum = 0;
    for (gsize i = 0; i + lag < n; i++)
      sum += fabs ((double) samples[i + lag] - (double) samples[i]);
    values[v] = (float) (sum / (double) n);
  }
  g_autoptr (GBytes) bytes = g_bytes_new_take (values, rows * size * sizeof (float));
  const gsize vector[] = { size }, tensor[] = { rows, size };
  return segue_context_emit (context,
                             segue_item_new_tensor (SEGUE_KIND_TENSOR, item, NULL, bytes,
                                                    SEGUE_DTYPE_F32, config->rows > 0 ? 2 : 1,
                                                    config->rows > 0 ? tensor : vector),
                             error);
}

static gboolean
measure_negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const MeasureConfig *config = data;
  SegueFormat *output = segue_negotiation_get_output (negotiation, "vectors");
  output->dtype = SEGUE_DTYPE_F32;
  output->rank = config->rows > 0 ? 2 : 1;
  output->shape[output->rank - 1] = (guint) config->size;
  if (config->rows > 0)
    output->shape[0] = (guint) config->rows;
  return TRUE;
}

/* Label by folder, every fourth song to `validation`, the one before it to `test`. */
static gboolean
songs_produce (gpointer instance, SegueContext *context, GError **error)
{
  const SongsConfig *config = segue_context_get_config (context);
  static const char *const sets[] = { "train", "train", "test", "validation" };
  static const char *const labels[] = { "high", "low" };
  for (guint i = 0; i < 2 * config->n; i++) {
    const char *label = labels[i % 2], *set = sets[i / 2 % G_N_ELEMENTS (sets)];
    g_autofree char *id = g_strdup_printf ("%s/%02u.f32", label, i / 2);
    g_autofree char *path = g_build_filename (config->root, id, NULL);
    SegueItem *item = segue_item_new_file (id, path);
    segue_item_set_string (item, SEGUE_META_LABEL, label);
    segue_item_set_string (item, SEGUE_META_SET, set);
    if (!segue_context_emit (context, item, error))
      return FALSE;
  }
  return TRUE;
}

/* Training items get another loudness in each epoch. */
static gboolean
shake_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  if (g_strcmp0 (segue_item_get_string (item, SEGUE_META_SET), "train") != 0)
    return segue_context_emit (context, segue_item_ref (item), error);
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32) segue_context_get_seed (context));
  float gain = (float) g_rand_double_range (random, 0.5, 1.5);
  gsize n;
  const float *samples = segue_item_get_frames (item, &n);
  float *louder = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    louder[i] = gain * samples[i];
  g_autoptr (GBytes) bytes = g_bytes_new_take (louder, n * sizeof (float));
  return segue_context_emit (context, segue_item_new_audio (item, NULL, bytes, RATE, 1), error);
}

static gboolean
pass_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  return segue_context_emit (context, segue_item_ref (item), error);
}

static const SeguePort *const files[] = { SEGUE_PORT ("file", SEGUE_KIND_FILE, "A song."), NULL };
static const SeguePort *const audio[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Samples."),
                                          NULL };
static const SeguePort *const live_audio[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Samples.", .flags = SEGUE_PORT_LIVE), NULL
};
static const SeguePort *const vectors[] = {
  SEGUE_PORT ("vectors", SEGUE_KIND_TENSOR, "One per segment."), NULL
};
static const SegueParam *const no_params[] = { NULL };

/* Fields common to the MAP stages. */
#define COMMON                                                                                     \
  .summary = "For tests", .doc = "For tests.", .result_version = 2, .mode = SEGUE_MODE_MAP,        \
  .outputs = audio

static const SegueStageType songs = {
  SEGUE_STAGE_TYPE,         .name = "songs",        .summary = "For tests",
  .doc = "For tests.",      .result_version = 1,    .mode = SEGUE_MODE_SOURCE,
  .outputs = files,         .params = songs_params, .config_size = sizeof (SongsConfig),
  .produce = songs_produce,
};

static const SegueStageType decode = {
  SEGUE_STAGE_TYPE,
  COMMON,
  .name = "decode",
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = files,
  .params = decode_params,
  .config_size = sizeof (DecodeConfig),
  .process = decode_process,
};
static const SegueStageType cut = {
  SEGUE_STAGE_TYPE,
  COMMON,
  .name = "cut",
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = audio,
  .params = cut_params,
  .config_size = sizeof (CutConfig),
  .process = cut_process,
};
static const SegueStageType measure = {
  SEGUE_STAGE_TYPE,           .name = "measure",
  .summary = "For tests",     .result_version = 1,
  .mode = SEGUE_MODE_MAP,     .flags = SEGUE_STAGE_PREPARE,
  .inputs = live_audio,       .outputs = vectors,
  .params = measure_params,   .config_size = sizeof (MeasureConfig),
  .process = measure_process, .negotiate = measure_negotiate,
};
static const SegueStageType spy = {
  SEGUE_STAGE_TYPE,        COMMON, .name = "spy", .inputs = audio, .params = no_params,
  .process = pass_process,
};
static const SegueStageType shaky = {
  SEGUE_STAGE_TYPE,         COMMON,
  .name = "shaky",          .flags = SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED,
  .inputs = audio,          .params = no_params,
  .process = shake_process,
};

const SeguePlugin *
tiny_stages (void)
{
  static const SegueStageType *const stages[] = { &songs, &decode, &cut, &measure,
                                                  &spy,   &shaky,  NULL };
  static const SeguePlugin plugin =
    SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
                .name = "tiny-stages", .version = "1.0", .licence = "MIT", .stages = stages);
  return &plugin;
}

void
tiny_write_song (const char *path, double hz, gsize n_samples)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *samples = g_new (float, MAX (n_samples, 1));
  for (gsize i = 0; i < n_samples; i++)
    samples[i] = (float) (0.5 * sin (2 * G_PI * hz * (double) i / RATE));
  segue_file_write (path, samples, (gssize) (n_samples * sizeof (float)), &error);
  g_assert_no_error (error);
}
