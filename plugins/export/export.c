/* export: a data set of WAV files that `datasets` opens directly. */
#include "card.h"
#include "names.h"
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
#define METADATA "metadata.jsonl"

static const SegueParam *const params[] = {
  SEGUE_PARAM (
    ExportConfig, folder, SEGUE_PARAM_OUTPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL,
    .doc =
      "Target folder: empty, or written by an earlier export. Relative to the pipeline's folder "
      "and below it, unless it is given on the command line. Unset: the run's folder."),
  SEGUE_PARAM (ExportConfig, encoding, SEGUE_PARAM_CHOICE, .def = "pcm16",
               .choices = encoding_choices,
               .doc = "`pcm16`: readable by all programs; samples beyond full scale are clipped "
                      "and counted. `float32`: the samples unchanged."),
  SEGUE_PARAM (
    ExportConfig, metadata, SEGUE_PARAM_BOOL, .def = "false",
    .doc =
      "Write a metadata.jsonl for each set, with label, song, start, duration and the layout's "
      "fields. Labels are then stored unchanged, as text, instead of as folder names."),
  SEGUE_PARAM (ExportConfig, title, SEGUE_PARAM_STRING, .def = "Music segments",
               .doc = "Name of the data set in its README.md."),
  NULL,
};

/* Data to write, by index of the dataset. */
typedef struct {
  GPtrArray *files;   /* char *: data/<set>/<label>/<name>.wav */
  GArray *sets;       /* guint */
  GPtrArray *labels;  /* char *, sorted */
  GPtrArray *folders; /* char *, their names on disk, sorted */
  guint counts[SEGUE_N_SETS];
  GPtrArray *extra; /* char *: metadata keys for metadata.jsonl */
  GPtrArray *all;   /* char *: all files, including those that are not audio */
} Plan;

static void
plan_clear (Plan *self)
{
  g_clear_pointer (&self->files, g_ptr_array_unref);
  g_clear_pointer (&self->sets, g_array_unref);
  g_clear_pointer (&self->labels, g_ptr_array_unref);
  g_clear_pointer (&self->folders, g_ptr_array_unref);
  g_clear_pointer (&self->extra, g_ptr_array_unref);
  g_clear_pointer (&self->all, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plan, plan_clear)

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Items without a set are for training. */
static SegueSet
set_of (const SegueItem *item)
{
  SegueSet set = segue_set_from_name (segue_item_get_string (item, SEGUE_META_SET));
  return set < SEGUE_N_SETS ? set : SEGUE_SET_TRAIN;
}

static const char *
label_of (const SegueItem *item)
{
  const char *label = segue_item_get_string (item, SEGUE_META_LABEL);

  return label ? label : "unlabelled";
}

/* `Mika/Life/Grace Kelly.mp3#0003` under the label Mika → `Life__Grace Kelly-0003` */
static char *
stem_of (const SegueItem *item, const char *label)
{
  const char *song = segue_item_get_song (item), *id = segue_item_get_id (item);
  const char *suffix = g_str_has_prefix (id, song) ? id + strlen (song) : "";
  const char *slash = strchr (song, '/');
  g_autofree char *first = slash ? g_strndup (song, (gsize) (slash - song)) : NULL;
  g_autofree char *folder = first ? g_utf8_normalize (first, -1, G_NORMALIZE_NFC) : NULL;
  g_autofree char *path = g_strdup (g_strcmp0 (folder, label) == 0 ? slash + 1 : song);
  char *dot = strrchr (path, '.');
  g_auto (GStrv) parts = NULL;
  g_autofree char *joined = NULL;

  if (dot && !strchr (dot, '/') && dot != path)
    *dot = '\0';
  parts = g_strsplit (path, "/", -1);
  joined = g_strjoinv ("__", parts);
  return *suffix == '#' ? g_strconcat (joined, "-", suffix + 1, NULL) : g_strdup (joined);
}

/* Labels and the names of their folders; (transfer full): one from the other. */
static GHashTable *
name_labels (SegueDataset *dataset, Plan *plan)
{
  GHashTable *folders = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (Names) names = names_new ();
  /* The file next to the folders: no label gets its name. */
  g_autofree char *taken = names_make (names, "", METADATA);

  plan->labels = g_ptr_array_new_with_free_func (g_free);
  plan->folders = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    const char *label = label_of (segue_dataset_get_entry (dataset, i));

    if (!g_hash_table_contains (folders, label)) {
      g_ptr_array_add (plan->labels, g_strdup (label));
      g_hash_table_add (folders, g_ptr_array_index (plan->labels, plan->labels->len - 1));
    }
  }
  g_ptr_array_sort (plan->labels, compare_strings);
  for (guint i = 0; i < plan->labels->len; i++) {
    char *label = g_ptr_array_index (plan->labels, i), *folder = names_make (names, "", label);

    g_ptr_array_add (plan->folders, folder);
    g_hash_table_insert (folders, label, folder);
  }
  g_ptr_array_sort (plan->folders, compare_strings);
  return folders;
}

