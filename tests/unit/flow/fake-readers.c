/* Stages that read the result of a chain. */
#include "fake-stages.h"

#include <segue/file.h>
#include <string.h>

static const SeguePort *const live_port[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL, .flags = SEGUE_PORT_LIVE), NULL
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

/* 99 songs are too many to split by, which is known in advance. */
static gboolean
split_preview (SegueContext *context, GError **error)
{
  const SplitConfig *config = segue_context_get_config (context);
  segue_context_log (context, G_LOG_LEVEL_WARNING, "looked ahead");
  segue_context_log (context, G_LOG_LEVEL_INFO, "of no interest");
  if (config->every != 99)
    return split_collect (NULL, context, error);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "too many" SEGUE_ADVICE ("; try ", "every=2"));
  return FALSE;
}

const SegueStageType fake_split = {
  SEGUE_STAGE_TYPE,           .name = "fake-split",       .summary = "Splits",
  .result_version = 1,        .mode = SEGUE_MODE_COLLECT, .inputs = fake_audio_port,
  .outputs = fake_audio_port, .params = split_params,     .config_size = sizeof (SplitConfig),
  .collect = split_collect,   .preview = split_preview,
};

/* ---- fake-dump, fake-dump-live: the data that a reader reads, as text, for two epochs ---- */

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
  SeguePreparation *preparation = segue_dataset_get_preparation (input);
  g_autofree char *path = g_build_filename (folder, "dump.txt", NULL);
  g_autofree char *other = g_build_filename (folder, "preparation.json", NULL);
  return segue_file_write (path, text->str, -1, error) &&
         segue_file_write (other, preparation ? segue_preparation_get_stages (preparation) : "null",
                           -1, error);
}

#define DUMP(type_name, ports)                                                                     \
  SEGUE_INIT (SegueStageType, .name = type_name, .summary = "Dumps", .result_version = 1,          \
              .mode = SEGUE_MODE_COLLECT, .inputs = ports, .collect = dump_collect)

const SegueStageType fake_dump = DUMP ("fake-dump", fake_audio_port);
const SegueStageType fake_dump_live = DUMP ("fake-dump-live", live_port);

/* ---- fake-typo: requests an input that it does not have ---- */

static gboolean
typo_collect (gpointer instance, SegueContext *context, GError **error)
{
  g_assert_cmpuint (segue_dataset_get_length (segue_context_get_input (context, "audoi")), ==, 0);
  return TRUE;
}

const SegueStageType fake_typo = {
  SEGUE_STAGE_TYPE,        .name = "fake-typo",        .summary = "Asks wrongly",
  .result_version = 1,     .mode = SEGUE_MODE_COLLECT, .inputs = fake_audio_port,
  .collect = typo_collect,
};

/* ---- fake-predict: SERIAL: per song, the number of its items and the sum of their first samples;
 * fake-table: the predictions as text ---- */

typedef struct {
  double figures[3]; /* as start, duration and probability */
  char *song;
  guint songs;
} Predictor;

static gboolean
predict_open (SegueContext *context, gpointer *instance, GError **error)
{
  segue_context_set_progress_unit (context, "sums");
  *instance = g_new0 (Predictor, 1);
  return TRUE;
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
  predictor->figures[1] += (double) segue_item_get_frames (item, &n)[0];
  predictor->figures[2] = 1;
  return TRUE;
}

static gboolean
predict_end_song (gpointer instance, SegueContext *context, GError **error)
{
  Predictor *predictor = instance;
  double *row;
  SegueItem *item = segue_item_new_predictions (NULL, predictor->song, 1, 1, &row, error);
  memcpy (row, predictor->figures, sizeof predictor->figures);
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

static const SeguePort *const predictions_port[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, NULL), NULL
};

const SegueStageType fake_predict = {
  SEGUE_STAGE_TYPE,
  .name = "fake-predict",
  .summary = "Predicts",
  .result_version = 1,
  .mode = SEGUE_MODE_SERIAL,
  .inputs = fake_audio_port,
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
    const double *figures = g_bytes_get_data (segue_item_get_bytes (item), NULL);
    g_string_append_printf (text, "%s %g %g\n", segue_item_get_id (item), figures[0], figures[1]);
  }
  const char *folder = segue_context_get_output_folder (context, error);
  g_autofree char *path = g_build_filename (folder, "table.txt", NULL);
  return segue_file_write (path, text->str, -1, error);
}

const SegueStageType fake_table = {
  SEGUE_STAGE_TYPE,         .name = "fake-table",       .summary = "Tabulates",
  .result_version = 1,      .mode = SEGUE_MODE_COLLECT, .inputs = predictions_port,
  .collect = table_collect,
};
