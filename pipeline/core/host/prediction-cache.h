/* Cached answers: records in the store, beside those of chains (internal).
 *
 * A record contains one predictions item (segue/item.h), or why the song can't be used. Its key hashes the
 * song's bytes, the components of the stages that prepare it (see key.h), and everything that identifies the
 * model and its precision. */
#pragma once

#include "host/replay.h"
#include "store/contents.h"

#include <segue/host/predict.h>

typedef struct _SegueAnswers SeguePredictionCache;

/**
 * SeguePredictionCacheOf: what the answers depend on; all borrowed.
 * @model: its folder
 * @cutting: a description of what is done to songs besides @preparation; differs whenever that does
 */
typedef struct {
  SegueRegistry *registry;
  const char *model;
  SegueModelPrecision precision;
  const SegueReplay *preparation;
  const char *cutting;
} SeguePredictionCacheOf;

/** SegueCachedPrediction: where a song's answer is stored. @key: %NULL: nowhere, as the file can't be
 * read; @stamp: of the file when it was hashed. */
typedef struct {
  char *key;
  SegueFileStamp stamp;
} SegueCachedPrediction;

void segue_cached_prediction_clear (SegueCachedPrediction *place);

/** segue_prediction_cache_open: (transfer full): @cache: (nullable): see segue_store_open(). */
SeguePredictionCache *
segue_prediction_cache_open (const char *cache, const SeguePredictionCacheOf *of, GError **error);
/** segue_prediction_cache_free: also shrinks the cache to its limit; accepts %NULL. */
void segue_prediction_cache_free (SeguePredictionCache *answers);

/**
 * segue_prediction_cache_find: (transfer full) (nullable): the segments, without a result for the song. Any
 * thread.
 * @place: (out): for segue_prediction_cache_keep(), set in any case
 *
 * %NULL without an error: not known. %NULL with %SEGUE_ERROR_DATA: the song is known to be
 * unusable, with the reason; other errors are of the environment.
 */
SegueSongPrediction *segue_prediction_cache_find (SeguePredictionCache *answers, const char *path,
                                                  SegueCachedPrediction *place,
                                                  GCancellable *cancellable, GError **error);
/**
 * segue_prediction_cache_keep: any thread. If something can't be stored, that is a warning.
 * @failure: (nullable): in place of @prediction: a fact about the song's bytes
 *
 * %FALSE with %SEGUE_ERROR_DATA if the file at @path has changed since @place was found.
 */
gboolean segue_prediction_cache_keep (SeguePredictionCache *answers, const char *path,
                                      const SegueCachedPrediction *place,
                                      const SegueSongPrediction *prediction, const GError *failure,
                                      GError **error);
/** segue_prediction_cache_get_warning: (transfer full) (nullable): the first warning. */
char *segue_prediction_cache_get_warning (SeguePredictionCache *answers);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePredictionCache, segue_prediction_cache_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueCachedPrediction, segue_cached_prediction_clear)
