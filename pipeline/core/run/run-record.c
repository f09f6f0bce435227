/* run.json: a run and its results; timings.json: how long it took. */
#include "base/json.h"
#include "run/run-private.h"

#include <segue/file.h>
#include <string.h>

static void
key_uint (SegueJson *json, const char *key, guint64 value)
{
  segue_json_key (json, key);
  segue_json_uint (json, value);
}

void
segue_run_write_counters (SegueJson *json, SegueRun *run, guint stage)
{
  g_autoptr (GArray) counts = segue_counts_list (run->counts);
  segue_json_key_open (json, "counters", '{');
  for (guint i = 0; i < counts->len; i++) {
    const SegueCount *count = &g_array_index (counts, SegueCount, i);
    if (count->stage != stage)
      continue;
    segue_json_key (json, count->name);
    segue_json_int (json, count->n);
  }
  segue_json_close (json, '{');
}

/* Whether it came from the store, and why not; of a chain, in its first stage, by song. A live
 * stage has no separate result. */
static void
write_origin (SegueJson *json, SegueRun *run, const SegueStageRun *at)
{
  if (at->step == SEGUE_NOT_CONNECTED)
    return;
  const SegueRunStep *step = &g_array_index (run->steps, SegueRunStep, at->step);
  segue_json_key (json, "cached");
  segue_json_bool (json, run->stages[g_array_index (step->stages, guint, 0)].cached);
  segue_json_key_string (json, "why", at->why);
  if (!at->computed)
    return;
  key_uint (json, "songs", at->n_songs);
  key_uint (json, "songs_cached", at->n_cached);
  g_autoptr (GArray) reasons = segue_counts_list (at->computed);
  segue_json_key_open (json, "computed", '{');
  for (guint i = 0; i < reasons->len; i++) {
    const SegueCount *reason = &g_array_index (reasons, SegueCount, i);
    segue_json_key (json, reason->name);
    segue_json_int (json, reason->n);
  }
  segue_json_close (json, '{');
}

static void
write_stages (SegueJson *json, SegueRun *run)
{
  segue_json_key_open (json, "stages", '[');
  for (guint i = 0; i < run->n_stages; i++) {
    const SegueStageRun *at = &run->stages[i];
    segue_json_open (json, '{');
    segue_json_key_string (json, "id", at->stage->id);
    segue_json_key (json, "finished");
    segue_json_bool (json, at->done);
    segue_json_key_string (json, "key", at->key);
    segue_json_key_open (json, "items", '{');
    for (guint j = 0; at->done && j < at->stage->n_outputs; j++)
      key_uint (json, at->stage->type->outputs[j]->name, at->n_outputs[j]);
    segue_json_close (json, '{');
    segue_run_write_counters (json, run, i);
    write_origin (json, run, at);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '[');
}

static int
compare_quarantined (gconstpointer a, gconstpointer b)
{
  const SegueQuarantined *one = *(const SegueQuarantined *const *) a;
  const SegueQuarantined *other = *(const SegueQuarantined *const *) b;
  int order = strcmp (one->id, other->id);
  return order != 0 ? order : strcmp (one->stage, other->stage);
}

void
segue_run_write_quarantined (SegueJson *json, SegueRun *run)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  for (guint i = 0; i < run->quarantined->len; i++)
    g_ptr_array_add (sorted, &g_array_index (run->quarantined, SegueQuarantined, i));
  g_ptr_array_sort (sorted, compare_quarantined);
  segue_json_key_open (json, "quarantined", '[');
  for (guint i = 0; i < sorted->len; i++) {
    const SegueQuarantined *item = g_ptr_array_index (sorted, i);
    segue_json_open (json, '{');
    segue_json_key_string (json, "stage", item->stage);
    segue_json_key_string (json, "id", item->id);
    segue_json_key_string (json, "reason", item->reason);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '[');
}

static gboolean
write_file (SegueRun *run, const char *name, SegueJson *json, GError **error)
{
  g_autofree char *text = segue_json_finish (json);
  g_autofree char *path = g_build_filename (run->folder, name, NULL);
  return segue_file_write (path, text, -1, error);
}

gboolean
segue_run_write_record (SegueRun *run, const char *state, const GError *failure, GError **error)
{
  SegueJson json;
  g_autofree char *pipeline = segue_pipeline_describe (run->pipeline);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
  segue_json_init (&json, TRUE);
  segue_json_open (&json, '{');
  segue_json_key_string (&json, "segue", SEGUE_VERSION);
  segue_json_key_string (&json, "name", run->pipeline->name);
  segue_json_key_string (&json, "id", run->id);
  segue_json_key_string (&json, "state", state);
  segue_json_key_string (&json, "error", failure ? failure->message : NULL);
  key_uint (&json, "seed", run->scope.seed);
  segue_json_key_open (&json, "counts", '{');
  key_uint (&json, "songs", run->n_sources);
  key_uint (&json, "cached", g_hash_table_size (run->songs) - g_hash_table_size (run->missed));
  key_uint (&json, "failed", run->quarantined->len);
  segue_json_key (&json, "ignored");
  segue_json_int (&json, segue_counts_get (run->counts, "ignored files"));
  segue_json_close (&json, '{');
  write_stages (&json, run);
  segue_run_write_quarantined (&json, run);
  segue_json_key (&json, "pipeline");
  segue_json_raw (&json, pipeline);
  segue_json_close (&json, '{');
  return write_file (run, "run.json", &json, error);
}

gboolean
segue_run_write_timings (SegueRun *run, GDateTime *started, double seconds, GError **error)
{
  SegueJson json;
  g_autofree char *time = g_date_time_format (started, "%Y-%m-%dT%H:%M:%SZ");
  segue_json_init (&json, TRUE);
  segue_json_open (&json, '{');
  segue_json_key_string (&json, "started", time);
  segue_json_key (&json, "seconds");
  segue_json_double (&json, seconds);
  key_uint (&json, "workers", run->scope.threads);
  segue_json_key_open (&json, "stages", '[');
  for (guint i = 0; i < run->steps->len; i++) {
    const SegueRunStep *step = &g_array_index (run->steps, SegueRunStep, i);
    if (!step->done)
      continue;
    segue_json_open (&json, '{');
    segue_json_key_string (&json, "stage", step->name);
    segue_json_key (&json, "seconds");
    segue_json_double (&json, step->seconds);
    segue_json_close (&json, '{');
  }
  segue_json_close (&json, '[');
  segue_json_close (&json, '{');
  return write_file (run, "timings.json", &json, error);
}
