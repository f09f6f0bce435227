/* Stages that can be seen through: small files in, small figures out, and all ways to fail. */
#include "fake.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>

gint fake_decoded;

/* ---- fake-scan: every file below `root`; *.txt is ignored ---- */

typedef struct {
  char *root;
} ScanConfig;

static const SegueParam *const scan_params[] = {
  SEGUE_PARAM (ScanConfig, root, SEGUE_PARAM_STRING, .doc = "Where the songs are."),
  NULL,
};

static gboolean
scan_folder (SegueContext *context, const char *root, const char *below, GError **error)
{
  g_autofree char *path = g_build_filename (root, below, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree char *id = *below ? g_build_filename (below, name, NULL) : g_strdup (name);
    g_autofree char *file = g_build_filename (root, id, NULL);
    if (g_str_has_suffix (name, ".txt")) {
      segue_context_count (context, "ignored files", 1);
      continue;
    }
    if (!g_str_has_suffix (name, ".song")) {
      if (!scan_folder (context, root, id, error))
        return FALSE;
      continue;
    }
    g_autofree char *label = g_path_get_dirname (id);
    SegueItem *item = segue_item_new_file (id, file);
    segue_item_set_string (item, SEGUE_META_SOURCE, file);
    segue_item_set_string (item, SEGUE_META_LABEL, label);
    if (!segue_context_emit (context, item, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
scan_produce (gpointer instance, SegueContext *context, GError **error)
{
  const ScanConfig *config = segue_context_get_config (context);
  return scan_folder (context, config->root, "", error);
}

static const SeguePort file_port[] = { { .name = "songs", .kind = SEGUE_KIND_FILE }, { NULL } };
static const SeguePort audio_port[] = { { .name = "audio", .kind = SEGUE_KIND_AUDIO }, { NULL } };
static const SeguePort live_port[] = {
  { .name = "audio", .kind = SEGUE_KIND_AUDIO, .flags = SEGUE_PORT_LIVE }, { NULL }
};

static const SegueStageType scan = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-scan",
  .summary = "Lists files",
  .result_version = 1,
  .mode = SEGUE_MODE_SOURCE,
  .outputs = file_port,
  .params = scan_params,
  .config_size = sizeof (ScanConfig),
  .produce = scan_produce,
};

/* ---- fake-decode: a sample per byte of the file, `repeat` times over ----
 *
 * BAD… is damaged, GLITCH… seems to be when it is first read, SLOW… a time-out, NOMEM… the environment, WAIT… works until cancelled,
 * MUTE… fails without an error, SWALLOW… goes on after a failed emit. */

typedef struct {
  double gain;
  gint64 repeat;
} DecodeConfig;

static const SegueParam *const decode_params[] = {
  SEGUE_PARAM (DecodeConfig, gain, SEGUE_PARAM_DOUBLE, .def = "1", .min = 0, .max = 10),
  SEGUE_PARAM (DecodeConfig, repeat, SEGUE_PARAM_INT, .def = "10", .min = 1, .max = 1000000),
  NULL,
};

typedef struct {
  gboolean spoilt; /* by a bad song: results of an instance may not depend on it */
} Decoder;

static gpointer
decode_open (SegueContext *context, GError **error)
{
  return g_new0 (Decoder, 1);
}

static gboolean
wait_for_cancel (SegueContext *context, GError **error)
{
  for (guint i = 0; i < 2000; i++) {
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    g_usleep (5000);
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "nobody cancelled");
  return FALSE;
}

static gboolean
decode_fail (Decoder *decoder, SegueContext *context, const char *path, const char *text,
             GError **error)
{
  static gint glitches = 0;
  decoder->spoilt = TRUE;
  if (g_str_has_prefix (text, "BAD") ||
      (g_str_has_prefix (text, "GLITCH") && g_atomic_int_add (&glitches, 1) == 0))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't decode ‘%s’: damaged", path);
  else if (g_str_has_prefix (text, "SLOW"))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT, "‘%s’ took too long", path);
  else if (g_str_has_prefix (text, "NOMEM"))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "out of memory");
  else if (g_str_has_prefix (text, "WAIT"))
    wait_for_cancel (context, error);
  else if (!g_str_has_prefix (text, "MUTE")) {
    decoder->spoilt = FALSE;
    return TRUE;
  }
  return FALSE;
}

static gboolean
decode_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const DecodeConfig *config = segue_context_get_config (context);
  Decoder *decoder = instance;
  g_autofree char *text = NULL;
  gsize length;
  g_atomic_int_inc (&fake_decoded);
  if (!g_file_get_contents (segue_item_get_path (item), &text, &length, NULL))
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read",
                                       segue_item_get_path (item));
  segue_context_count (context, "songs decoded", 1);
  g_assert_false (decoder->spoilt);
  if (!decode_fail (decoder, context, segue_item_get_path (item), text, error))
    return FALSE;

  gsize n = length * (gsize) config->repeat;
  float *frames = g_new (float, MAX (n, 1));
  for (gsize i = 0; i < n; i++)
    frames[i] = (float) (config->gain * text[i % length] + (double) i);
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, n * sizeof (float));
  SegueItem *audio = segue_item_new_audio (item, NULL, bytes, 100, 1);
  segue_item_set_double (audio, SEGUE_META_DURATION, (double) n / 100);
  gboolean ok = segue_context_emit (context, audio, error);
  if (!ok && g_str_has_prefix (text, "SWALLOW")) {
    g_clear_error (error);
    return TRUE;
  }
  return ok;
}

