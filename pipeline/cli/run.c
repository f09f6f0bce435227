/* segue run */
#include "data-view.h"
#include "job.h"
#include "pipeline-arg.h"
#include "preflight.h"
#include "run-outcome.h"
#include "run-plan.h"
#include "warnings.h"

#include <string.h>

#define MAX_JOBS 1024

typedef struct {
  char *preset;
  char **set;
  gint jobs;
  char *out;
  gboolean dry_run, fresh, json;
  char *backend;
} Options;

typedef struct {
  SegueCli *cli;
  SeguePipeline *pipeline;
  gboolean dry;
  SegueRunOptions options;
  SegueRunOutcome outcome;
  GPtrArray *plan; /* nullable: of a dry run */
  GPtrArray *held; /* lines of a stage that may still be a cache hit */
  gboolean at_work;
  json_t *data;      /* nullable: the data set, before anything is decoded */
  GHashTable *known; /* log lines that were shown with it */
  SegueWarnings *warnings;
} Run;

/* ---- Events of the run, from its threads ---- */

/* A stage from the cache repeats all events of its run, such as its epochs; the screen need not
 * show them again. */
static void
release_lines (Run *run, gboolean show)
{
  for (guint i = 0; show && i < run->held->len; i++)
    segue_progress_print (run->cli->progress, g_ptr_array_index (run->held, i));
  g_ptr_array_set_size (run->held, 0);
}

/* "train: epoch 3/30: …", in lines that fit a terminal; in one line for a file. */
static char *
log_line (const SegueTerm *err, const char *stage, gboolean loud, const char *message)
{
  g_autofree char *text = segue_text_printable (message);
  g_autoptr (GString) line = g_string_new (loud ? segue_term_style (err, SEGUE_STYLE_YELLOW) : "");
  g_autofree char *head = g_strconcat (stage ? stage : "", stage ? ": " : "", NULL);
  g_string_append (line, head);
  if (err->tty) {
    segue_text_append_wrapped (line, text, segue_text_width (head), err->columns);
    g_string_truncate (line, line->len - 1); /* its line end */
  } else {
    g_string_append (line, text);
  }
  g_string_append (line, loud ? segue_term_reset (err) : "");
  return g_string_free (g_steal_pointer (&line), FALSE);
}

static void
on_log (Run *run, const char *stage, GLogLevelFlags level, const char *message)
{
  const SegueTerm *err = &run->cli->err;
  if (!segue_log_wants (g_getenv ("SEGUE_DEBUG"), stage ? stage : "run", level))
    return;
  gboolean loud = (level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_WARNING;
  g_autofree char *said = g_strdup_printf ("%s: %s", stage ? stage : "", message);
  if (g_hash_table_remove (run->known, said) ||
      (loud && !segue_warnings_admit (run->warnings, stage)))
    return;
  g_autofree char *line = log_line (err, stage, loud, message);
  if (loud || run->at_work || !stage) {
    segue_progress_print (run->cli->progress, line);
    return;
  }
  g_ptr_array_add (run->held, g_steal_pointer (&line));
}

static void
print_data_line (Run *run, const char *text, SegueStyle style)
{
  const SegueTerm *err = &run->cli->err;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++) {
    g_autofree char *printable = segue_text_printable (*line);
    g_autoptr (GString) shown = g_string_new (printable);
    if (err->tty && segue_text_width (printable) > err->columns) {
      g_string_truncate (shown, 0);
      segue_text_append_wrapped (shown, printable, 2, err->columns);
      g_string_truncate (shown, shown->len - 1); /* its line end */
    }
    g_autofree char *styled =
      g_strconcat (segue_term_style (err, style), shown->str, segue_term_reset (err), NULL);
    segue_progress_print (run->cli->progress, styled);
  }
}

/* In a run, prints a summary at once; a stage's later warning is not repeated. */
static void
on_data (Run *run, const SegueDataView *view)
{
  run->data = segue_data_view_describe (view);
  if (run->dry)
    return;
  g_autofree char *summary = segue_data_view_summarise (run->data);
  print_data_line (run, summary, SEGUE_STYLE_BOLD);
  for (guint i = 0; i < view->warnings->len; i++) {
    const char *warning = g_ptr_array_index (view->warnings, i);
    print_data_line (run, warning, SEGUE_STYLE_YELLOW);
    g_hash_table_add (run->known, g_strdup (warning));
  }
}

