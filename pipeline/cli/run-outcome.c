/* The end of a run, as text and as JSON. */
#include "run-outcome.h"
#include "table.h"

#include <segue/json.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FAILURES 10

/* A skipped item, as a line of text. */
typedef struct {
  char *stage, *id, *line;
  char *reason; /* original text, not made printable */
} Failure;

/* A counter of a stage. */
typedef struct {
  char *stage, *name;
  gint64 n;
} Count;

static void
count_free (gpointer data)
{
  Count *count = data;
  g_free (count->stage);
  g_free (count->name);
  g_free (count);
}

static void
failure_free (gpointer data)
{
  Failure *failure = data;
  g_free (failure->stage);
  g_free (failure->id);
  g_free (failure->line);
  g_free (failure->reason);
  g_free (failure);
}

void
segue_run_outcome_init (SegueRunOutcome *outcome)
{
  *outcome = (SegueRunOutcome){ .result.struct_size = sizeof outcome->result,
                                .failures = g_ptr_array_new_with_free_func (failure_free),
                                .counts = g_ptr_array_new_with_free_func (count_free) };
}

void
segue_run_outcome_clear (SegueRunOutcome *outcome)
{
  segue_run_result_clear (&outcome->result);
  g_clear_pointer (&outcome->failures, g_ptr_array_unref);
  g_clear_pointer (&outcome->counts, g_ptr_array_unref);
}

void
segue_run_outcome_add_failure (SegueRunOutcome *outcome, const char *stage, const char *id,
                               const char *reason)
{
  Failure *failure = g_new (Failure, 1);
  g_autofree char *text = segue_text_printable (reason);
  failure->stage = g_strdup (stage);
  failure->id = g_strdup (id);
  failure->reason = g_strdup (reason);
  failure->line = g_strdup_printf ("%s: %s", stage, text);
  g_ptr_array_add (outcome->failures, failure);
}

void
segue_run_outcome_add_count (SegueRunOutcome *outcome, const char *stage, const char *name,
                             gint64 n)
{
  if (n == 0)
    return;
  for (guint i = 0; i < outcome->counts->len; i++) {
    Count *count = g_ptr_array_index (outcome->counts, i);
    if (g_str_equal (count->stage, stage) && g_str_equal (count->name, name)) {
      count->n += n;
      return;
    }
  }
  Count *count = g_new (Count, 1);
  *count = (Count){ g_strdup (stage), segue_text_printable (name), n };
  g_ptr_array_add (outcome->counts, count);
}

static int
compare_counts (gconstpointer a, gconstpointer b)
{
  const Count *const *one = a, *const *other = b;
  int order = strcmp ((*one)->stage, (*other)->stage);
  return order ? order : strcmp ((*one)->name, (*other)->name);
}

/* A line per stage, sorted: counters of parallel songs arrive in any order. */
static void
print_counters (const SegueRunOutcome *outcome, const SegueTerm *err)
{
  const char *stage = NULL;
  g_ptr_array_sort (outcome->counts, compare_counts);
  for (guint i = 0; i < outcome->counts->len; i++) {
    const Count *count = g_ptr_array_index (outcome->counts, i);
    gboolean same = stage && g_str_equal (stage, count->stage);
    if (same)
      fputs (", ", err->stream);
    else
      fprintf (err->stream, "%s%s: ", stage ? "\n" : "", count->stage);
    fprintf (err->stream, "%" G_GINT64_FORMAT " %s", count->n, count->name);
    stage = count->stage;
  }
  if (stage)
    fputc ('\n', err->stream);
}

static const char *
plural (guint64 n, const char *one, const char *many)
{
  return n == 1 ? one : many;
}

/* @path as typed here: relative to the current folder if it is below it. */
static char *
from_here (const char *path)
{
  g_autofree char *here = g_get_current_dir ();
  gsize length = strlen (here);
  if (g_str_has_prefix (path, here) && path[length] == '/' && path[length + 1])
    return g_strdup (path + length + 1);
  return g_strdup (path);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  const Failure *const *one = a, *const *other = b;
  return strcmp ((*one)->id, (*other)->id);
}

