/* A resident model: prepares songs in the calling thread, classifies their segments under a lock. The model is loaded in a
 * separate thread, while the first songs are decoded. */
#include "host/member.h"
#include "host/library-private.h"
#include "host/prediction-cache.h"
#include "host/replay.h"
#include "host/song-prediction.h"
#include "item/item-error.h"
#include "model/model-folder.h"
#include "stage/chain.h"

#include <string.h>

/* How a song is cut for a model whose folder does not specify it. */
#define PLAIN_SEGMENT_SECONDS 10
/* As text, for keys. */
#define PLAIN_CUTTING "whole songs, 10 s"
/* Segments per batch: few, so that the caller gets their results soon; more are not faster. */
#define BATCH 4

/* A way to prepare songs: as in training, or relaxed, for songs that training skips. */
typedef struct {
  SegueReplay *preparation;      /* NULL: there is no such way */
  SeguePredictionCache *answers; /* nullable: no cache */
  GMutex lock;
  GPtrArray *chains; /* SegueChain, idle: one thread uses each at a time */
} Way;

enum { TRAINED, RELAXED, N_WAYS };

struct _SegueMember {
  const SegueScope *scope;
  Way ways[N_WAYS];
  gboolean cut; /* prepared songs are whole: cut them here */
  char *folder;
  SegueModelSpec spec;
  SegueLibrary *library; /* nullable: borrowed */
  guint n_similar;
  GMutex load_lock;
  GThread *loader;      /* NULL: it has ended */
  GError *load_failure; /* why there is no model */
  SegueModelInfo info;
  GMutex model_lock;
  SegueModel *model;
};

static gpointer
load_model (gpointer data)
{
  SegueMember *member = data;
  member->model = segue_model_load (member->scope->registry, member->folder, NULL, NULL,
                                    &member->spec, &member->load_failure);
  member->info.struct_size = sizeof member->info;
  if (member->model)
    segue_model_describe (member->model, &member->info);
  return NULL;
}

static void
begin_to_load (SegueMember *member)
{
  member->loader = g_thread_try_new ("load-model", load_model, member, NULL);
  if (!member->loader)
    load_model (member);
}

gboolean
segue_member_wait (SegueMember *member, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&member->load_lock);
  g_clear_pointer (&member->loader, g_thread_join);
  if (!member->model && error)
    *error = g_error_copy (member->load_failure);
  return member->model != NULL;
}

static SegueReplay *
preparation_for (SegueMember *member, SegueRelax relax, GError **error)
{
  g_auto (SegueModelFolder) content = { 0 };
  if (!segue_model_folder_read (member->folder, &content, error))
    return NULL;
  g_autofree char *shown = g_filename_display_name (member->folder);
  /* A model that was saved without one is treated like a plain folder. */
  member->cut = !content.preparation || g_str_equal (content.preparation, "[]");
  if (!member->cut) {
    g_autofree char *name = g_strconcat (shown, "/segue.json", NULL);
    return segue_replay_new (member->scope->registry, content.preparation, member->folder, name,
                             relax, error);
  }
  if (!segue_member_wait (member, error))
    return NULL;
  if (member->info.rate == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’: the model takes vectors, and its segue.json does not say which stages "
                 "compute them from a song; use the folder `model` of a run",
                 shown);
    return NULL;
  }
  g_autofree char *plain =
    g_strdup_printf ("[{\"use\":\"decode\",\"with\":{\"rate\":%u}}]", member->info.rate);
  return segue_replay_new (member->scope->registry, plain, member->folder, shown, relax, error);
}

SegueMember *
segue_member_new (const SegueScope *scope, const char *folder, const SegueModelSpec *spec,
                  GError **error)
{
  g_autoptr (SegueMember) member = g_new0 (SegueMember, 1);
  g_mutex_init (&member->load_lock);
  g_mutex_init (&member->model_lock);
  for (guint i = 0; i < N_WAYS; i++) {
    g_mutex_init (&member->ways[i].lock);
    member->ways[i].chains = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_chain_free);
  }
  member->scope = scope;
  member->folder = g_strdup (folder);
  member->spec = *spec;
  begin_to_load (member);
  member->ways[TRAINED].preparation = preparation_for (member, SEGUE_RELAX_NOTHING, error);
  return member->ways[TRAINED].preparation ? g_steal_pointer (&member) : NULL;
}

