/* A library, and the search in it: a song is prepared, its segments are projected, and compared with all rows. */
#include "base/file-type.h"
#include "graph/advice.h"
#include "host/library-private.h"
#include "host/library-songs.h"
#include "host/library-vectors.h"
#include "host/replay.h"
#include "isolate/isolated-stage.h"
#include "item/item-error.h"
#include "stage/chain.h"
#include "stage/shared.h"
#include "store/key.h"

#include <errno.h>
#include <math.h>
#include <segue/dataset.h>
#include <segue/json.h>
#include <segue/tensor.h>
#include <string.h>

/* Written by plugins/library. */
#define FORMAT_VERSION 1
#define MAX_SEGMENTS   ((gsize) 1 << 20)
#define MAX_STAGES     64
#define BLOCK          ((gsize) 4096) /* rows that are read at once, at least */
/* Two vectors of one sound differ by rounding. */
#define SAME_SIMILARITY 0.99999
#define SAME_SECONDS    1e-3
/* Rows are of length 1: no product is larger. */
#define MOST 1.01F

struct _SegueLibrary {
  SegueScope scope;
  SegueReplay *replay;
  SegueChain *chain;
  GMutex lock; /* of @rest */
  SegueChain
    *rest;       /* nullable: the stages that follow those of a model: see segue_library_follow() */
  GArray *songs; /* SegueLibraryEntry */
  gsize most;    /* segments of a song, or BLOCK */
  SegueLibraryVectors vectors;
};

/* ---- The folder ---- */

/* library.json. */
typedef struct {
  gsize songs, segments;
  char *preparation; /* JSON */
} Head;

static gboolean
refuse (const char *folder, const char *what, GError **error)
{
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s/library.json’ %s", shown, what);
  return FALSE;
}

static gboolean
parse_head (const json_t *root, const char *folder, Head *head, GError **error)
{
  const json_t *version = json_object_get (root, "segue_library");
  json_t *preparation = json_object_get (root, "preparation");
  json_int_t songs = json_integer_value (json_object_get (root, "songs"));
  json_int_t segments = json_integer_value (json_object_get (root, "segments"));
  if (!json_is_integer (version) || json_integer_value (version) < 1)
    return refuse (folder, "has no format number under \"segue_library\"", error);
  if (json_integer_value (version) > FORMAT_VERSION)
    return refuse (folder, "was written by a newer segue; update to read it", error);
  if (songs < 1 || segments < songs || segments > (json_int_t) MAX_SEGMENTS)
    return refuse (folder, "has wrong numbers of songs and segments", error);
  if (!json_is_array (preparation) || json_array_size (preparation) > MAX_STAGES)
    return refuse (folder, "has no list of stages under \"preparation\"", error);
  head->songs = (gsize) songs;
  head->segments = (gsize) segments;
  head->preparation = segue_json_print (json_incref (preparation), JSON_COMPACT | JSON_SORT_KEYS);
  return TRUE;
}

static gboolean
read_head (const char *folder, Head *head, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "library.json", NULL);
  json_t *root = segue_json_read (path, SEGUE_JSON_SETTINGS, SEGUE_JSON_FLAGS_NONE, NULL, error);
  gboolean ok = root && parse_head (root, folder, head, error);
  json_decref (root);
  return ok;
}

/* @found: (out): whether @folder is a library */
static gboolean
find_head (const char *folder, gboolean *found, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "library.json", NULL);
  mode_t type;
  gboolean ok = segue_file_type (path, &type, error);
  *found = ok && type != 0;
  return ok;
}

/* (transfer full): @given, or its folder `library`. */
static char *
find_folder (const char *given, GError **error)
{
  g_autofree char *inside = g_build_filename (given, "library", NULL);
  gboolean found;
  if (!find_head (inside, &found, error))
    return NULL;
  if (found)
    return g_steal_pointer (&inside);
  if (!find_head (given, &found, error))
    return NULL;
  if (found)
    return g_strdup (given);
  g_autofree char *shown = g_filename_display_name (given);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "there is no library in ‘%s’: neither library.json nor library/library.json; give "
               "the folder of a run whose pipeline has the stage `library`: segue run --preset map "
               "FOLDER",
               shown);
  return NULL;
}

