/* export: a data set of WAV files that `datasets` opens directly, or of vectors that NumPy reads. */
#include "card.h"
#include "npy.h"
#include "plan.h"
#include "target.h"
#include "wave.h"

#include <segue/collect.h>
#include <segue/format.h>
#include <segue/json.h>
#include <segue/plugin.h>
#include <string.h>

typedef struct {
  char *folder;
  int encoding; /* WaveEncoding */
  gboolean metadata;
  char *title;
} ExportConfig;

static const char *const encoding_choices[] = { "pcm16", "float32", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (
    ExportConfig, folder, SEGUE_PARAM_OUTPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL,
    .doc =
      "Target folder: empty, or written by an earlier export. Relative to the pipeline's folder "
      "and below it, unless it is given on the command line. Unset: the run's folder."),
  SEGUE_PARAM (
    ExportConfig, encoding, SEGUE_PARAM_CHOICE, .def = "pcm16", .choices = encoding_choices,
    .doc = "Of audio. `pcm16`: readable by all programs; samples beyond full scale are clipped "
           "and counted. `float32`: the samples unchanged."),
  SEGUE_PARAM (
    ExportConfig, metadata, SEGUE_PARAM_BOOL, .def = "false",
    .doc =
      "Write a metadata.jsonl for each set, with label, song, start, duration and the layout's "
      "fields of each segment. Labels are then stored unchanged, as text, instead of as folder names."),
  SEGUE_PARAM (ExportConfig, title, SEGUE_PARAM_STRING, .def = "Music segments",
               .doc = "Name of the data set in its README.md."),
  NULL,
};

/* @n_clipped: counts samples beyond full scale. @rate: of the items before; then of these, too; 0: they differ. */
static GBytes *
encode_file (const ExportConfig *config, SegueReader *reader, const PlanFile *file,
             GCancellable *cancellable, gsize *n_clipped, guint *rate, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < file->n; i++) {
    SegueItem *item = segue_reader_get (reader, file->first + i, cancellable, error);
    if (!item)
      return NULL;
    g_ptr_array_add (items, item);
  }
  SegueItem *first = g_ptr_array_index (items, 0);
  if (segue_item_get_kind (first) == SEGUE_KIND_TENSOR)
    return npy_encode ((SegueItem *const *) items->pdata, file->n, error);
  gsize clipped;
  GBytes *wave = wave_encode (first, (WaveEncoding) config->encoding, &clipped, error);
  if (!wave)
    return NULL;
  *n_clipped += clipped;
  if (file->first == 0 || *rate != segue_item_get_rate (first))
    *rate = file->first == 0 ? segue_item_get_rate (first) : 0;
  return wave;
}

/* @rate: (out): of all audio; 0: it differs, or there is none. */
static gboolean
write_files (const ExportConfig *config, SegueDataset *dataset, const Plan *plan, Target *target,
             guint *rate, SegueContext *context, GError **error)
{
  g_autoptr (SegueReader) reader = segue_reader_new (dataset, 0);
  gsize n_clipped = 0;

  segue_context_set_progress_unit (context, "files");
  for (guint i = 0; i < plan->files->len; i++) {
    const PlanFile *file = &g_array_index (plan->files, PlanFile, i);
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    g_autoptr (GBytes) bytes = encode_file (
      config, reader, file, segue_context_get_cancellable (context), &n_clipped, rate, error);
    if (!bytes)
      return FALSE;
    if (i == 0 &&
        !target_has_room (target, (guint64) plan->files->len * g_bytes_get_size (bytes), error))
      return FALSE;
    if (!target_write (target, file->path, bytes, error))
      return FALSE;
    segue_context_progress (context, i + 1, plan->files->len, NULL);
  }
  if (n_clipped > 0) {
    segue_context_count (context, "clipped samples", (gint64) n_clipped);
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "%" G_GSIZE_FORMAT " samples were beyond full scale and have been clipped; "
                       "‘encoding: float32’ keeps them",
                       n_clipped);
  }
  return TRUE;
}

