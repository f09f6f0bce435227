/* A run, from options to result. */
#include "isolate/isolated-stage.h"
#include "run/run-private.h"
#include "stage/shared.h"

#include <string.h>
#include <unistd.h>

void
segue_run_result_clear (SegueRunResult *result)
{
  gsize size = result->struct_size;
  g_clear_pointer (&result->folder, g_free);
  memset (result, 0, size);
  result->struct_size = size;
}

static void
clear_step (gpointer data)
{
  SegueRunStep *step = data;
  g_free (step->name);
  g_array_unref (step->stages);
}

static void
clear_quarantined (gpointer data)
{
  SegueQuarantined *item = data;
  g_free (item->stage);
  g_free (item->id);
  g_free (item->reason);
}

void
segue_run_init (SegueRun *run, SeguePipeline *pipeline, const SegueRunOptions *options,
                GCancellable *cancellable)
{
  guint workers = options->workers > 0 ? options->workers : g_get_num_processors ();
  run->pipeline = pipeline;
  run->fresh = options->fresh;
  run->scope = (SegueScope){ .registry = pipeline->registry,
                             .seed = pipeline->seed,
                             .threads = workers,
                             .isolated = segue_isolated_carrier (),
                             .shared = segue_shared_new (),
                             .host = &segue_run_host,
                             .host_data = run };
  g_mutex_init (&run->lock);
  run->counts = segue_counts_new ();
  run->steps = g_array_new (FALSE, FALSE, sizeof (SegueRunStep));
  g_array_set_clear_func (run->steps, clear_step);
  run->quarantined = g_array_new (FALSE, FALSE, sizeof (SegueQuarantined));
  g_array_set_clear_func (run->quarantined, clear_quarantined);
  run->songs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  run->made = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  run->missed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  run->n_stages = pipeline->stages->len;
  run->stages = g_new0 (SegueStageRun, run->n_stages + 1);
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = &run->stages[i];
    at->stage = g_ptr_array_index (pipeline->stages, i);
    at->output_fd = -1;
    at->outputs = g_new0 (SegueDataset *, at->stage->n_outputs + 1);
    at->n_outputs = g_new0 (guint, at->stage->n_outputs + 1);
  }
  run->curves = segue_curves_new ();
  segue_run_find_steps (run);
  segue_run_open_sinks (run, options, cancellable);
  run->cancellable = run->sinks.cancellable;
}

static void
clear_stage (SegueStageRun *at)
{
  segue_run_release_inputs (at);
  for (guint i = 0; i < at->stage->n_outputs; i++)
    segue_dataset_unref (at->outputs[i]);
  segue_work_folder_close (at->work, FALSE);
  segue_counts_free (at->computed);
  segue_stage_key_free (at->parts);
  g_free (at->why);
  g_free (at->outputs);
  g_free (at->n_outputs);
  g_free (at->key);
  if (at->output_fd >= 0)
    close (at->output_fd);
  g_free (at->output_folder);
}

void
segue_run_clear (SegueRun *run)
{
  for (guint i = 0; i < run->n_stages; i++)
    clear_stage (&run->stages[i]);
  segue_shared_free (run->scope.shared);
  g_free (run->stages);
  g_hash_table_unref (run->songs);
  g_hash_table_unref (run->missed);
  g_hash_table_unref (run->made);
  g_array_unref (run->steps);
  g_array_unref (run->quarantined);
  segue_counts_free (run->counts);
  segue_curves_free (run->curves);
  segue_journal_free (run->journal);
  segue_store_free (run->store);
  segue_run_lock_release (&run->lock_file);
  g_free (run->id);
  g_free (run->folder);
  segue_sinks_clear (&run->sinks);
  g_mutex_clear (&run->lock);
}

/* A stage that reads files begins with hashing their content. */
static void
on_hashed (gpointer data, const SegueGraphStage *stage, guint done, guint total)
{
  if (done < total)
    segue_run_tell (data, SEGUE_EVENT (PROGRESS, stage->id, .done = done, .total = total,
                                       .text = "hashing input files"));
  else
    segue_run_tell (data, SEGUE_EVENT (PROGRESS, stage->id));
}

gboolean
segue_run_open_store (SegueRun *run, const char *cache, GError **error)
{
  run->store = segue_store_open (cache, error);
  if (!run->store)
    return FALSE;
  run->keys = (SegueKeyScope){ .seed = run->scope.seed,
                               .registry = run->scope.registry,
                               .contents = segue_store_get_contents_folder (run->store),
                               .cancellable = run->cancellable,
                               .hashed = on_hashed,
                               .hashed_data = run };
  return TRUE;
}