static gboolean
read_preparation (SegueLibrary *library, const char *folder, const Head *head, GError **error)
{
  g_autofree char *shown = g_filename_display_name (folder);
  g_autofree char *name = g_strconcat (shown, "/library.json", NULL);
  library->replay = segue_replay_new (library->scope.registry, head->preparation, folder, name,
                                      SEGUE_RELAX_NOTHING, error);
  if (!library->replay)
    return FALSE;
  const GPtrArray *stages = library->replay->stages;
  library->chain =
    segue_chain_new (&library->scope, (const SegueGraphStage *const *) stages->pdata, stages->len);
  return TRUE;
}

static gboolean
read_songs (SegueLibrary *library, const char *folder, const Head *head, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "songs.jsonl", NULL);
  library->songs = segue_library_songs_read (path, head->songs, head->segments, error);
  library->most = BLOCK;
  for (guint i = 0; library->songs && i < library->songs->len; i++)
    library->most = MAX (library->most, g_array_index (library->songs, SegueLibraryEntry, i).n);
  return library->songs != NULL;
}

SegueLibrary *
segue_library_open (SegueRegistry *registry, const char *given, guint threads, GError **error)
{
  Head head = { 0 };
  g_autofree char *folder = find_folder (given, error);
  if (!folder)
    return NULL;
  g_autofree char *vectors = g_build_filename (folder, "library.safetensors", NULL);
  g_autoptr (SegueLibrary) library = g_new0 (SegueLibrary, 1);
  g_mutex_init (&library->lock);
  library->scope = (SegueScope){ .registry = registry,
                                 .threads = MAX (threads, 1),
                                 .isolated = segue_isolated_carrier (),
                                 .shared = segue_shared_new () };
  gboolean ok = read_head (folder, &head, error) &&
                read_preparation (library, folder, &head, error) &&
                read_songs (library, folder, &head, error) &&
                segue_library_vectors_open (&library->vectors, vectors, head.segments, error);
  g_free (head.preparation);
  return ok ? g_steal_pointer (&library) : NULL;
}

void
segue_library_free (SegueLibrary *library)
{
  if (!library)
    return;
  g_clear_pointer (&library->chain, segue_chain_free);
  g_clear_pointer (&library->rest, segue_chain_free);
  g_clear_pointer (&library->replay, segue_replay_free);
  segue_shared_free (library->scope.shared);
  g_clear_pointer (&library->songs, g_array_unref);
  segue_library_vectors_clear (&library->vectors);
  g_mutex_clear (&library->lock);
  g_free (library);
}

guint
segue_library_get_length (SegueLibrary *library)
{
  return library->songs->len;
}

const SegueLibrarySong *
segue_library_get_song (SegueLibrary *library, guint i)
{
  g_return_val_if_fail (i < library->songs->len, NULL);
  return &g_array_index (library->songs, SegueLibraryEntry, i).song;
}

guint
segue_library_get_index (SegueLibrary *library, const SegueLibrarySong *song)
{
  /* A song is the first member of its entry. */
  const SegueLibraryEntry *entry = (const SegueLibraryEntry *) (gconstpointer) song;
  return (guint) (entry - (const SegueLibraryEntry *) (gconstpointer) library->songs->data);
}

/* ---- The song that is given ---- */

/* @rows: [n, size], projected
 * @first, @end: those that are sought
 * @training: only training songs are compared */
typedef struct {
  gsize n, first, end;
  gboolean training;
  float *rows;
  double *starts;
  double duration; /* of the first that is sought */
} Query;

