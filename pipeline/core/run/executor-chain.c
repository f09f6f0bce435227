/* A chain in a run: its songs through the workers, their results, and the reasons. */
#include "base/sha256.h"
#include "model/preparation.h"
#include "params/params.h"
#include "run/run-private.h"
#include "run/step-state.h"
#include "store/key.h"

static SegueStageRun *
stage_at (SegueRun *run, guint index)
{
  return &run->stages[index];
}

/* SegueParamContentFunc: @path as a model folder refers to it, noted in the files @data. */
static char *
refer_to_file (const SegueParam *row, const char *path, gpointer data, GError **error)
{
  GPtrArray *files = data;
  char *resolved =
    row->type == SEGUE_PARAM_MODEL_REF ? segue_model_ref_resolve (path, error) : g_strdup (path);
  if (!resolved)
    return NULL;
  g_ptr_array_add (files, resolved);
  return g_strdup_printf ("./" SEGUE_PREPARATION_FOLDER "/%u", files->len - 1);
}

/* Appends @stage to the list @text, with the @files that its parameters name. */
static gboolean
append_stage (GString *text, GPtrArray *files, const SegueGraphStage *stage, GError **error)
{
  g_autofree char *with =
    segue_params_portable (stage->type->params, stage->config, refer_to_file, files, error);
  if (!with)
    return FALSE;
  g_string_append_printf (text, "%s{\"use\":\"%s\",\"result_version\":%u,\"with\":%s",
                          text->len > 1 ? "," : "", stage->type->name, stage->type->result_version,
                          with);
  if (stage->decoders && stage->decoders->len > 0)
    g_string_append_printf (text, ",\"decoder\":\"%s\"", segue_graph_stage_first_decoder (stage));
  g_string_append_c (text, '}');
  return TRUE;
}

/* (transfer full): the preparation of the output of @chain, whose input has @before. */
static SeguePreparation *
extend_preparation (SegueRun *run, GArray *chain, SeguePreparation *before, GError **error)
{
  g_autoptr (GString) text = g_string_new (segue_preparation_get_stages (before));
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  const GPtrArray *earlier = segue_preparation_get_files (before);
  for (guint i = 0; earlier && i < earlier->len; i++)
    g_ptr_array_add (files, g_strdup (g_ptr_array_index (earlier, i)));
  g_string_truncate (text, text->len - 1);
  for (guint i = 0; i < chain->len; i++) {
    const SegueGraphStage *stage = stage_at (run, g_array_index (chain, guint, i))->stage;
    if (stage->type->flags & SEGUE_STAGE_PREPARE && !append_stage (text, files, stage, error))
      return NULL;
  }
  g_string_append_c (text, ']');
  return segue_preparation_new (text->str, files);
}

/* A running chain, for the callbacks of its songs. */
typedef struct {
  SegueRun *run;
  GArray *chain;
  const char *name;
  SegueChainSongMode mode;
  gboolean quiet; /* only counts what is missing */
  SegueStageRun *first;
  SegueStepState *state;
  GError *first_failure;
  guint n_failed, n_missed;
} ChainRun;

/* The stage before the @changed one whose output is worth caching: one that reads files of any
 * kind. NULL: there is none. */
static const SegueGraphStage *
find_worth_keeping (const ChainRun *at, guint changed)
{
  const SegueGraphStage *found = NULL;
  for (guint i = 0; i < MIN (changed, at->chain->len); i++) {
    const SegueGraphStage *stage = stage_at (at->run, g_array_index (at->chain, guint, i))->stage;
    found = stage->type->flags & SEGUE_STAGE_ISOLATE ? stage : found;
  }
  return found;
}

/* For dry runs: @reason, with advice if songs are decoded again only because a later stage
 * changed. */