gboolean
segue_member_relax (SegueMember *member, gboolean damaged, GError **error)
{
  SegueReplay *preparation =
    preparation_for (member, damaged ? SEGUE_RELAX_DAMAGED : SEGUE_RELAX_SIZE, error);
  if (!preparation)
    return FALSE;
  /* If nothing can be relaxed, a second attempt would fail like the first. */
  if (preparation->relaxed)
    member->ways[RELAXED].preparation = preparation;
  else
    segue_replay_free (preparation);
  return TRUE;
}

static void
way_clear (Way *way)
{
  g_clear_pointer (&way->answers, segue_prediction_cache_free);
  g_clear_pointer (&way->chains, g_ptr_array_unref); /* before the stages that they run */
  g_clear_pointer (&way->preparation, segue_replay_free);
  g_mutex_clear (&way->lock);
}

void
segue_member_free (SegueMember *member)
{
  if (!member)
    return;
  segue_member_wait (member, NULL);
  g_clear_error (&member->load_failure);
  for (guint i = 0; i < N_WAYS; i++)
    way_clear (&member->ways[i]);
  g_clear_pointer (&member->model, segue_model_free);
  g_free (member->folder);
  g_mutex_clear (&member->load_lock);
  g_mutex_clear (&member->model_lock);
  g_free (member);
}

static gboolean
open_answers (SegueMember *member, Way *way, const char *folder, GError **error)
{
  const SeguePredictionCacheOf of = { .registry = member->scope->registry,
                                      .model = member->folder,
                                      .precision = member->spec.precision,
                                      .preparation = way->preparation,
                                      .cutting = member->cut ? PLAIN_CUTTING : "-" };
  g_clear_pointer (&way->answers, segue_prediction_cache_free);
  way->answers = way->preparation ? segue_prediction_cache_open (folder, &of, error) : NULL;
  return way->answers || !way->preparation;
}

gboolean
segue_member_use_cache (SegueMember *member, const char *folder, GError **error)
{
  for (guint i = 0; i < N_WAYS; i++)
    if (!open_answers (member, &member->ways[i], folder, error))
      return FALSE;
  return TRUE;
}

gboolean
segue_member_use_library (SegueMember *member, SegueLibrary *library, guint n, GError **error)
{
  if (member->cut) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                         "the model's folder does not say how its songs were prepared");
    return FALSE;
  }
  gboolean follows = segue_library_follow (library, member->ways[TRAINED].preparation, error);
  member->library = follows ? library : NULL;
  member->n_similar = n;
  return follows;
}

char *
segue_member_get_warning (SegueMember *member)
{
  char *warning = NULL;
  for (guint i = 0; !warning && i < N_WAYS; i++)
    if (member->ways[i].answers)
      warning = segue_prediction_cache_get_warning (member->ways[i].answers);
  if (!warning)
    warning = g_strdup (member->info.notice);
  return warning ? warning : g_strdup (member->ways[TRAINED].preparation->warning);
}

const SegueModelInfo *
segue_member_get_info (const SegueMember *member)
{
  return &member->info;
}

GPtrArray *
segue_member_get_relaxed (const SegueMember *member)
{
  const SegueReplay *relaxed = member->ways[RELAXED].preparation;
  return relaxed ? relaxed->stages : NULL;
}

static SegueChain *
take_chain (SegueMember *member, Way *way)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&way->lock);
  if (way->chains->len > 0)
    return g_ptr_array_steal_index_fast (way->chains, way->chains->len - 1);
  const GPtrArray *stages = way->preparation->stages;
  return segue_chain_new (member->scope, (const SegueGraphStage *const *) stages->pdata,
                          stages->len);
}

/* After a failure of the environment an instance may be in any state: the next song gets a new one. */
static void
give_chain_back (Way *way, SegueChain *chain, const GError *error)
{
  if (error && !segue_error_is_about_item (error)) {
    segue_chain_free (chain);
    return;
  }
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&way->lock);
  g_ptr_array_add (way->chains, chain);
}