/* Text fields of any item that don't have their own column. */
static void
find_extra (SegueDataset *dataset, Plan *plan)
{
  static const char *const others[] = { SEGUE_META_SOURCE, SEGUE_META_SONG,     SEGUE_META_LABEL,
                                        SEGUE_META_SET,    "file_name",         "audio",
                                        SEGUE_META_START,  SEGUE_META_DURATION, NULL };
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  plan->extra = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    g_autoptr (GVariant) metadata = segue_item_get_metadata (segue_dataset_get_entry (dataset, i));
    GVariantIter iter;
    GVariant *value;
    const char *key;

    g_variant_iter_init (&iter, metadata);
    while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
      if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) && !g_strv_contains (others, key) &&
          !g_hash_table_contains (seen, key)) {
        g_ptr_array_add (plan->extra, g_strdup (key));
        g_hash_table_add (seen, g_ptr_array_index (plan->extra, plan->extra->len - 1));
      }
  }
  g_ptr_array_sort (plan->extra, compare_strings);
}

static void
make_plan (const ExportConfig *config, SegueDataset *dataset, Plan *plan)
{
  g_autoptr (Names) names = names_new ();
  g_autoptr (GHashTable) folders = name_labels (dataset, plan);

  plan->files = g_ptr_array_new_with_free_func (g_free);
  plan->sets = g_array_new (FALSE, FALSE, sizeof (guint));
  plan->all = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    const char *label = label_of (item), *folder = g_hash_table_lookup (folders, label);
    guint set = set_of (item);
    g_autofree char *stem = stem_of (item, label), *name = NULL;

    name = names_make (names, folder, stem);
    g_ptr_array_add (plan->files,
                     g_strdup_printf ("data/%s/%s/%s.wav", segue_set_get_name (set), folder, name));
    g_ptr_array_add (plan->all, g_strdup (g_ptr_array_index (plan->files, i)));
    g_array_append_val (plan->sets, set);
    plan->counts[set]++;
  }
  if (config->metadata)
    find_extra (dataset, plan);
  for (guint s = 0; config->metadata && s < SEGUE_N_SETS; s++)
    if (plan->counts[s] > 0)
      g_ptr_array_add (plan->all, g_strdup_printf ("data/%s/" METADATA, segue_set_get_name (s)));
  g_ptr_array_add (plan->all, g_strdup ("README.md"));
}