/* In a dry run no stage finishes: the bar is just removed. */
static void
on_finished (Run *run, gboolean cached, double seconds)
{
  release_lines (run, !run->dry && !cached);
  if (run->dry)
    segue_progress_hide (run->cli->progress);
  else
    segue_progress_finish (run->cli->progress, cached, seconds);
}

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  Run *run = data;
  SegueProgress *progress = run->cli->progress;
  switch (event->type) {
  case SEGUE_EVENT_STARTED:
    run->at_work = FALSE;
    segue_progress_start (progress, event->stage, (guint) event->done, (guint) event->total, NULL);
    break;
  case SEGUE_EVENT_PROGRESS:
    run->at_work = TRUE;
    release_lines (run, TRUE);
    segue_progress_update (progress, event->done, event->total, event->text);
    break;
  case SEGUE_EVENT_PROGRESS_UNIT:
    segue_progress_set_unit (progress, event->text);
    break;
  case SEGUE_EVENT_LOG:
    on_log (run, event->stage, event->level, event->text);
    break;
  case SEGUE_EVENT_ITEM_FAILED:
    segue_run_outcome_add_failure (&run->outcome, event->stage, event->text, event->error->message);
    break;
  case SEGUE_EVENT_FINISHED:
    on_finished (run, event->n != 0, event->value);
    break;
  case SEGUE_EVENT_DATA:
    on_data (run, event->data);
    break;
  case SEGUE_EVENT_COUNT:
    segue_run_outcome_add_count (&run->outcome, event->stage, event->text, event->n);
    break;
  case SEGUE_EVENT_SCALAR:
    break;
  }
  return TRUE;
}

/* ---- The pipeline and its folder ---- */

static gboolean
check_folder (const char *folder, GError **error)
{
  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_autofree char *shown = segue_text_printable (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               g_file_test (folder, G_FILE_TEST_EXISTS)
                 ? "‘%s’ is a file; give the folder that contains the music"
                 : "there is no folder ‘%s’",
               shown);
  return FALSE;
}

static SeguePipeline *
load (SegueCli *cli, SegueRegistry *registry, const char *path, char **set, const char *folder,
      GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  if (folder) {
    g_autofree char *override = segue_folder_override (path, folder, error);
    if (!override)
      return NULL;
    g_strv_builder_add (builder, override);
  }
  for (; set && *set; set++)
    g_strv_builder_add (builder, *set);
  g_auto (GStrv) all = g_strv_builder_end (builder);
  return segue_load_pipeline (cli, registry, path, (const char *const *) all, error);
}

/* Only the user can name the music folder. */
static gboolean
check_variable (const char *path, const Options *options, GError **error)
{
  g_autofree char *variable = segue_find_unset_variable (path, options->set);
  if (!variable)
    return TRUE;
  g_autofree char *shown = segue_text_printable (path);
  if (options->preset)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "preset '%s' needs a folder of %s: segue run --preset %s FOLDER", options->preset,
                 variable, options->preset);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "‘%s’ needs a folder of %s: segue run %s FOLDER", shown, variable, shown);
  return FALSE;
}

/* Reports missing inputs before anything starts. */
static gboolean
check_needs (SegueRegistry *registry, SeguePipeline *pipeline, const char *folder, GError **error)
{
  g_autoptr (GPtrArray) needs = segue_preflight (registry, pipeline);
  if (needs->len == 0)
    return TRUE;
  const SegueNeed *need = g_ptr_array_index (needs, 0);
  const char *variable = segue_pipeline_get_first_variable (pipeline);
  const SegueStageType *type = segue_registry_find_stage (registry, need->stage_type);
  gboolean no_music = variable && !folder && type && type->mode == SEGUE_MODE_SOURCE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "stage '%s': %s: %s%s%s%s", need->stage,
               need->parameter, need->error->message,
               no_music ? "; give a folder on the command line, or --set " : "",
               no_music ? variable : "", no_music ? "=FOLDER" : "");
  return FALSE;
}

static gboolean
run_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Run *run = data;
  return segue_pipeline_run (run->pipeline, &run->options, &run->outcome.result, cancellable,
                             error);
}

static gboolean
look (gpointer data, GCancellable *cancellable, GError **error)
{
  Run *run = data;
  run->plan =
    segue_pipeline_plan (run->pipeline, &run->options, &run->outcome.result, cancellable, error);
  return run->plan != NULL;
}

static void
print_outcome (Run *run, const Options *options, gboolean ok, const GError *error)
{
  SegueCli *cli = run->cli;
  segue_warnings_print_rest (run->warnings, run->outcome.result.folder, &cli->err);
  segue_run_outcome_print_counts (&run->outcome, &cli->err);
  if (ok && run->plan && options->json)
    segue_run_plan_print_json (run->plan, &run->outcome.result, json_incref (run->data),
                               segue_run_outcome_list_failures (&run->outcome), &cli->out);
  else if (run->dry && run->data && !options->json)
    segue_data_view_print (run->data, &cli->out);
  if (ok && run->plan && !options->json) {
    fputc ('\n', cli->out.stream);
    segue_run_plan_print (run->plan, &cli->out);
  }
  if (run->dry)
    return;
  if (ok && options->json)
    segue_run_outcome_print_json (&run->outcome, &cli->out);
  else if (ok)
    segue_run_outcome_print_results (&run->outcome, cli, run->pipeline);
  else if (run->outcome.result.folder)
    segue_run_outcome_print_kept (&run->outcome, error, &cli->err);
}