/* A row for item @i of @file. */
static gboolean
append_row (GString *out, const SegueItem *item, const PlanFile *file, guint i, const Plan *plan)
{
  /* Below the folder of metadata.jsonl, data/<set>/. */
  const char *below = strchr (strchr (file->path, '/') + 1, '/') + 1;
  json_t *row = json_pack ("{s:s, s:s, s:s, s:f, s:f}", "file_name", below, "label",
                           plan_get_label (item), "song", segue_item_get_song (item), "start",
                           segue_item_get_double (item, SEGUE_META_START, 0), "duration",
                           segue_item_get_double (item, SEGUE_META_DURATION, 0));

  if (row && segue_item_get_kind (item) == SEGUE_KIND_TENSOR)
    json_object_set_new (row, "row", json_integer (i));
  for (guint k = 0; row && k < plan->extra->len; k++) {
    const char *key = g_ptr_array_index (plan->extra, k);
    const char *value = segue_item_get_string (item, key);

    json_object_set_new (row, key, json_string (value ? value : ""));
  }
  if (!row)
    return FALSE;
  g_autofree char *text = segue_json_print (row, JSON_COMPACT);
  g_string_append_printf (out, "%s\n", text);
  return TRUE;
}

static gboolean
append_rows (GString *out, SegueDataset *dataset, const PlanFile *file, const Plan *plan,
             GError **error)
{
  for (guint i = 0; i < file->n; i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, file->first + i);
    if (!append_row (out, item, file, i, plan)) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "‘%s’ has metadata that is not text",
                   segue_item_get_id (item));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
write_metadata (SegueDataset *dataset, const Plan *plan, guint set, Target *target, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *path = g_strdup_printf ("data/%s/" PLAN_METADATA, segue_set_get_name (set));

  for (guint f = 0; f < plan->files->len; f++) {
    const PlanFile *file = &g_array_index (plan->files, PlanFile, f);
    if (file->set == set && !append_rows (out, dataset, file, plan, error))
      return FALSE;
  }
  g_autoptr (GBytes) bytes = g_string_free_to_bytes (g_steal_pointer (&out));
  return target_write (target, path, bytes, error);
}

static gboolean
write_card (const ExportConfig *config, const Plan *plan, SegueKind kind, guint rate,
            Target *target, GError **error)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new (), columns = g_ptr_array_new ();
  /* `datasets` reads labels from folder names, or unchanged from metadata.jsonl. */
  const GPtrArray *from = config->metadata ? plan->labels : plan->folders;
  const char *sets[SEGUE_N_SETS + 1] = { NULL };
  guint counts[SEGUE_N_SETS], n_sets = 0;
  Card card = { .title = config->title,
                .sets = sets,
                .counts = counts,
                .vectors = kind == SEGUE_KIND_TENSOR,
                .rate = rate };
  g_autoptr (GBytes) bytes = NULL;
  char *text;

  for (guint s = 0; s < SEGUE_N_SETS; s++)
    if (plan->counts[s] > 0) {
      sets[n_sets] = segue_set_get_name (s);
      counts[n_sets++] = plan->counts[s];
    }
  if (config->metadata) {
    static const char *const own[] = {
      "song", "string", "start", "float64", "duration", "float64"
    };

    for (guint i = 0; i < G_N_ELEMENTS (own); i++)
      g_ptr_array_add (columns, (gpointer) own[i]);
    for (guint i = 0; i < plan->extra->len; i++) {
      g_ptr_array_add (columns, g_ptr_array_index (plan->extra, i));
      g_ptr_array_add (columns, (gpointer) "string");
    }
    g_ptr_array_add (columns, NULL);
    card.columns = (const char *const *) columns->pdata;
  }
  for (guint i = 0; i < from->len; i++)
    g_ptr_array_add (labels, g_ptr_array_index (from, i));
  g_ptr_array_add (labels, NULL);
  card.labels = (const char *const *) labels->pdata;
  text = card_write (&card);
  bytes = g_bytes_new_take (text, strlen (text));
  return target_write (target, "README.md", bytes, error);
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  const ExportConfig *config = segue_context_get_config (context);
  SegueDataset *dataset = segue_context_get_input (context, "items");
  const char *folder =
    config->folder ? config->folder : segue_context_get_output_folder (context, error);
  g_auto (Plan) plan = { 0 };
  g_autoptr (Target) target = NULL;
  guint rate = 0;

  if (!folder)
    return FALSE;
  if (segue_dataset_get_length (dataset) == 0) {
    g_set_error_literal (
      error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
      "there is nothing to export: check why the stages before it skipped the songs");
    return FALSE;
  }
  plan_init (&plan, dataset, config->metadata);
  target = target_open (folder, plan.all, error);
  if (!target || !write_files (config, dataset, &plan, target, &rate, context, error))
    return FALSE;
  for (guint s = 0; config->metadata && s < SEGUE_N_SETS; s++)
    if (plan.counts[s] > 0 && !write_metadata (dataset, &plan, s, target, error))
      return FALSE;
  SegueKind kind = segue_item_get_kind (segue_dataset_get_entry (dataset, 0));
  return write_card (config, &plan, kind, rate, target, error) && target_finish (target, error);
}