gboolean
segue_run_open_journal (SegueRun *run, GError **error)
{
  g_autofree char *log = g_build_filename (run->folder, "log.ndjson", NULL);
  run->journal = segue_journal_new (log, error);
  if (!run->journal)
    return FALSE;
  segue_run_add_sink (run, segue_journal_take, run->journal);
  if (segue_store_get_warning (run->store))
    segue_run_log (run, NULL, G_LOG_LEVEL_WARNING, "%s", segue_store_get_warning (run->store));
  return TRUE;
}

static gboolean
open_run (SegueRun *run, const SegueRunOptions *options, GError **error)
{
  if (!segue_run_open_store (run, options->cache, error))
    return FALSE;
  run->folder = segue_run_folder_make (options->folder ? options->folder : "runs",
                                       run->pipeline->name, &run->id, error);
  if (!run->folder)
    return FALSE;
  segue_run_lock_take (&run->lock_file, run->folder);
  if (!segue_run_open_journal (run, error))
    return FALSE;
  for (const char *const *one = segue_pipeline_get_warnings (run->pipeline); *one; one++)
    segue_run_log (run, NULL, G_LOG_LEVEL_WARNING, "%s", *one);
  return segue_run_write_record (run, "running", NULL, error);
}

/* Writes everything that is known of the run, also if it failed: with @failure. */
static gboolean
close_run (SegueRun *run, const GError *failure, GDateTime *started, double seconds, GError **error)
{
  const char *state = !failure                                                        ? "finished"
                      : g_error_matches (failure, SEGUE_ERROR, SEGUE_ERROR_CANCELLED) ? "stopped"
                                                                                      : "failed";
  /* The host gets it as the run's error. */
  if (failure)
    segue_journal_take (run->journal, SEGUE_EVENT (LOG, NULL, .level = G_LOG_LEVEL_CRITICAL,
                                                   .text = failure->message));
  segue_run_folder_settle (run->folder);
  return segue_run_write_record (run, state, failure, error) &&
         segue_run_leave_summary (run, error) &&
         segue_run_write_timings (run, started, seconds, error) &&
         (failure || segue_run_folder_make_latest (run->folder, error));
}

/* Evicts the least recently used results for those of this run. */
static void
tidy_cache (SegueRun *run)
{
  SegueCacheFreed freed = SEGUE_INIT (SegueCacheFreed);
  g_autoptr (GError) error = NULL;
  if (!segue_store_tidy (run->store, &freed, &error))
    segue_run_log (run, NULL, G_LOG_LEVEL_INFO, "the cache was not pruned: %s", error->message);
  if (freed.n == 0)
    return;
  g_autofree char *bytes = g_format_size (freed.bytes);
  g_autofree char *limit = g_format_size (freed.limit);
  segue_run_log (run, NULL, G_LOG_LEVEL_INFO,
                 "removed the least recently used %s from the cache (limit: %s)", bytes, limit);
}

void
segue_run_fill_result (SegueRun *run, SegueRunResult *result)
{
  if (!result)
    return;
  SegueRunResult whole = {
    .struct_size = result->struct_size,
    .folder = g_strdup (run->folder),
    .n_songs = run->n_sources,
    .n_cached = g_hash_table_size (run->songs) - g_hash_table_size (run->missed),
    .n_failed = run->quarantined->len,
    .n_ignored = (guint64) MAX (0, segue_counts_get (run->counts, "ignored files")),
  };
  memcpy (result, &whole, MIN (whole.struct_size, sizeof whole));
}

gboolean
segue_pipeline_run (SeguePipeline *pipeline, const SegueRunOptions *options, SegueRunResult *result,
                    GCancellable *cancellable, GError **error)
{
  g_auto (SegueRun) run = { 0 };
  g_autoptr (GDateTime) started = g_date_time_new_now_utc ();
  g_autoptr (GTimer) timer = g_timer_new ();
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) closing = NULL;
  SegueRunOptions given = { 0 };
  memcpy (&given, options, MIN (options->struct_size, sizeof given));

  segue_run_init (&run, pipeline, &given, cancellable);
  gboolean ok = open_run (&run, &given, &failure) && segue_executor_run (&run, &failure);
  if (run.journal)
    tidy_cache (&run);
  if (run.journal && !close_run (&run, failure, started, g_timer_elapsed (timer, NULL), &closing) &&
      ok) {
    ok = FALSE;
    failure = g_steal_pointer (&closing);
  }
  segue_run_fill_result (&run, result);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&failure));
  return ok;
}