static const SegueStageType decode = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-decode",
  .summary = "Decodes",
  .result_version = 3,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = file_port,
  .outputs = audio_port,
  .params = decode_params,
  .config_size = sizeof (DecodeConfig),
  .open = decode_open,
  .close = g_free,
  .process = decode_process,
};

/* ---- fake-segment: `count` slices of `length` samples, `hop` apart; fails after the first where
 * the song has an X in its name ---- */

typedef struct {
  gint64 length, hop, count;
} SegmentConfig;

static const SegueParam *const segment_params[] = {
  SEGUE_PARAM (SegmentConfig, length, SEGUE_PARAM_INT, .def = "20", .min = 1, .max = 1000000),
  SEGUE_PARAM (SegmentConfig, hop, SEGUE_PARAM_INT, .def = "10", .min = 1, .max = 1000000),
  SEGUE_PARAM (SegmentConfig, count, SEGUE_PARAM_INT, .def = "3", .min = 0, .max = 100000),
  NULL,
};

static gboolean
segment_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const SegmentConfig *config = segue_context_get_config (context);
  gsize size = g_bytes_get_size (segue_item_get_bytes (item));
  for (gint64 i = 0; i < config->count; i++) {
    gsize at = (gsize) (i * config->hop) * sizeof (float);
    gsize length = (gsize) config->length * sizeof (float);
    if (at + length > size || (i > 0 && strchr (segue_item_get_id (item), 'X'))) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is too short",
                   segue_item_get_id (item));
      return FALSE;
    }
    g_autofree char *suffix = g_strdup_printf ("%04d", (int) i);
    g_autoptr (GBytes) slice = g_bytes_new_from_bytes (segue_item_get_bytes (item), at, length);
    SegueItem *segment = segue_item_new_audio (item, suffix, slice, 100, 1);
    segue_item_set_double (segment, SEGUE_META_START, (double) (i * config->hop) / 100);
    if (!segue_context_emit (context, segment, error))
      return FALSE;
  }
  return TRUE;
}

static const SegueStageType segment = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-segment",
  .summary = "Cuts",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = audio_port,
  .outputs = audio_port,
  .params = segment_params,
  .config_size = sizeof (SegmentConfig),
  .process = segment_process,
};

/* ---- fake-noise (stored, seeded), fake-live (the same when read), fake-cheat (without the flag):
 * one sample, the seed ---- */

static gboolean
noise_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autofree float *sample = g_new (float, 1);
  *sample = (float) (segue_context_get_seed (context) % 1000000);
  g_autoptr (GBytes) bytes = g_bytes_new (sample, sizeof *sample);
  return segue_context_emit (context, segue_item_new_audio (item, NULL, bytes, 100, 1), error);
}

#define NOISE(type_name, type_flags)                                                               \
  {                                                                                                \
    .struct_size = sizeof (SegueStageType), .name = type_name, .summary = "Makes noise",           \
    .result_version = 1, .mode = SEGUE_MODE_MAP, .flags = type_flags, .inputs = audio_port,        \
    .outputs = audio_port, .process = noise_process                                                \
  }

