/* Cached answers: records in the store, beside those of chains (internal).
 *
 * A record contains one item per segment: its probabilities, where it begins and how long it is; or
 * why the song can't be used.  Its key hashes the song's bytes, the components of the stages that
 * prepare it (see key.h), and everything that identifies the model and its precision. */
#pragma once

#include "host/preparation.h"
#include "store/contents.h"

#include <segue/predict.h>

typedef struct _SegueAnswers SegueAnswers;

/**
 * SegueAnswersOf: what the answers depend on; all borrowed.
 * @model: its folder
 * @cutting: a description of what is done to songs besides @preparation; differs whenever that does
 */
typedef struct {
  SegueRegistry *registry;
  const char *model;
  SegueModelPrecision precision;
  const SeguePreparation *preparation;
  const char *cutting;
} SegueAnswersOf;

/** SegueAnswerPlace: where a song's answer is stored. @key: %NULL: nowhere, as the file can't be
 * read; @stamp: of the file when it was hashed. */
typedef struct {
  char *key;
  SegueFileStamp stamp;
} SegueAnswerPlace;

void segue_answer_place_clear (SegueAnswerPlace *place);

/** segue_answers_open: (transfer full): @cache: (nullable): see segue_store_open(). */
SegueAnswers *segue_answers_open (const char *cache, const SegueAnswersOf *of, GError **error);
/** segue_answers_free: also shrinks the cache to its limit; accepts %NULL. */
void segue_answers_free (SegueAnswers *answers);

/**
 * segue_answers_find: (transfer full) (nullable): the segments, without a result for the song.  Any
 * thread.
 * @place: (out): for segue_answers_keep(), set in any case
 *
 * %NULL without an error: not known.  %NULL with %SEGUE_ERROR_DATA: the song is known to be
 * unusable, with the reason; other errors are of the environment.
 */
SegueSongPrediction *segue_answers_find (SegueAnswers *answers, const char *path,
                                         SegueAnswerPlace *place, GCancellable *cancellable,
                                         GError **error);
/**
 * segue_answers_keep: any thread.  If something can't be stored, that is a warning.
 * @failure: (nullable): in place of @prediction: a fact about the song's bytes
 *
 * %FALSE with %SEGUE_ERROR_DATA if the file at @path has changed since @place was found.
 */
gboolean segue_answers_keep (SegueAnswers *answers, const char *path, const SegueAnswerPlace *place,
                             const SegueSongPrediction *prediction, const GError *failure,
                             GError **error);
/** segue_answers_get_warning: (transfer full) (nullable): the first warning. */
char *segue_answers_get_warning (SegueAnswers *answers);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueAnswers, segue_answers_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueAnswerPlace, segue_answer_place_clear)