static char *
advise_keeping (const ChainRun *at, const char *reason)
{
  guint changed = 0;
  const char *what = segue_step_state_get_change (at->state, &changed);
  const SegueGraphStage *stage =
    what && g_str_equal (what, reason) ? find_worth_keeping (at, changed) : NULL;
  if (!stage)
    return g_strdup (reason);
  const SegueFormat *format = &stage->formats[0];
  gboolean known = format->rate > 0 && format->rate < SEGUE_FORMAT_SAME && format->channels > 0 &&
                   format->channels < SEGUE_FORMAT_SAME;
  double bytes = known ? sizeof (float) * 60.0 * format->rate * format->channels : 0;
  g_autofree char *cost =
    known ? g_strdup_printf (" (%.1f MiB per minute)", bytes / (1024 * 1024)) : g_strdup ("");
  return g_strdup_printf (
    "%s; '%s' runs again after each such change, unless --set %s.cache=true caches its output%s",
    reason, stage->id, stage->id, cost);
}

static char *
find_reason (const ChainRun *at, const char *id, const SegueChainSong *song)
{
  if (song->problem)
    return g_strdup ("its record was damaged");
  if (at->mode == SEGUE_SONG_FRESH)
    return g_strdup ("--fresh was given");
  g_autofree char *reason = segue_step_state_explain_song (at->state, id, song->input_key);
  return at->mode == SEGUE_SONG_LOOK ? advise_keeping (at, reason) : g_steal_pointer (&reason);
}

/* Notes the song's input, and on a cache miss, the reason. */
static void
explain_song (ChainRun *at, const char *id, const SegueChainSong *song)
{
  if (!song->input_key)
    return;
  if (!song->cached) {
    g_autofree char *reason = find_reason (at, id, song);
    segue_counts_add (at->first->computed, 0, reason, 1);
  }
  segue_step_state_note (at->state, id, song->input_key);
}

static void
log_reasons (ChainRun *at)
{
  g_autoptr (GArray) reasons = segue_counts_list (at->first->computed);
  for (guint i = 0; i < reasons->len; i++) {
    const SegueCount *reason = &g_array_index (reasons, SegueCount, i);
    segue_run_log (at->run, at->name, G_LOG_LEVEL_DEBUG, "%" G_GINT64_FORMAT " recomputed: %s",
                   reason->n, reason->name);
  }
}

static void
count (ChainRun *at, guint stage, const char *name, gint64 n)
{
  const SegueGraphStage *counting = at->run->stages[g_array_index (at->chain, guint, stage)].stage;
  segue_run_tell (at->run, SEGUE_EVENT (COUNT, counting->id, .text = name, .n = n));
}

/* Counts a song's results: once, whether or not its payload is checked later. */
static void
count_song (ChainRun *at, const char *id, const SegueChainSong *song)
{
  SegueRun *run = at->run;
  at->first->n_songs++;
  at->first->n_cached += song->cached && song->entries;
  g_hash_table_add (run->songs, g_strdup (id));
  if (!song->cached || !song->entries)
    g_hash_table_add (run->missed, g_strdup (id));
  for (guint i = 0; song->counts && i < song->counts->len; i++) {
    const SegueCount *counted = &g_array_index (song->counts, SegueCount, i);
    if (counted->stage < at->chain->len)
      count (at, counted->stage, counted->name, counted->n);
  }
  /* Its stages have reported why; this counts that no item is left. */
  if (song->entries && song->entries->len == 0)
    count (at, at->chain->len - 1, "songs with no items left", 1);
  explain_song (at, id, song);
}

static void
count_failure (ChainRun *at, const char *id, const SegueChainSong *song)
{
  if (!song->error || !segue_error_is_about_item (song->error))
    return;
  const SegueGraphStage *stage = song->failed ? song->failed : at->first->stage;
  segue_run_tell (at->run, SEGUE_EVENT (ITEM_FAILED, stage->id, .text = id, .error = song->error));
  at->n_failed++;
  if (!at->first_failure)
    at->first_failure = g_error_copy (song->error);
}

/* A song whose header looked good before: only what differs is counted. */
static void
recount_song (ChainRun *at, const char *id, const SegueChainSong *song)
{
  if (song->cached)
    return;
  at->first->n_cached--;
  at->first->cached = FALSE;
  g_hash_table_add (at->run->missed, g_strdup (id));
  explain_song (at, id, song);
  if (song->error && !at->first_failure)
    at->first_failure = g_error_copy (song->error);
}