static const SegueStageType noise = NOISE ("fake-noise", SEGUE_STAGE_SEEDED);
static const SegueStageType live = NOISE ("fake-live", SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED);
static const SegueStageType cheat = NOISE ("fake-cheat", 0);

/* ---- fake-copies: passes items on, with a copy where their set is train ---- */

static gboolean
copies_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  if (!segue_context_emit (context, segue_item_ref (item), error))
    return FALSE;
  if (g_strcmp0 (segue_item_get_string (item, SEGUE_META_SET), "train") != 0)
    return TRUE;
  SegueItem *copy = segue_item_new_audio (item, "copy", segue_item_get_bytes (item), 100, 1);
  segue_item_set_int (copy, "copy", 1);
  return segue_context_emit (context, copy, error);
}

static const SegueStageType copies = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-copies",
  .summary = "Copies",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .inputs = audio_port,
  .outputs = audio_port,
  .process = copies_process,
};

/* ---- fake-split: every `every`-th song is test, the rest train ---- */

typedef struct {
  gint64 every;
} SplitConfig;

static const SegueParam *const split_params[] = {
  SEGUE_PARAM (SplitConfig, every, SEGUE_PARAM_INT, .def = "2", .min = 1, .max = 100),
  NULL,
};

static gboolean
split_collect (gpointer instance, SegueContext *context, GError **error)
{
  const SplitConfig *config = segue_context_get_config (context);
  SegueDataset *input = segue_context_get_input (context, "audio");
  guint n = segue_dataset_get_length (input);
  g_autofree const char **sets = g_new0 (const char *, n + 1);
  const char *song = NULL;
  gint64 songs = 0;
  for (guint i = 0; i < n; i++) {
    const char *now = segue_item_get_song (segue_dataset_get_entry (input, i));
    songs += g_strcmp0 (song, now) != 0;
    song = now;
    sets[i] = songs % config->every == 0 ? "test" : "train";
  }
  g_autoptr (SegueDataset) output = segue_dataset_annotate (input, SEGUE_META_SET, sets);
  segue_context_emit_dataset (context, output);
  return TRUE;
}

static const SegueStageType split = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-split",
  .summary = "Splits",
  .result_version = 1,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = audio_port,
  .outputs = audio_port,
  .params = split_params,
  .config_size = sizeof (SplitConfig),
  .collect = split_collect,
};

/* ---- fake-dump, fake-dump-live: what a reader reads, as text, for two epochs ---- */

static void
describe (GString *text, SegueItem *item)
{
  g_autoptr (GVariant) metadata = segue_item_get_metadata (item);
  g_autofree char *printed = g_variant_print (metadata, FALSE);
  g_autofree char *digest =
    g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, segue_item_get_bytes (item));
  g_string_append_printf (text, "%s %s %s %.8s %" G_GSIZE_FORMAT "\n", segue_item_get_id (item),
                          segue_item_get_song (item), printed, digest,
                          g_bytes_get_size (segue_item_get_bytes (item)));
}

static gboolean
dump_collect (gpointer instance, SegueContext *context, GError **error)
{
  SegueDataset *input = segue_context_get_input (context, "audio");
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint epoch = 0; epoch < 2; epoch++) {
    g_autoptr (SegueReader) reader = segue_reader_new (input, epoch);
    for (guint i = 0; i < segue_dataset_get_length (input); i++) {
      g_assert_false (segue_item_has_payload (segue_dataset_get_entry (input, i)));
      g_autoptr (SegueItem) item =
        segue_reader_get (reader, i, segue_context_get_cancellable (context), error);
      if (!item)
        return FALSE;
      describe (text, item);
    }
  }
  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder)
    return FALSE;
  const char *preparation = segue_dataset_get_preparation (input);
  g_autofree char *path = g_build_filename (folder, "dump.txt", NULL);
  g_autofree char *other = g_build_filename (folder, "preparation.json", NULL);
  return segue_file_write (path, text->str, -1, error) &&
         segue_file_write (other, preparation ? preparation : "null", -1, error);
}

#define DUMP(type_name, ports)                                                                     \
  {                                                                                                \
    .struct_size = sizeof (SegueStageType), .name = type_name, .summary = "Dumps",                 \
    .result_version = 1, .mode = SEGUE_MODE_COLLECT, .inputs = ports, .collect = dump_collect      \
  }

static const SegueStageType dump = DUMP ("fake-dump", audio_port);
static const SegueStageType dump_live = DUMP ("fake-dump-live", live_port);

