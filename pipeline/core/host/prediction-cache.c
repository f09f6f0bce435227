/* Cached answers. */
#include "host/prediction-cache.h"
#include "base/sha256.h"
#include "host/song-prediction.h"
#include "item/extent.h"
#include "item/item-error.h"
#include "item/item-private.h"
#include "model/model-private.h"
#include "params/model-version.h"
#include "store/key.h"
#include "store/store.h"
#include "store/tree.h"

#include <math.h>
#include <string.h>

/* Stands for the song's name in the message of a stored failure: songs may move. */
#define HERE "\x1f"

struct _SegueAnswers {
  SegueStore *store;
  SeguePredictionCacheOf of;
  GMutex lock;      /* for: */
  char *identity;   /* nullable: not known yet: hash of all but the song */
  GStrv components; /* its parts */
  char *warning;    /* nullable */
  gint is_full;     /* nothing more can be stored */
};

void
segue_cached_prediction_clear (SegueCachedPrediction *place)
{
  g_clear_pointer (&place->key, g_free);
}

SeguePredictionCache *
segue_prediction_cache_open (const char *cache, const SeguePredictionCacheOf *of, GError **error)
{
  SegueStore *store = segue_store_open (cache, error);
  if (!store)
    return NULL;
  SeguePredictionCache *answers = g_new0 (SeguePredictionCache, 1);
  answers->store = store;
  answers->of = *of;
  answers->warning = g_strdup (segue_store_get_warning (store));
  g_mutex_init (&answers->lock);
  return answers;
}

void
segue_prediction_cache_free (SeguePredictionCache *answers)
{
  if (!answers)
    return;
  SegueCacheFreed freed = SEGUE_INIT (SegueCacheFreed);
  segue_store_tidy (answers->store, &freed, NULL);
  segue_store_free (answers->store);
  g_mutex_clear (&answers->lock);
  g_strfreev (answers->components);
  g_free (answers->identity);
  g_free (answers->warning);
  g_free (answers);
}

char *
segue_prediction_cache_get_warning (SeguePredictionCache *answers)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answers->lock);
  return g_strdup (answers->warning);
}

static void
warn (SeguePredictionCache *answers, const char *message)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answers->lock);
  if (!answers->warning)
    answers->warning = g_strdup (message);
}

/* ---- Keys ---- */

/* The model: its files, the code that reads them, and the requested precision. */
static char *
describe_model (SeguePredictionCache *answers, GCancellable *cancellable, GError **error)
{
  const SeguePredictionCacheOf *of = &answers->of;
  const char *contents = segue_store_get_contents_folder (answers->store);
  const SegueModelType *type = segue_model_find_type (of->registry, of->model, error);
  g_autoptr (GPtrArray) files =
    type ? segue_tree_list (of->model, contents, TRUE, cancellable, error) : NULL;
  if (!files)
    return NULL;
  g_autofree char *tree = segue_tree_key (files, "", NULL);
  g_autofree char *fingerprint = segue_model_type_fingerprint (type);
  return g_strdup_printf ("answers 3\nmodel %s\ntype %s\nversion %u\nfingerprint %s\n"
                          "precision %s\ncutting %s\n",
                          tree, type->name, type->result_version, fingerprint ? fingerprint : "",
                          segue_model_precision_names ()[of->precision], of->cutting);
}

static GStrv
find_components (SeguePredictionCache *answers, GCancellable *cancellable, GError **error)
{
  const GPtrArray *stages = answers->of.preparation->stages;
  const SegueKeyScope scope = { .registry = answers->of.registry,
                                .contents = segue_store_get_contents_folder (answers->store),
                                .cancellable = cancellable };
  g_auto (GStrv) components = g_new0 (char *, stages->len + 2);
  for (guint i = 0; i < stages->len; i++)
    if (!(components[i] = segue_key_component (g_ptr_array_index (stages, i), &scope, error)))
      return NULL;
  components[stages->len] = describe_model (answers, cancellable, error);
  return components[stages->len] ? g_steal_pointer (&components) : NULL;
}

/* Computed for the first song; the model's files are hashed while it is loaded. */
static const char *
get_identity (SeguePredictionCache *answers, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answers->lock);
  if (answers->identity)
    return answers->identity;
  answers->components = find_components (answers, cancellable, error);
  if (!answers->components)
    return NULL;
  g_autofree char *key = g_strdup ("segue answers");
  for (guint i = 0; answers->components[i]; i++) {
    g_autofree char *previous = g_steal_pointer (&key);
    key = segue_sha256_join (previous, answers->components[i]);
  }
  answers->identity = g_steal_pointer (&key);
  return answers->identity;
}