static void
query_clear (Query *query)
{
  g_clear_pointer (&query->rows, g_free);
  g_clear_pointer (&query->starts, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Query, query_clear)

/* The segment whose middle is nearest. */
static void
choose_moment (Query *query, GPtrArray *items, double at)
{
  double least = INFINITY;
  for (gsize i = 0; i < query->n; i++) {
    double duration =
      segue_item_get_double (g_ptr_array_index (items, i), SEGUE_META_DURATION, 0.0);
    double distance = fabs (query->starts[i] + duration / 2.0 - at);
    if (distance >= least)
      continue;
    least = distance;
    query->first = i;
    query->end = i + 1;
    query->duration = duration;
  }
}

static gboolean
project (const SegueLibrary *library, GPtrArray *items, Query *query, GError **error)
{
  const SegueLibraryVectors *vectors = &library->vectors;
  query->n = query->end = items->len;
  query->rows = g_new (float, items->len * vectors->size);
  query->starts = g_new (double, items->len);
  for (gsize i = 0; i < items->len; i++) {
    const SegueItem *item = g_ptr_array_index (items, i);
    guint rank = 0;
    const gsize *shape =
      segue_item_get_kind (item) == SEGUE_KIND_TENSOR ? segue_item_get_shape (item, &rank) : NULL;
    if (rank != 1 || segue_item_get_dtype (item) != SEGUE_DTYPE_F32 || shape[0] != vectors->width) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                   "the stages in library.json do not compute vectors of %" G_GSIZE_FORMAT
                   " numbers, as the library has them; run its pipeline again",
                   vectors->width);
      return FALSE;
    }
    query->starts[i] = segue_item_get_double (item, SEGUE_META_START, 0.0);
    segue_library_vectors_project (vectors, g_bytes_get_data (segue_item_get_bytes (item), NULL),
                                   query->rows + i * vectors->size);
  }
  return TRUE;
}

/* @items: (nullable): %NULL with @error: @chain failed */
static gboolean
take_items (const SegueLibrary *library, SegueChain *chain, GPtrArray *items, Query *query,
            GError **error)
{
  if (!items) {
    segue_chain_renew (chain);
    return FALSE;
  }
  if (items->len == 0) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                         "too short: no segment remains after preprocessing");
    return FALSE;
  }
  return project (library, items, query, error);
}

static gboolean
prepare (SegueLibrary *library, const char *path, double at, Query *query,
         GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) items = segue_chain_carry_file (library->chain, path, cancellable, error);
  if (!take_items (library, library->chain, items, query, error))
    return FALSE;
  if (!isnan (at))
    choose_moment (query, items, at);
  return TRUE;
}

/* ---- The search ---- */

static gboolean
is_sought (const Query *query, const SegueLibrarySong *song)
{
  return !query->training || !song->set ||
         g_str_equal (song->set, segue_set_get_name (SEGUE_SET_TRAIN));
}

/* Whether @entry, with its @rows, sounds the same in every segment. */
static gboolean
is_same (const SegueLibrary *library, const Query *query, const SegueLibraryEntry *entry,
         const float *rows)
{
  gsize size = library->vectors.size;
  gboolean same = entry->n == query->n;
  for (gsize i = 0; same && i < query->n; i++)
    same =
      fabs (library->vectors.starts[entry->first + i] - query->starts[i]) < SAME_SECONDS &&
      (double) segue_library_dot (size, query->rows + i * size, rows + i * size) > SAME_SIMILARITY;
  return same;
}

/* Its similarity is NaN if a row is not of length 1. */
static SegueLibraryMatch
compare (const SegueLibrary *library, const Query *query, const SegueLibraryEntry *entry,
         const float *rows)
{
  gsize size = library->vectors.size;
  SegueLibraryMatch match = { .song = &entry->song };
  float nearest = -INFINITY;
  for (gsize i = query->first; i < query->end; i++) {
    float best = -INFINITY;
    for (gsize j = 0; j < entry->n; j++) {
      float product = segue_library_dot (size, query->rows + i * size, rows + j * size);
      if (!(fabsf (product) < MOST))
        return (SegueLibraryMatch){ .similarity = NAN };
      best = MAX (best, product);
      if (product <= nearest)
        continue;
      nearest = product;
      match.start = library->vectors.starts[entry->first + j];
      match.query_start = query->starts[i];
    }
    match.similarity += (double) best / (double) (query->end - query->first);
  }
  return match;
}