/* Sorted by name, whichever worker found them first. */
static void
print_failures (const SegueRunOutcome *outcome, const SegueTerm *err)
{
  g_ptr_array_sort (outcome->failures, compare_ids);
  guint n_shown = MIN (outcome->failures->len, MAX_FAILURES);
  for (guint i = 0; i < n_shown; i++)
    fprintf (err->stream, "  %s\n",
             ((const Failure *) g_ptr_array_index (outcome->failures, i))->line);
  guint n = MAX (outcome->failures->len, outcome->result.n_failed);
  if (n <= n_shown)
    return;
  if (!outcome->result.folder) { /* nothing ran */
    fprintf (err->stream, "  and %u more; --json lists all of them\n", n - n_shown);
    return;
  }
  g_autofree char *folder = from_here (outcome->result.folder);
  g_autofree char *shown = segue_text_printable (folder);
  fprintf (err->stream, "  and %u more; see %s/run.json\n", n - n_shown, shown);
}

json_t *
segue_run_outcome_list_failures (const SegueRunOutcome *outcome)
{
  json_t *list = json_array ();
  g_ptr_array_sort (outcome->failures, compare_ids);
  for (guint i = 0; i < outcome->failures->len; i++) {
    const Failure *failure = g_ptr_array_index (outcome->failures, i);
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "stage", failure->stage, "id",
                                            failure->id, "reason", failure->reason));
  }
  return list;
}

void
segue_run_outcome_print_counts (const SegueRunOutcome *outcome, const SegueTerm *err)
{
  const SegueRunResult *result = &outcome->result;
  if (result->n_songs == 0 && result->n_failed == 0 && result->n_ignored == 0)
    return;
  fprintf (err->stream, "%u %s", result->n_songs, plural (result->n_songs, "song", "songs"));
  if (result->n_cached > 0)
    fprintf (err->stream, ", %u from the cache", result->n_cached);
  if (result->n_ignored > 0)
    fprintf (err->stream, ", %" G_GUINT64_FORMAT " non-audio %s ignored", result->n_ignored,
             plural (result->n_ignored, "file", "files"));
  if (result->n_failed == 0) {
    fputc ('\n', err->stream);
  } else {
    fprintf (err->stream, "; %s%u skipped%s:\n", segue_term_style (err, SEGUE_STYLE_YELLOW),
             result->n_failed, segue_term_reset (err));
    print_failures (outcome, err);
  }
  print_counters (outcome, err);
}

static json_t *
load_metrics (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "metrics.json", NULL);
  return segue_json_read (path, SEGUE_JSON_METRICS, SEGUE_JSON_FOLLOW_LINK, NULL, NULL);
}

/* The name of a label in the pipeline's source: its parameter `label`, in the presets "artist". */
static char *
label_heading (SeguePipeline *pipeline)
{
  g_autofree char *text = segue_pipeline_describe (pipeline);
  json_t *root =
    text ? segue_json_parse (text, -1, "the pipeline", SEGUE_JSON_SETTINGS, NULL, NULL) : NULL;
  const char *heading = NULL;
  size_t i;
  json_t *stage;
  json_array_foreach (json_object_get (root, "stages"), i, stage)
  {
    if (!heading)
      heading = json_string_value (json_object_get (json_object_get (stage, "with"), "label"));
  }
  char *copy = g_strdup (heading ? heading : "label");
  json_decref (root);
  return copy;
}

/* runs/NAME/latest, if it is this run: shorter, and still valid after the next one. */
static char *
shortest_folder (const char *folder)
{
  g_autofree char *parent = g_path_get_dirname (folder);
  g_autofree char *latest = g_build_filename (parent, "latest", NULL);
  struct stat a, b;
  gboolean same = stat (folder, &a) == 0 && stat (latest, &b) == 0 && a.st_dev == b.st_dev &&
                  a.st_ino == b.st_ino;
  return from_here (same ? latest : folder);
}

/* Quoted for a shell. */
static char *
quoted (const char *path)
{
  for (const char *p = path; *p; p++)
    if (!g_ascii_isalnum (*p) && !strchr ("/._-+,:@%=", *p) && !(*p & 0x80))
      return g_shell_quote (path);
  return g_strdup (path);
}