static gboolean
find_place (SeguePredictionCache *answers, const char *path, SegueCachedPrediction *place,
            GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *identity = get_identity (answers, cancellable, error);
  if (!identity)
    return FALSE;
  const char *folder = segue_store_get_contents_folder (answers->store);
  g_autofree char *content = segue_contents_key (folder, path, &place->stamp, cancellable, &local);
  if (content)
    place->key = segue_sha256_join (identity, content);
  /* The next code that reads it reports a better error. */
  if (content || segue_error_is_about_item (local))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* ---- From a record ---- */

static SegueSongPrediction *
prediction_new (const SegueItem *item, const double *rows, guint n_segments, guint n_labels,
                GError **error)
{
  SegueSongPrediction *prediction = segue_song_prediction_new (n_segments, n_labels, error);
  if (prediction)
    prediction->distance = segue_item_get_double (item, SEGUE_META_DISTANCE, NAN);
  for (guint i = 0; prediction && i < n_segments; i++) {
    const double *row = rows + (gsize) i * (SEGUE_PREDICTION_LABELS + n_labels);
    SegueSegmentPrediction *segment = &prediction->segments[i];
    segment->start = row[SEGUE_PREDICTION_START];
    segment->duration = row[SEGUE_PREDICTION_DURATION];
    for (guint c = 0; c < n_labels; c++)
      segment->probabilities[c] = (float) row[SEGUE_PREDICTION_LABELS + c];
  }
  return prediction;
}

/* %NULL without an error: not an answer. */
static SegueSongPrediction *
read_segments (SeguePredictionCache *answers, const SegueRecord *record, GError **error)
{
  const SegueItemForm *form =
    record->items->len == 1 ? &g_array_index (record->items, SegueItemForm, 0) : NULL;
  if (!form || form->kind != SEGUE_KIND_PREDICTIONS)
    return NULL;
  g_autofree char *path = segue_store_get_path (answers->store, record->key);
  g_autoptr (SegueStorage) storage = segue_storage_new_path (path);
  const SegueExtent extent = segue_item_form_locate (form, storage);
  g_autoptr (SegueItem) song = segue_item_new_file ("song", path);
  g_autoptr (SegueItem) item = segue_item_form_join (form, song);
  item->bytes = segue_extent_read (&extent, error);
  guint n_segments, n_labels;
  const double *rows =
    item->bytes ? segue_item_get_predictions (item, &n_segments, &n_labels, error) : NULL;
  return rows ? prediction_new (item, rows, n_segments, n_labels, error) : NULL;
}

static void
recall_failure (const GError *kept, const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_autoptr (GString) message = g_string_new (kept->message);
  g_string_replace (message, HERE, shown, 0);
  g_set_error_literal (error, kept->domain, kept->code, message->str);
}

SegueSongPrediction *
segue_prediction_cache_find (SeguePredictionCache *answers, const char *path,
                             SegueCachedPrediction *place, GCancellable *cancellable,
                             GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *problem = NULL;
  *place = (SegueCachedPrediction){ 0 };
  if (!find_place (answers, path, place, cancellable, error) || !place->key)
    return NULL;
  g_autoptr (SegueRecord) record =
    segue_store_read (answers->store, place->key, TRUE, &problem, error);
  segue_store_forget (answers->store, place->key);
  if (problem)
    warn (answers, problem);
  if (!record)
    return NULL;
  if (record->failure) {
    recall_failure (record->failure, path, error);
    return NULL;
  }
  SegueSongPrediction *prediction = read_segments (answers, record, &local);
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    g_propagate_error (error, g_steal_pointer (&local));
  else if (!prediction)
    warn (answers, local ? local->message : "damaged record: it contains no prediction");
  return prediction;
}

/* ---- To a record ---- */

static SegueItem *
make_item (SegueItem *song, const SegueSongPrediction *prediction, GError **error)
{
  double *row;
  SegueItem *item = segue_item_new_predictions (song, NULL, prediction->n_segments,
                                                prediction->n_labels, &row, error);
  if (item && isfinite (prediction->distance))
    segue_item_set_double (item, SEGUE_META_DISTANCE, prediction->distance);
  for (guint i = 0; item && i < prediction->n_segments; i++) {
    const SegueSegmentPrediction *segment = &prediction->segments[i];
    row[SEGUE_PREDICTION_START] = segment->start;
    row[SEGUE_PREDICTION_DURATION] = segment->duration;
    for (guint c = 0; c < prediction->n_labels; c++)
      row[SEGUE_PREDICTION_LABELS + c] = (double) segment->probabilities[c];
    row += SEGUE_PREDICTION_LABELS + prediction->n_labels;
  }
  return item;
}

/* If the disk is full for one answer, it is for the next: stops storing them. */
static void
write_record (SeguePredictionCache *answers, const SegueRecordContent *content)
{
  g_autoptr (GError) error = NULL;
  if (segue_store_write (answers->store, content, &error)) {
    segue_store_forget (answers->store, content->key);
    return;
  }
  g_atomic_int_set (&answers->is_full, TRUE);
  g_autofree char *message = g_strdup_printf ("predictions are not cached: %s", error->message);
  warn (answers, message);
}

gboolean
segue_prediction_cache_keep (SeguePredictionCache *answers, const char *path,
                             const SegueCachedPrediction *place,
                             const SegueSongPrediction *prediction, const GError *failure,
                             GError **error)
{
  if (!place->key)
    return TRUE;
  if (!segue_contents_check (path, &place->stamp, error))
    return FALSE;
  if (g_atomic_int_get (&answers->is_full))
    return TRUE;
  g_autoptr (GError) local = NULL;
  /* Records do not contain the song's name. */
  g_autoptr (SegueItem) song = segue_item_new_file ("song", path);
  segue_item_seal (song);
  g_autoptr (SegueItem) item = failure ? NULL : make_item (song, prediction, &local);
  if (local) {
    warn (answers, local->message);
    return TRUE;
  }
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *id = g_filename_display_name (name);
  g_autoptr (GError) kept = failure ? segue_error_name_item (failure, id, path, HERE) : NULL;
  const SegueRecordContent content = { .key = place->key,
                                       .components = (const char *const *) answers->components,
                                       .failure = kept,
                                       .items = &item,
                                       .inputs = &song,
                                       .n_items = item ? 1 : 0,
                                       .n_inputs = 1 };
  write_record (answers, &content);
  return TRUE;
}