/* Segments side by side over the whole song; the last one ends where the song ends. */
static GPtrArray *
cut_song (SegueItem *song)
{
  GPtrArray *segments = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  guint rate = segue_item_get_rate (song), channels = segue_item_get_channels (song);
  gsize n_frames, length = (gsize) PLAIN_SEGMENT_SECONDS * rate, frame = channels * sizeof (float);
  segue_item_get_frames (song, &n_frames);
  length = MIN (length, n_frames);
  double begin = segue_item_get_double (song, SEGUE_META_START, 0);

  for (gsize first = 0; length > 0 && first < n_frames; first += length) {
    gsize at = MIN (first, n_frames - length);
    g_autofree char *suffix = g_strdup_printf ("%04u", segments->len);
    g_autoptr (GBytes) frames =
      g_bytes_new_from_bytes (segue_item_get_bytes (song), at * frame, length * frame);
    SegueItem *segment = segue_item_new_audio (song, suffix, frames, rate, channels);
    segue_item_set_double (segment, SEGUE_META_START, begin + (double) at / rate);
    segue_item_set_double (segment, SEGUE_META_DURATION, (double) length / rate);
    g_ptr_array_add (segments, segment);
  }
  return segments;
}

/* The song's segments, in order; at least one. */
static GPtrArray *
prepare (SegueMember *member, Way *way, const SegueSongFile *song, GCancellable *cancellable,
         GError **error)
{
  GError *local = NULL;
  SegueChain *chain = take_chain (member, way);
  g_autoptr (GPtrArray) items =
    song->fd < 0 ? segue_chain_carry_file (chain, song->path, cancellable, &local)
                 : segue_chain_carry_fd (chain, song->fd, song->path, cancellable, &local);
  give_chain_back (way, chain, local);
  if (!items) {
    g_propagate_error (error, local);
    return NULL;
  }
  if (member->cut && items->len == 1) {
    g_autoptr (GPtrArray) whole = g_steal_pointer (&items);
    items = cut_song (g_ptr_array_index (whole, 0));
  }
  if (items->len > 0)
    return g_steal_pointer (&items);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "too short: no segment remains after preprocessing");
  return NULL;
}

static gsize
count_bytes (const SegueItem *item)
{
  return g_bytes_get_size (segue_item_get_bytes (item));
}

/* Of a segment that does not know it, in s. */
static double
measure_duration (const SegueItem *item)
{
  gsize n_frames = 0;
  if (segue_item_get_kind (item) != SEGUE_KIND_AUDIO)
    return 0;
  segue_item_get_frames (item, &n_frames);
  return (double) n_frames / segue_item_get_rate (item);
}

/* How many segments from @first on are of one length, as the model requires. */
static guint
batch_at (GPtrArray *items, guint first)
{
  gsize length = count_bytes (g_ptr_array_index (items, first));
  guint n = 1;
  while (n < BATCH && first + n < items->len &&
         count_bytes (g_ptr_array_index (items, first + n)) == length)
    n++;
  return n;
}

/* The model serves one song at a time, so that its answer is complete as soon as possible. */
static gboolean
infer (SegueMember *member, GPtrArray *items, SegueSongPrediction *prediction,
       const SegueObserver *observer, GCancellable *cancellable, GError **error)
{
  gsize n_axes = member->info.n_axes;
  g_autofree float *points = n_axes > 0 ? g_try_new (float, items->len *n_axes) : NULL;
  if (n_axes > 0 && !points) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory for %u segments",
                 items->len);
    return FALSE;
  }
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&member->model_lock);
  for (guint first = 0, n; first < items->len; first += n) {
    n = batch_at (items, first);
    if (!segue_model_predict (member->model, (SegueItem **) items->pdata + first, n,
                              prediction->segments[first].probabilities,
                              points ? points + first * n_axes : NULL, cancellable, error))
      return FALSE;
    if (observer->predicted)
      observer->predicted (prediction, first + n, observer->data);
  }
  prediction->distance = segue_model_measure_distance (&member->info, points, items->len);
  return TRUE;
}

static gboolean
find_similar (SegueMember *member, GPtrArray *items, SegueSongPrediction *prediction,
              GCancellable *cancellable, GError **error)
{
  if (member->library)
    prediction->similar =
      segue_library_find_training (member->library, items, member->n_similar, cancellable, error);
  return !member->library || prediction->similar;
}

static SegueSongPrediction *
prediction_new (GPtrArray *items, guint n_labels, GError **error)
{
  SegueSongPrediction *prediction = segue_song_prediction_new (items->len, n_labels, error);
  for (guint i = 0; prediction && i < items->len; i++) {
    const SegueItem *item = g_ptr_array_index (items, i);
    prediction->segments[i].start = segue_item_get_double (item, SEGUE_META_START, 0);
    prediction->segments[i].duration =
      segue_item_get_double (item, SEGUE_META_DURATION, measure_duration (item));
  }
  return prediction;
}

