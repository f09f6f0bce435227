/* A chain in a run: its songs through the workers, what they came to, and why. */
#include "chain-memory.h"
#include "key.h"
#include "run-private.h"

static SegueStageRun *
stage_at (SegueRun *run, guint index)
{
  return &run->stages[index];
}

/* The preparation of what comes out of @chain, as JSON text. */
static char *
extend_preparation (SegueRun *run, GArray *chain, const char *before)
{
  GString *text = g_string_new (before && *before ? before : "[]");
  g_string_truncate (text, text->len - 1);
  for (guint i = 0; i < chain->len; i++) {
    const SegueGraphStage *stage = stage_at (run, g_array_index (chain, guint, i))->stage;
    if (stage->type->flags & SEGUE_STAGE_PREPARE)
      g_string_append_printf (text, "%s{\"use\":\"%s\",\"result_version\":%u,\"with\":%s}",
                              text->len > 1 ? "," : "", stage->type->name,
                              stage->type->result_version, stage->canonical);
  }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

/* A chain at work, for the callbacks of its songs. */
typedef struct {
  SegueRun *run;
  GArray *chain;
  const char *name;
  SegueStageRun *first;
  SegueChainMemory *memory;
  GError *first_failure;
  guint n_failed;
} ChainRun;

/* Notes what went in, and where nothing came from the store, why. */
static void
explain_song (ChainRun *at, const char *id, const SegueSong *song)
{
  if (!song->input_key)
    return;
  if (!song->cached) {
    g_autofree char *reason = song->problem
                                ? g_strdup ("its record was damaged")
                                : segue_chain_memory_explain (at->memory, id, song->input_key);
    segue_counts_add (at->first->anew, 0, reason, 1);
  }
  segue_chain_memory_note (at->memory, id, song->input_key);
}

static void
log_reasons (ChainRun *at)
{
  g_autoptr (GArray) reasons = segue_counts_list (at->first->anew);
  for (guint i = 0; i < reasons->len; i++) {
    const SegueCount *reason = &g_array_index (reasons, SegueCount, i);
    segue_run_log (at->run, at->name, G_LOG_LEVEL_DEBUG, "%" G_GINT64_FORMAT " made anew: %s",
                   reason->n, reason->name);
  }
}

static void
song_done (gpointer data, const char *id, SegueSong *song)
{
  ChainRun *at = data;
  SegueRun *run = at->run;
  at->first->n_songs++;
  at->first->n_cached += song->cached && song->entries;
  g_hash_table_add (run->songs, g_strdup (id));
  if (!song->cached || !song->entries)
    g_hash_table_add (run->missed, g_strdup (id));
  for (guint i = 0; song->counts && i < song->counts->len; i++) {
    const SegueCount *count = &g_array_index (song->counts, SegueCount, i);
    if (count->stage < at->chain->len)
      segue_counts_add (run->counts, g_array_index (at->chain, guint, count->stage), count->name,
                        count->n);
  }
  explain_song (at, id, song);
  if (song->problem)
    segue_run_log (run, at->name, G_LOG_LEVEL_WARNING, "%s: made anew: %s", id, song->problem);
  if (!song->error || !segue_error_is_about_item (song->error))
    return;
  const SegueGraphStage *stage = song->failed ? song->failed : at->first->stage;
  segue_run_quarantine (run, stage->id, id, song->error);
  at->n_failed++;
  if (!at->first_failure)
    at->first_failure = g_error_copy (song->error);
}

static void
chain_progress (gpointer data, guint done, guint total)
{
  ChainRun *at = data;
  segue_run_progress (at->run, at->name, done, total, NULL);
}

/* Nothing left to go on with: say why here, rather than let a later stage wonder. */
static gboolean
check_any_left (ChainRun *at, GError **error)
{
  if (at->n_failed == 0 || at->n_failed < at->first->n_songs)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "none of the %u songs can be used; the first: %s", at->n_failed,
               at->first_failure->message);
  return FALSE;
}

static guint
remaining_failures (SegueRun *run)
{
  guint limit = run->pipeline->fail_on_error ? 0 : run->pipeline->max_failures;
  return limit == G_MAXUINT ? G_MAXUINT : limit - MIN (limit, run->quarantined->len);
}

gboolean
segue_executor_run_chain (SegueRun *run, GArray *chain, const char *name, GError **error)
{
  g_autofree const SegueGraphStage **stages = g_new0 (const SegueGraphStage *, chain->len);
  g_autofree const char **ids = g_new0 (const char *, chain->len + 1);
  g_auto (GStrv) components = g_new0 (char *, chain->len + 1);
  SegueStageRun *first = stage_at (run, g_array_index (chain, guint, 0));
  SegueStageRun *last = stage_at (run, g_array_index (chain, guint, chain->len - 1));
  for (guint i = 0; i < chain->len; i++) {
    SegueStageRun *at = stage_at (run, g_array_index (chain, guint, i));
    stages[i] = at->stage;
    ids[i] = at->stage->id;
    components[i] = segue_key_component (at->stage, run->scope.seed);
    at->key = segue_key_join (i > 0 ? stage_at (run, g_array_index (chain, guint, i - 1))->key : "",
                              components[i]);
  }
  segue_run_connect_inputs (run, first);
  first->anew = segue_counts_new ();
  g_autoptr (SegueChainMemory) memory =
    segue_chain_memory_load (segue_store_get_folder (run->store), run->pipeline->name, name,
                             (const char *const *) components, ids);
  ChainRun state = { .run = run, .chain = chain, .name = name, .first = first, .memory = memory };
  SegueSongsJob job = {
    .plan = { .scope = &run->scope,
              .stages = stages,
              .n_stages = chain->len,
              .components = components,
              .store = run->store },
    .input = first->inputs[0],
    .workers = run->scope.threads,
    .max_failures = remaining_failures (run),
    .data = &state,
    .song_done = song_done,
    .progress = chain_progress,
  };
  segue_run_progress_unit (run, name, "songs");
  g_autoptr (GPtrArray) entries = segue_songs_run (&job, run->cancellable, error);
  gboolean ok = entries && check_any_left (&state, error);
  g_clear_error (&state.first_failure);
  log_reasons (&state);
  if (!ok)
    return FALSE;
  segue_chain_memory_save (memory);
  g_autofree char *preparation =
    extend_preparation (run, chain, segue_dataset_get_preparation (first->inputs[0]));
  segue_run_set_output (last, 0, segue_dataset_new (g_steal_pointer (&entries), preparation));
  return TRUE;
}