/* The map, and the library that can be searched. */
static void
print_map (const char *folder, const SegueTerm *err)
{
  g_autofree char *page = g_build_filename (folder, "map", "index.html", NULL);
  g_autofree char *library = g_build_filename (folder, "library", "library.json", NULL);
  if (g_file_test (page, G_FILE_TEST_EXISTS)) {
    g_autofree char *shown = segue_text_printable (page);
    fprintf (err->stream, "map    %s\n", shown);
  }
  if (g_file_test (library, G_FILE_TEST_EXISTS)) {
    g_autofree char *shortest = shortest_folder (folder);
    g_autofree char *pasted = quoted (shortest);
    fprintf (err->stream, "try    segue similar %s SONG.mp3\n", pasted);
  }
}

void
segue_run_outcome_print_results (const SegueRunOutcome *outcome, SegueCli *cli,
                                 SeguePipeline *pipeline)
{
  if (!outcome->result.folder)
    return;
  g_autofree char *folder = from_here (outcome->result.folder);
  json_t *metrics = load_metrics (folder);
  if (metrics) {
    g_autofree char *heading = label_heading (pipeline);
    g_autofree char *table = segue_table_metrics (&cli->out, metrics, heading);
    fputc ('\n', cli->err.stream);
    fputs (table, cli->out.stream);
    fflush (cli->out.stream);
    json_decref (metrics);
  }
  g_autofree char *shown = segue_text_printable (folder);
  fprintf (cli->err.stream, "\nrun    %s\n", shown);
  g_autofree char *page = g_build_filename (folder, "report", "index.html", NULL);
  g_autofree char *shown_page = segue_text_printable (page);
  if (g_file_test (page, G_FILE_TEST_EXISTS))
    fprintf (cli->err.stream, "report %s\n", shown_page);
  print_map (folder, &cli->err);
  g_autofree char *model = g_build_filename (folder, "model", NULL);
  if (!g_file_test (model, G_FILE_TEST_IS_DIR))
    return;
  g_autofree char *shown_model = segue_text_printable (model);
  g_autofree char *shortest = shortest_folder (folder);
  g_autofree char *pasted = quoted (shortest);
  fprintf (cli->err.stream, "model  %s\ntry    segue predict --model %s SONG.mp3\n", shown_model,
           pasted);
}

void
segue_run_outcome_print_json (const SegueRunOutcome *outcome, const SegueTerm *out)
{
  const SegueRunResult *result = &outcome->result;
  g_autofree char *folder = g_filename_display_name (result->folder ? result->folder : "");
  json_t *metrics = result->folder ? load_metrics (result->folder) : NULL;
  json_t *object =
    json_pack ("{s:s, s:i, s:i, s:i, s:I, s:o}", "folder", folder, "songs", (int) result->n_songs,
               "cached", (int) result->n_cached, "quarantined", (int) result->n_failed, "ignored",
               (json_int_t) result->n_ignored, "metrics", metrics ? metrics : json_null ());
  segue_term_print_json (out, object, JSON_COMPACT);
}

/* Whether a retry may succeed: errors of the data or the pipeline remain. */
static gboolean
may_pass (const GError *error)
{
  static const int lasting[] = { SEGUE_ERROR_USAGE, SEGUE_ERROR_DATA, SEGUE_ERROR_NO_INPUT,
                                 SEGUE_ERROR_PIPELINE };
  for (gsize i = 0; i < G_N_ELEMENTS (lasting); i++)
    if (g_error_matches (error, SEGUE_ERROR, lasting[i]))
      return FALSE;
  return TRUE;
}

void
segue_run_outcome_print_kept (const SegueRunOutcome *outcome, const GError *error,
                              const SegueTerm *err)
{
  g_autofree char *folder = from_here (outcome->result.folder);
  g_autofree char *shown = segue_text_printable (folder);
  fprintf (err->stream, "completed results are kept in %s%s\n", shown,
           may_pass (error) ? "; run the same command again to continue" : "");
}