/* The owner of the folder is checked before hours of decoding. */
static gboolean
preview (SegueContext *context, GError **error)
{
  const ExportConfig *config = segue_context_get_config (context);

  return !config->folder || target_check (config->folder, error);
}

static gboolean
check_vectors (const SegueFormat *vectors, SegueNegotiation *negotiation, GError **error)
{
  return vectors->rank == 0 || npy_supports (vectors->dtype) ||
         segue_negotiation_refuse (negotiation, NULL, error,
                                   "items are bfloat16, which NumPy does not have");
}

static gboolean
negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const ExportConfig *config = data;
  const SegueFormat *items = segue_negotiation_get_input (negotiation, "items");
  guint channels = items && items->channels != SEGUE_FORMAT_VARIES ? items->channels : 0;
  guint frames = items && items->frames != SEGUE_FORMAT_VARIES ? items->frames : 0;

  if (items && items->kind == SEGUE_KIND_TENSOR)
    return check_vectors (items, negotiation, error);
  if (channels > WAVE_MAX_CHANNELS)
    return segue_negotiation_refuse (negotiation, NULL, error,
                                     "items have %u channels, but a WAV file has at most %d; write "
                                     "`channels: mono` in the stage that decodes",
                                     channels, WAVE_MAX_CHANNELS);
  if (wave_is_too_long (frames, MAX (channels, 1), (WaveEncoding) config->encoding))
    return segue_negotiation_refuse (
      negotiation, NULL, error,
      "items of %u samples are too long for a WAV file, which is limited to 4 GB; cut them with "
      "`segment` into a shorter `length`%s",
      frames, config->encoding == WAVE_FLOAT ? ", or write `encoding: pcm16`" : "");
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_EXAMPLES, "Segments or songs: audio, or the vectors of `embed`."),
  NULL
};

static const SegueStageType export_type = {
  SEGUE_STAGE_TYPE,
  .name = "export",
  .summary = "Writes a data set: WAV files for Hugging Face datasets, or vectors for NumPy",
  .doc =
    "Files are named `data/<set>/<label>/<name>.wav`, with a README.md whose front matter "
    "lists sets and labels: `datasets.load_dataset (\"audiofolder\", data_dir=…)`. Items in "
    "no set go to train. Vectors are written as `<name>.npy`, one array [segments, C] for each "
    "song. Live augmentation is not applied.\n\nNames are made safe for every "
    "system, and no word in them (`test`, `dev`) makes `datasets` put a file into another "
    "set. The same data set gives the same bytes. Files that exist already are not written "
    "again; outdated files of an earlier export are removed.",
  .result_version = 2,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = inputs,
  .params = params,
  .config_size = sizeof (ExportConfig),
  .collect = collect,
  .preview = preview,
  .negotiate = negotiate,
};

static const SegueStageType *const stages[] = { &export_type, NULL };

SEGUE_PLUGIN (.name = "export", .version = "1.0", .licence = "MIT", .stages = stages)