/* The most similar first; of equal ones the first of the library. */
static void
insert (SegueLibraryAnswer *answer, guint max, SegueLibraryMatch match)
{
  SegueLibraryMatch *matches = answer->matches;
  guint n = answer->n_matches;
  if (n == max && !(match.similarity > matches[n - 1].similarity))
    return;
  guint at = n < max ? n : n - 1;
  answer->n_matches = MIN (n + 1, max);
  for (; at > 0 && match.similarity > matches[at - 1].similarity; at--)
    matches[at] = matches[at - 1];
  matches[at] = match;
}

/* @code: not DATA while a song is sought: that would be an error of the song */
static gboolean
refuse_row (const SegueLibrary *library, SegueErrorCode code, GError **error)
{
  g_autofree char *shown = g_filename_display_name (library->vectors.path);
  g_set_error (
    error, SEGUE_ERROR, code,
    "‘%s’ is damaged: a vector has a wrong length; run the pipeline of the library again", shown);
  return FALSE;
}

static gboolean
take_song (const SegueLibrary *library, const Query *query, const SegueLibraryEntry *entry,
           const float *rows, guint max, SegueLibraryAnswer *answer, GError **error)
{
  if (!is_sought (query, &entry->song))
    return TRUE;
  SegueLibraryMatch match = compare (library, query, entry, rows);
  if (isnan (match.similarity))
    return refuse_row (library, SEGUE_ERROR_FAILED, error);
  if (is_same (library, query, entry, rows)) {
    answer->n_same++;
    answer->same = answer->same ? answer->same : &entry->song;
  } else {
    insert (answer, max, match);
  }
  return TRUE;
}

/* How many songs from @first on fit into a block. */
static guint
count_songs (const SegueLibrary *library, guint first, gsize *rows)
{
  guint n = 0;
  for (*rows = 0; first + n < library->songs->len; n++) {
    gsize more = g_array_index (library->songs, SegueLibraryEntry, first + n).n;
    if (*rows + more > library->most)
      break;
    *rows += more;
  }
  return n;
}

static gboolean
search (const SegueLibrary *library, const Query *query, guint max, SegueLibraryAnswer *answer,
        GCancellable *cancellable, GError **error)
{
  gsize n_rows, size = library->vectors.size;
  g_autofree float *rows = g_try_new (float, library->most *size);
  if (!rows)
    return segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't read",
                                       library->vectors.path);
  for (guint first = 0, n; first < library->songs->len; first += n) {
    n = count_songs (library, first, &n_rows);
    const SegueLibraryEntry *entries = &g_array_index (library->songs, SegueLibraryEntry, first);
    if (g_cancellable_is_cancelled (cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    if (!segue_library_vectors_read (&library->vectors, entries[0].first, n_rows, rows, error))
      return FALSE;
    for (guint i = 0; i < n; i++)
      if (!take_song (library, query, &entries[i],
                      rows + (entries[i].first - entries[0].first) * size, max, answer, error))
        return FALSE;
  }
  return TRUE;
}

/* The chain names the file by its base name, the caller by a path. */
static GError *
name_error (const char *path, const GError *error)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *id = g_filename_display_name (name);
  g_autofree char *shown = g_filename_display_name (path);
  GError *named = segue_error_name_item (error, id, path, shown);
  segue_advise_prediction (&named, NULL);
  return named;
}

SegueLibraryAnswer *
segue_library_find (SegueLibrary *library, const char *path, double at, guint max,
                    GCancellable *cancellable, GError **error)
{
  g_auto (Query) query = { 0 };
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueLibraryAnswer) answer = g_new0 (SegueLibraryAnswer, 1);
  max = CLAMP (max, 1, library->songs->len);
  answer->matches = g_new (SegueLibraryMatch, max);
  if (!prepare (library, path, at, &query, cancellable, &local)) {
    g_propagate_error (error, name_error (path, local));
    return NULL;
  }
  if (!isnan (at)) {
    answer->start = query.starts[query.first];
    answer->duration = query.duration;
  }
  return search (library, &query, max, answer, cancellable, error) ? g_steal_pointer (&answer)
                                                                   : NULL;
}