static gboolean
run_pipeline (SegueCli *cli, SeguePipeline *pipeline, const Options *options, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (SegueWarnings) warnings = segue_warnings_new ();
  Run run = {
    .cli = cli, .pipeline = pipeline, .dry = options->dry_run, .known = known, .warnings = warnings
  };
  const SegueSink sink = { .take = take_event, .data = &run };
  run.options = (SegueRunOptions) SEGUE_INIT (
    SegueRunOptions, .folder = options->out ? options->out : "runs",
    .workers = (guint) options->jobs, .fresh = options->fresh, .sinks = &sink, .n_sinks = 1);
  segue_run_outcome_init (&run.outcome);
  run.held = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  cli->progress = progress;
  segue_job_outlive_readers ();
  gboolean ok = segue_job_run (cli, progress, options->dry_run ? look : run_job, &run, error);
  release_lines (&run, TRUE);
  cli->progress = NULL;
  g_ptr_array_unref (run.held);
  print_outcome (&run, options, ok, error ? *error : NULL);
  json_decref (run.data);
  segue_run_outcome_clear (&run.outcome);
  g_clear_pointer (&run.plan, g_ptr_array_unref);
  return ok;
}

static gboolean
verb_run (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autofree char *path = segue_find_pipeline (&segue_verb_run, options->preset, &arguments, error);
  if (!path || !segue_refuse_arguments (&segue_verb_run, arguments, 1, error))
    return FALSE;
  segue_choose_backend (options->backend);
  const char *folder = arguments[0];
  if (folder ? !check_folder (folder, error) : !check_variable (path, options, error))
    return FALSE;

  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autoptr (SeguePipeline) pipeline = load (cli, registry, path, options->set, folder, error);
  return pipeline && check_needs (registry, pipeline, folder, error) &&
         run_pipeline (cli, pipeline, options, error);
}

/* ---- The verb ---- */

static const SegueOption rows[] = {
  { "preset", 'p', SEGUE_OPTION_STRING, offsetof (Options, preset), "NAME", 0, 0,
    "a pipeline that comes with segue, instead of a file (see: segue presets)" },
  { "set", 's', SEGUE_OPTION_LIST, offsetof (Options, set), "KEY=VALUE", 0, 0,
    "change a variable (music=~/Music), the seed (seed=7) or a stage's parameter (train.epochs=3); "
    "may be given many times" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (Options, jobs), "N", 1, MAX_JOBS,
    "songs at once (default: one per processor); the result does not depend on it" },
  { "out", 'o', SEGUE_OPTION_PATH, offsetof (Options, out), "DIR", 0, 0,
    "where the run's folder is created (default: runs)" },
  { "dry-run", 'n', SEGUE_OPTION_FLAG, offsetof (Options, dry_run), NULL, 0, 0,
    "run nothing; show the data set (songs of each label by set, what is skipped and why) and, for "
    "each stage, what is cached, what would run, and why" },
  { "fresh", 0, SEGUE_OPTION_FLAG, offsetof (Options, fresh), NULL, 0, 0,
    "ignore the cache: recompute everything, and replace the cached results" },
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "the result as one JSON object" },
  SEGUE_OPTION_BACKEND (Options),
  { NULL },
};

static const SegueExample examples[] = {
  { "segue run --preset artist-small ~/Music", "a first result, without fetching weights" },
  { "segue run --preset artist ~/Music", "DistilHuBERT, fine-tuned" },
  { "segue run mine.yaml --set train.epochs=3", "your own pipeline, with one change" },
  { "segue run mine.yaml --set train.epochs=3 --dry-run", "what that change would cost" },
  { NULL, NULL },
};

const SegueVerb segue_verb_run = {
  .name = "run",
  .summary = "run a pipeline: from a folder of music to a trained model",
  .synopsis = "PIPELINE|--preset NAME [FOLDER] [--set KEY=VALUE]... [-j N] [--out DIR]",
  .doc = "Runs a pipeline, a YAML file or a preset, and creates a folder runs/NAME/ID with the "
         "model, the metrics, the predictions and a record of how they were computed; "
         "runs/NAME/latest points to the last finished run.\n\nFOLDER sets the pipeline's first "
         "variable, for the presets the folder of music: FOLDER/ARTIST/ALBUM/SONG.mp3. A song that "
         "can't be used is skipped, counted and listed with the reason.\n\nResults of stages are "
         "cached: a second run computes only what changed, and what depends on it; an interrupted "
         "run resumes. The result of a stage depends on its parameters, the contents of its songs "
         "and the metadata that it reads, but not on the names of stages, the location of the "
         "music, the pipeline or the run's folder, or -j. --dry-run shows what would be computed, "
         "and why. Ctrl-C stops the run; a second Ctrl-C stops it immediately.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_run,
};