static void
song_done (gpointer data, const char *id, SegueChainSong *song)
{
  ChainRun *at = data;
  /* A song that can't be read is not computed; one that failed before comes from the store. */
  at->n_missed += !song->cached && song->input_key;
  if (at->quiet)
    return;
  if (at->mode == SEGUE_SONG_CHECK)
    recount_song (at, id, song);
  else
    count_song (at, id, song);
  if (song->problem)
    segue_run_log (at->run, at->name, G_LOG_LEVEL_WARNING, "%s: recomputed: %s", id, song->problem);
  if (at->mode != SEGUE_SONG_CHECK)
    count_failure (at, id, song);
}

static void
chain_progress (gpointer data, guint done, guint total)
{
  ChainRun *at = data;
  if (!at->quiet && at->mode != SEGUE_SONG_CHECK)
    segue_run_tell (at->run, SEGUE_EVENT (PROGRESS, at->name, .done = done, .total = total));
}

/* If no song is left: fails here with the reason, rather than in a later stage. */
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

/* The stages of a chain, their keys, and what was recorded at the last run. */
typedef struct {
  const SegueGraphStage **stages;
  GStrv components;
  SegueStepState *state;
} ChainParts;

static void
clear_parts (ChainParts *parts)
{
  g_free (parts->stages);
  g_strfreev (parts->components);
  segue_step_state_free (parts->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ChainParts, clear_parts)

static gboolean
find_parts (SegueRun *run, const SegueRunStep *step, ChainParts *parts, GError **error)
{
  GArray *chain = step->stages;
  g_autofree const char **ids = g_new0 (const char *, chain->len + 1);
  parts->stages = g_new0 (const SegueGraphStage *, chain->len);
  parts->components = g_new0 (char *, chain->len + 1);
  for (guint i = 0; i < chain->len; i++) {
    SegueStageRun *at = stage_at (run, g_array_index (chain, guint, i));
    parts->stages[i] = at->stage;
    ids[i] = at->stage->id;
    parts->components[i] = segue_key_component (at->stage, &run->keys, error);
    if (!parts->components[i])
      return FALSE;
    const char *before = i > 0 ? stage_at (run, g_array_index (chain, guint, i - 1))->key : "";
    g_free (at->key);
    at->key = segue_sha256_join (before, parts->components[i]);
  }
  parts->state = segue_step_state_load (segue_store_get_folder (run->store), run->pipeline->name,
                                        step->name, (const char *const *) parts->components, ids);
  return TRUE;
}

static gboolean
finish_chain (ChainRun *at, SegueStageRun *last, GPtrArray *entries, GError **error)
{
  g_autoptr (SeguePreparation) preparation = NULL;
  if (check_any_left (at, error))
    preparation = extend_preparation (at->run, at->chain,
                                      segue_dataset_get_preparation (at->first->inputs[0]), error);
  if (!preparation) {
    g_ptr_array_unref (entries);
    return FALSE;
  }
  segue_run_set_output (last, 0, segue_dataset_new (entries, preparation));
  at->first->cached = at->n_missed == 0;
  return TRUE;
}

/* @at: all but what is set here; @entries: see segue_chain_songs_run(). */
static gboolean
run_songs (ChainRun *at, const ChainParts *parts, GPtrArray *entries, GError **error)
{
  SegueRun *run = at->run;
  SegueChainSongs job = {
    .plan = { .scope = &run->scope,
              .stages = parts->stages,
              .n_stages = at->chain->len,
              .components = parts->components,
              .store = run->store,
              .mode = at->mode },
    .input = at->first->inputs[0],
    .workers = run->scope.threads,
    .max_failures =
      at->quiet || at->mode == SEGUE_SONG_CHECK ? G_MAXUINT : remaining_failures (run),
    .data = at,
    .song_done = song_done,
    .progress = chain_progress,
  };
  if (!at->quiet && at->mode != SEGUE_SONG_CHECK)
    segue_run_tell (run, SEGUE_EVENT (PROGRESS_UNIT, at->name, .text = "songs"));
  return segue_chain_songs_run (&job, entries, run->cancellable, error);
}

gboolean
segue_executor_probe_chain (SegueRun *run, SegueRunStep *step, gboolean *complete, GError **error)
{
  g_auto (ChainParts) parts = { 0 };
  SegueStageRun *first = stage_at (run, g_array_index (step->stages, guint, 0));
  ChainRun state = { .run = run,
                     .chain = step->stages,
                     .name = step->name,
                     .mode = SEGUE_SONG_LOOK,
                     .quiet = TRUE,
                     .first = first };
  if (!segue_run_connect_inputs (run, first) || !find_parts (run, step, &parts, error))
    return FALSE;
  gboolean ok = run_songs (&state, &parts, NULL, error);
  *complete = state.n_missed == 0;
  return ok;
}

/* Only songs with output from the chain have payloads to check. */
static void
leave_out_failed (SegueStageRun *first, SegueDataset *output)
{
  g_autoptr (GHashTable) songs = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < segue_dataset_get_length (output); i++)
    g_hash_table_add (songs, segue_dataset_get_entry (output, i)->body->song);
  g_autoptr (SegueDataset) all = g_steal_pointer (&first->inputs[0]);
  for (guint i = 0; i < segue_dataset_get_length (all); i++) {
    SegueItem *entry = segue_dataset_get_entry (all, i);
    if (g_hash_table_contains (songs, entry->body->song))
      g_ptr_array_add (entries, segue_item_ref (entry));
  }
  first->inputs[0] = segue_dataset_with_entries (all, entries);
}