/* ---- For a model ---- */

/* Whether the songs of the library were prepared by @preparation first. */
static gboolean
begins_with (const SegueLibrary *library, const SegueReplay *preparation, gboolean *begins,
             GError **error)
{
  const SegueKeyScope scope = { .registry = library->scope.registry };
  const GPtrArray *own = library->replay->stages, *first = preparation->stages;
  *begins = first->len <= own->len;
  for (guint i = 0; *begins && i < first->len; i++) {
    g_autofree char *one = segue_key_component (g_ptr_array_index (own, i), &scope, error);
    g_autofree char *other =
      one ? segue_key_component (g_ptr_array_index (first, i), &scope, error) : NULL;
    if (!other)
      return FALSE;
    *begins = g_str_equal (one, other);
  }
  return TRUE;
}

/* A row is of length 1; that of a segment which is like the mean has length 0. */
static gboolean
check_rows (const SegueLibrary *library, GError **error)
{
  const SegueLibraryVectors *vectors = &library->vectors;
  g_autofree float *rows = g_try_new (float, BLOCK * vectors->size);
  if (!rows)
    return segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't read", vectors->path);
  for (gsize first = 0, n; first < vectors->n; first += n) {
    n = MIN (BLOCK, vectors->n - first);
    if (!segue_library_vectors_read (vectors, first, n, rows, error))
      return FALSE;
    for (gsize i = 0; i < n; i++) {
      const float *row = rows + i * vectors->size;
      float square = segue_library_dot (vectors->size, row, row);
      if (!(fabsf (square - 1.0F) < 1e-3F || square == 0.0F))
        return refuse_row (library, SEGUE_ERROR_DATA, error);
    }
  }
  return TRUE;
}

gboolean
segue_library_follow (SegueLibrary *library, const SegueReplay *preparation, GError **error)
{
  gboolean begins;
  const GPtrArray *own = library->replay->stages;
  guint n = preparation->stages->len;
  if (!begins_with (library, preparation, &begins, error))
    return FALSE;
  if (!begins) {
    g_autofree char *shown = g_filename_display_name (library->vectors.path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "the songs of ‘%s’ were prepared in another way than those of the model: it does "
                 "not belong to the model's run",
                 shown);
    return FALSE;
  }
  g_clear_pointer (&library->rest, segue_chain_free);
  if (own->len > n)
    library->rest = segue_chain_new (&library->scope,
                                     (const SegueGraphStage *const *) own->pdata + n, own->len - n);
  return check_rows (library, error);
}

static gboolean
follow (SegueLibrary *library, GPtrArray *items, Query *query, GCancellable *cancellable,
        GError **error)
{
  if (!library->rest)
    return project (library, items, query, error);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&library->lock);
  g_autoptr (GPtrArray) vectors = segue_chain_carry (
    library->rest, (SegueItem *const *) items->pdata, items->len, cancellable, error);
  return take_items (library, library->rest, vectors, query, error);
}

SegueLibraryAnswer *
segue_library_find_training (SegueLibrary *library, GPtrArray *items, guint max,
                             GCancellable *cancellable, GError **error)
{
  g_auto (Query) query = { .training = TRUE };
  g_autoptr (SegueLibraryAnswer) answer = g_new0 (SegueLibraryAnswer, 1);
  max = CLAMP (max, 1, library->songs->len);
  answer->matches = g_new (SegueLibraryMatch, max);
  return follow (library, items, &query, cancellable, error) &&
             search (library, &query, max, answer, cancellable, error)
           ? g_steal_pointer (&answer)
           : NULL;
}

void
segue_library_answer_free (SegueLibraryAnswer *answer)
{
  if (!answer)
    return;
  g_free (answer->matches);
  g_free (answer);
}