/* (nullable): the cache for answers about @song: none for an open file without a path. */
static SeguePredictionCache *
answers_of (const Way *way, const SegueSongFile *song)
{
  return song->fd < 0 ? way->answers : NULL;
}

/* Prepares the song, and if that fails, retries once: decoders can't always distinguish a bad file
 * from a lack of memory, but an error in a song's bytes occurs a second time.
 * @is_fact: (out): whether it did, with the same message */
static GPtrArray *
prepare_surely (SegueMember *member, Way *way, const SegueSongFile *song, gboolean *is_fact,
                GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) first = NULL, second = NULL;
  GPtrArray *items = prepare (member, way, song, cancellable, &first);
  *is_fact = FALSE;
  if (answers_of (way, song) && segue_error_is_lasting (first)) {
    items = prepare (member, way, song, cancellable, &second);
    *is_fact = segue_error_is_lasting (second) && strcmp (first->message, second->message) == 0;
  }
  if (!items)
    g_propagate_error (error, second ? g_steal_pointer (&second) : g_steal_pointer (&first));
  return items;
}

/* Asks the model, and stores its answer at @place. */
static SegueSongPrediction *
ask (SegueMember *member, Way *way, const SegueSongFile *song, const SegueCachedPrediction *place,
     const SegueObserver *observer, GCancellable *cancellable, GError **error)
{
  gboolean is_fact;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) items = prepare_surely (member, way, song, &is_fact, cancellable, &failure);
  SeguePredictionCache *answers = answers_of (way, song);
  if (is_fact && !segue_prediction_cache_keep (answers, song->path, place, NULL, failure, error))
    return NULL;
  if (!items) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  if (!segue_member_wait (member, error))
    return NULL;
  g_autoptr (SegueSongPrediction) prediction = prediction_new (items, member->info.n_labels, error);
  if (!prediction || !infer (member, items, prediction, observer, cancellable, error) ||
      !find_similar (member, items, prediction, cancellable, error))
    return NULL;
  if (answers && !segue_prediction_cache_keep (answers, song->path, place, prediction, NULL, error))
    return NULL;
  return g_steal_pointer (&prediction);
}

/* The cached answer; %NULL without an error: there is none. */
static SegueSongPrediction *
recall (SegueMember *member, Way *way, const SegueSongFile *song, SegueCachedPrediction *place,
        const SegueObserver *observer, GCancellable *cancellable, GError **error)
{
  SeguePredictionCache *answers = answers_of (way, song);
  if (!answers)
    return NULL;
  g_autoptr (SegueSongPrediction) prediction =
    segue_prediction_cache_find (answers, song->path, place, cancellable, error);
  if (!prediction || !segue_member_wait (member, error) ||
      prediction->n_labels != member->info.n_labels)
    return NULL;
  prediction->cached = TRUE;
  if (observer->predicted)
    observer->predicted (prediction, prediction->n_segments, observer->data);
  return g_steal_pointer (&prediction);
}

/* The segments' probabilities, for the song as prepared by @way. */
static SegueSongPrediction *
answer (SegueMember *member, Way *way, const SegueSongFile *song, const SegueObserver *observer,
        GCancellable *cancellable, GError **error)
{
  g_auto (SegueCachedPrediction) place = { 0 };
  g_autoptr (GError) local = NULL;
  SegueSongPrediction *prediction =
    recall (member, way, song, &place, observer, cancellable, &local);
  if (!prediction && !local)
    prediction = ask (member, way, song, &place, observer, cancellable, &local);
  if (!prediction)
    g_propagate_error (error, g_steal_pointer (&local));
  return prediction;
}

SegueSongPrediction *
segue_member_answer (SegueMember *member, const SegueSongFile *song, const SegueObserver *observer,
                     GError **refusal, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) first = NULL, second = NULL;
  Way *relaxed = &member->ways[RELAXED];
  SegueSongPrediction *prediction =
    answer (member, &member->ways[TRAINED], song, observer, cancellable, &first);
  if (g_error_matches (first, SEGUE_ERROR, SEGUE_ERROR_DATA) && relaxed->preparation)
    prediction = answer (member, relaxed, song, observer, cancellable, &second);
  if (prediction)
    *refusal = g_steal_pointer (&first);
  else
    g_propagate_error (error, second ? g_steal_pointer (&second) : g_steal_pointer (&first));
  return prediction;
}