/* ---- fake-predict: SERIAL: per song, the number of its items and the sum of their first samples;
 * fake-table: the predictions as text ---- */

typedef struct {
  float figures[2];
  char *song;
  guint songs;
} Predictor;

static gpointer
predict_open (SegueContext *context, GError **error)
{
  segue_context_set_progress_unit (context, "sums");
  return g_new0 (Predictor, 1);
}

static void
predict_close (gpointer instance)
{
  g_free (((Predictor *) instance)->song);
  g_free (instance);
}

static gboolean
predict_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  Predictor *predictor = instance;
  gsize n;
  g_assert_true (!predictor->song || g_str_equal (predictor->song, segue_item_get_song (item)));
  if (!predictor->song)
    predictor->song = g_strdup (segue_item_get_song (item));
  predictor->figures[0] += 1;
  predictor->figures[1] += segue_item_get_frames (item, &n)[0];
  return TRUE;
}

static gboolean
predict_end_song (gpointer instance, SegueContext *context, GError **error)
{
  Predictor *predictor = instance;
  const gsize shape[2] = { 1, 2 };
  g_autoptr (GBytes) bytes = g_bytes_new (predictor->figures, sizeof predictor->figures);
  SegueItem *item = segue_item_new_tensor (SEGUE_KIND_PREDICTIONS, NULL, predictor->song, bytes,
                                           SEGUE_DTYPE_F32, 2, shape);
  g_clear_pointer (&predictor->song, g_free);
  memset (predictor->figures, 0, sizeof predictor->figures);
  predictor->songs++;
  return segue_context_emit (context, item, error);
}

static gboolean
predict_finish (gpointer instance, SegueContext *context, GError **error)
{
  Predictor *predictor = instance;
  segue_context_log (context, G_LOG_LEVEL_INFO, "%u songs", predictor->songs);
  segue_context_scalar (context, "test/songs", 1, predictor->songs);
  const char *work = segue_context_get_work_folder (context, error);
  if (!work)
    return FALSE;
  g_autofree char *path = g_build_filename (work, "checkpoint", NULL);
  return segue_file_write (path, "x", 1, error);
}

static const SeguePort predictions_port[] = {
  { .name = "predictions", .kind = SEGUE_KIND_PREDICTIONS }, { NULL }
};

static const SegueStageType predict = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-predict",
  .summary = "Predicts",
  .result_version = 1,
  .mode = SEGUE_MODE_SERIAL,
  .inputs = audio_port,
  .outputs = predictions_port,
  .open = predict_open,
  .close = predict_close,
  .process = predict_process,
  .end_song = predict_end_song,
  .finish = predict_finish,
};

static gboolean
table_collect (gpointer instance, SegueContext *context, GError **error)
{
  SegueDataset *input = segue_context_get_input (context, "predictions");
  g_autoptr (SegueReader) reader = segue_reader_new (input, 0);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < segue_dataset_get_length (input); i++) {
    g_autoptr (SegueItem) item = segue_reader_get (reader, i, NULL, error);
    if (!item)
      return FALSE;
    const float *figures = g_bytes_get_data (segue_item_get_bytes (item), NULL);
    g_string_append_printf (text, "%s %g %g\n", segue_item_get_id (item), figures[0], figures[1]);
  }
  const char *folder = segue_context_get_output_folder (context, error);
  g_autofree char *path = g_build_filename (folder, "table.txt", NULL);
  return segue_file_write (path, text->str, -1, error);
}

static const SegueStageType table = {
  .struct_size = sizeof (SegueStageType),
  .name = "fake-table",
  .summary = "Tabulates",
  .result_version = 1,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = predictions_port,
  .collect = table_collect,
};

static const SegueStageType *const stages[] = { &scan,    &decode, &segment, &noise, &live,
                                                &cheat,   &copies, &split,   &dump,  &dump_live,
                                                &predict, &table,  NULL };

static const SeguePlugin plugin = { .struct_size = sizeof (SeguePlugin),
                                    .abi_major = SEGUE_ABI_MAJOR,
                                    .abi_minor = SEGUE_ABI_MINOR,
                                    .name = "fake",
                                    .version = "1",
                                    .licence = "MIT",
                                    .stages = stages };

const SeguePlugin *
fake_plugin (void)
{
  return &plugin;
}