gboolean
segue_executor_check_chain (SegueRun *run, SegueRunStep *step, GError **error)
{
  g_auto (ChainParts) parts = { 0 };
  SegueStageRun *first = stage_at (run, g_array_index (step->stages, guint, 0));
  SegueStageRun *last = stage_at (run, g_array_index (step->stages, guint, step->stages->len - 1));
  if (!segue_run_connect_inputs (run, first) || !find_parts (run, step, &parts, error))
    return FALSE;
  leave_out_failed (first, last->outputs[0]);
  ChainRun state = { .run = run,
                     .chain = step->stages,
                     .name = step->name,
                     .mode = SEGUE_SONG_CHECK,
                     .first = first,
                     .state = parts.state };
  gboolean ok = run_songs (&state, &parts, NULL, error);
  if (state.n_missed > 0)
    log_reasons (&state);
  /* Damaged payloads were recomputed, under the same key: nothing else has changed. */
  step->checked = ok && !state.first_failure;
  if (state.first_failure)
    g_propagate_prefixed_error (error, state.first_failure,
                                "a result in the cache is damaged and can't be recomputed: ");
  return step->checked;
}

gboolean
segue_executor_run_chain (SegueRun *run, SegueRunStep *step, SegueChainSongMode mode,
                          GError **error)
{
  g_auto (ChainParts) parts = { 0 };
  SegueStageRun *first = stage_at (run, g_array_index (step->stages, guint, 0));
  SegueStageRun *last = stage_at (run, g_array_index (step->stages, guint, step->stages->len - 1));
  if (!segue_run_connect_inputs (run, first) || !find_parts (run, step, &parts, error))
    return FALSE;
  first->computed = segue_counts_new ();
  ChainRun state = { .run = run,
                     .chain = step->stages,
                     .name = step->name,
                     .mode = mode,
                     .first = first,
                     .state = parts.state };
  g_autoptr (GPtrArray) entries =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  gboolean ok = run_songs (&state, &parts, entries, error);
  log_reasons (&state);
  if (ok && !(mode == SEGUE_SONG_LOOK && state.n_missed > 0))
    ok = finish_chain (&state, last, g_steal_pointer (&entries), error);
  g_clear_error (&state.first_failure);
  if (ok && mode != SEGUE_SONG_LOOK)
    segue_step_state_save (parts.state);
  return ok;
}