/* @rate: (out): of all items; 0: they differ. */
static gboolean
write_audio (const ExportConfig *config, SegueDataset *dataset, const Plan *plan, Target *target,
             guint *rate, SegueContext *context, GError **error)
{
  g_autoptr (SegueReader) reader = segue_reader_new (dataset, 0);
  GCancellable *cancellable = segue_context_get_cancellable (context);
  gsize n_clipped = 0;

  segue_context_set_progress_unit (context, "files");
  for (guint i = 0; i < plan->files->len; i++) {
    g_autoptr (SegueItem) item = NULL;
    g_autoptr (GBytes) wave = NULL;
    gsize clipped;

    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    item = segue_reader_get (reader, i, cancellable, error);
    wave = item ? wave_encode (item, (WaveEncoding) config->encoding, &clipped, error) : NULL;
    if (!wave)
      return FALSE;
    if (i == 0 &&
        !target_has_room (target, (guint64) plan->files->len * g_bytes_get_size (wave), error))
      return FALSE;
    if (i == 0 || *rate != segue_item_get_rate (item))
      *rate = i == 0 ? segue_item_get_rate (item) : 0;
    n_clipped += clipped;
    if (!target_write (target, g_ptr_array_index (plan->files, i), wave, error))
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

static gboolean
append_row (GString *out, const SegueItem *item, const char *file, const Plan *plan)
{
  /* Below the folder of metadata.jsonl, data/<set>/. */
  const char *below = strchr (strchr (file, '/') + 1, '/') + 1;
  json_t *row = json_pack ("{s:s, s:s, s:s, s:f, s:f}", "file_name", below, "label",
                           label_of (item), "song", segue_item_get_song (item), "start",
                           segue_item_get_double (item, SEGUE_META_START, 0), "duration",
                           segue_item_get_double (item, SEGUE_META_DURATION, 0));

  for (guint i = 0; row && i < plan->extra->len; i++) {
    const char *key = g_ptr_array_index (plan->extra, i);
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
write_metadata (SegueDataset *dataset, const Plan *plan, guint set, Target *target, GError **error)
{
  GString *out = g_string_new (NULL);
  g_autofree char *file = g_strdup_printf ("data/%s/" METADATA, segue_set_get_name (set));
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; i < plan->files->len; i++)
    if (g_array_index (plan->sets, guint, i) == set &&
        !append_row (out, segue_dataset_get_entry (dataset, i), g_ptr_array_index (plan->files, i),
                     plan)) {
      g_string_free (out, TRUE);
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "‘%s’ has metadata that is not text",
                   segue_item_get_id (segue_dataset_get_entry (dataset, i)));
      return FALSE;
    }
  bytes = g_string_free_to_bytes (out);
  return target_write (target, file, bytes, error);
}

static gboolean
write_card (const ExportConfig *config, const Plan *plan, guint rate, Target *target,
            GError **error)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new (), columns = g_ptr_array_new ();
  /* `datasets` reads labels from folder names, or unchanged from metadata.jsonl. */
  const GPtrArray *from = config->metadata ? plan->labels : plan->folders;
  const char *sets[SEGUE_N_SETS + 1] = { NULL };
  guint counts[SEGUE_N_SETS], n_sets = 0;
  Card card = { .title = config->title, .sets = sets, .counts = counts, .rate = rate };
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
  SegueDataset *dataset = segue_context_get_input (context, "audio");
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
  make_plan (config, dataset, &plan);
  target = target_open (folder, plan.all, error);
  if (!target || !write_audio (config, dataset, &plan, target, &rate, context, error))
    return FALSE;
  for (guint s = 0; config->metadata && s < SEGUE_N_SETS; s++)
    if (plan.counts[s] > 0 && !write_metadata (dataset, &plan, s, target, error))
      return FALSE;
  return write_card (config, &plan, rate, target, error) && target_finish (target, error);
}

/* The owner of the folder is checked before hours of decoding. */
static gboolean
preview (SegueContext *context, GError **error)
{
  const ExportConfig *config = segue_context_get_config (context);

  return !config->folder || target_check (config->folder, error);
}

static gboolean
negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const ExportConfig *config = data;
  const SegueFormat *audio = segue_negotiation_get_input (negotiation, "audio");
  guint channels = audio && audio->channels != SEGUE_FORMAT_VARIES ? audio->channels : 0;
  guint frames = audio && audio->frames != SEGUE_FORMAT_VARIES ? audio->frames : 0;

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
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Segments or songs."), NULL
};

static const SegueStageType export_type = {
  SEGUE_STAGE_TYPE,
  .name = "export",
  .summary = "Writes a data set of WAV files that Hugging Face datasets opens directly",
  .doc = "Files are named `data/<set>/<label>/<name>.wav`, with a README.md whose front matter "
         "lists sets and labels: `datasets.load_dataset (\"audiofolder\", data_dir=…)`. Items in "
         "no set go to train. Live augmentation is not applied.\n\nNames are made safe for every "
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
