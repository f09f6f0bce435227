/* Predictions of songs: the answers of a model, or of the members of a combined one, mixed and aggregated. A plain model is
 * its own only member. */
#include "graph/advice.h"
#include "host/member.h"
#include "host/song-prediction.h"
#include "isolate/isolated-stage.h"
#include "item/item-error.h"
#include "model/members.h"
#include "stage/shared.h"

#include <math.h>

struct _SeguePredictor {
  SegueScope scope;
  SegueMembers combined;
  SegueMember **members; /* one for each folder in @combined */
  gboolean damaged;      /* damaged songs are requested */
  SegueAggregation aggregation;
  gboolean judges; /* there is a threshold */
  SegueThreshold threshold;
};

static guint
count_members (const SeguePredictor *predictor)
{
  return predictor->combined.combination.n_members;
}

SeguePredictor *
segue_predictor_new (SegueRegistry *registry, const char *folder, guint threads,
                     SegueModelPrecision precision, GError **error)
{
  g_autoptr (SeguePredictor) predictor = g_new0 (SeguePredictor, 1);
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .threads = MAX (threads, 1), .precision = precision);
  predictor->scope = (SegueScope){ .registry = registry,
                                   .threads = MAX (threads, 1),
                                   .isolated = segue_isolated_carrier (),
                                   .shared = segue_shared_new () };
  if (!segue_members_read (folder, &predictor->combined, error))
    return NULL;
  predictor->members = g_new0 (SegueMember *, count_members (predictor));
  for (guint m = 0; m < count_members (predictor); m++) {
    const char *path = g_ptr_array_index (predictor->combined.folders, m);
    predictor->members[m] = segue_member_new (&predictor->scope, path, &spec, error);
    if (!predictor->members[m])
      return NULL;
  }
  return g_steal_pointer (&predictor);
}

void
segue_predictor_free (SeguePredictor *predictor)
{
  if (!predictor)
    return;
  for (guint m = 0; predictor->members && m < count_members (predictor); m++)
    segue_member_free (predictor->members[m]);
  g_free (predictor->members);
  segue_members_clear (&predictor->combined);
  segue_shared_free (predictor->scope.shared);
  g_free (predictor);
}

gboolean
segue_predictor_relax (SeguePredictor *predictor, gboolean damaged, GError **error)
{
  predictor->damaged = damaged;
  for (guint m = 0; m < count_members (predictor); m++)
    if (!segue_member_relax (predictor->members[m], damaged, error))
      return FALSE;
  return TRUE;
}

gboolean
segue_predictor_use_cache (SeguePredictor *predictor, const char *folder, GError **error)
{
  for (guint m = 0; m < count_members (predictor); m++)
    if (!segue_member_use_cache (predictor->members[m], folder, error))
      return FALSE;
  return TRUE;
}

/* One member is enough: the first whose songs were prepared as those of the library. */
gboolean
segue_predictor_use_library (SeguePredictor *predictor, SegueLibrary *library, guint n,
                             GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean follows = FALSE;
  for (guint m = 0; !follows && m < count_members (predictor); m++) {
    g_clear_error (&local);
    follows = segue_member_use_library (predictor->members[m], library, n, &local);
    if (!follows && !g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_PIPELINE))
      break;
  }
  if (!follows)
    g_propagate_error (error, g_steal_pointer (&local));
  return follows;
}

char *
segue_predictor_get_warning (SeguePredictor *predictor)
{
  char *warning = NULL;
  for (guint m = 0; !warning && m < count_members (predictor); m++)
    warning = segue_member_get_warning (predictor->members[m]);
  return warning;
}

void
segue_predictor_set_aggregation (SeguePredictor *predictor, SegueAggregation aggregation,
                                 const SegueThreshold *threshold)
{
  predictor->aggregation = aggregation;
  predictor->judges = threshold != NULL;
  predictor->threshold = threshold ? *threshold : (SegueThreshold){ 0 };
}

const char *const *
segue_predictor_get_labels (SeguePredictor *predictor)
{
  return segue_member_get_info (predictor->members[0])->labels;
}

/* The folder of a member may have been replaced by that of a model with other labels. */
static gboolean
check_labels (SeguePredictor *predictor, guint member, GError **error)
{
  const char *const *labels = segue_member_get_info (predictor->members[member])->labels;
  if (g_strv_equal (labels, segue_predictor_get_labels (predictor)))
    return TRUE;
  g_autofree char *shown =
    g_filename_display_name (g_ptr_array_index (predictor->combined.folders, member));
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "‘%s’: its labels are not those of the first member of this combined model; copy the "
    "whole folder of the combined model again",
    shown);
  return FALSE;
}

gboolean
segue_predictor_wait (SeguePredictor *predictor, GError **error)
{
  for (guint m = 0; m < count_members (predictor); m++)
    if (!segue_member_wait (predictor->members[m], error) || !check_labels (predictor, m, error))
      return FALSE;
  return TRUE;
}

/* A song as the first member's segments are answered, and mixed with what the others said. */
typedef struct {
  const SegueCombination *combination;
  SegueSongPrediction **answers; /* [members]; of the first: NULL */
  GPtrArray *aligned;            /* of all members but the first: [segments, labels] */
  SegueSongPrediction *mixed;    /* NULL: the first member has answered nothing yet */
  guint n_mixed;                 /* segments */
  const SegueObserver *observer;
  GError *failure;
} Mixture;

static SegueSpan *
spans_of (const SegueSongPrediction *answer)
{
  SegueSpan *spans = g_new (SegueSpan, answer->n_segments);
  for (guint s = 0; s < answer->n_segments; s++)
    spans[s] = (SegueSpan){ answer->segments[s].start, answer->segments[s].duration };
  return spans;
}

/* The segments of the first member are known, and all answers of the others. */
static gboolean
begin_mixture (Mixture *mixture, const SegueSongPrediction *first)
{
  g_autofree SegueSpan *at = spans_of (first);
  guint n_labels = first->n_labels;
  mixture->mixed = segue_song_prediction_new (first->n_segments, n_labels, &mixture->failure);
  if (!mixture->mixed)
    return FALSE;
  mixture->mixed->cached = first->cached;
  for (guint s = 0; s < first->n_segments; s++) {
    mixture->mixed->segments[s].start = at[s].start;
    mixture->mixed->segments[s].duration = at[s].duration;
  }
  for (guint m = 1; m < mixture->combination->n_members; m++) {
    const SegueSongPrediction *answer = mixture->answers[m];
    g_autofree SegueSpan *spans = spans_of (answer);
    mixture->mixed->cached = mixture->mixed->cached && answer->cached;
    float *aligned = g_new (float, (gsize) first->n_segments *n_labels);
    segue_combination_align (at, first->n_segments, spans, answer->n_segments,
                             answer->segments[0].probabilities, n_labels, aligned);
    g_ptr_array_add (mixture->aligned, aligned);
  }
  return TRUE;
}

/* A #SeguePredictedFunc of the first member. */
static void
mix (const SegueSongPrediction *first, guint n_predicted, gpointer data)
{
  Mixture *mixture = data;
  if (mixture->failure || (!mixture->mixed && !begin_mixture (mixture, first)))
    return;
  const float *rows[SEGUE_MAX_MEMBERS];
  gsize done = (gsize) mixture->n_mixed * first->n_labels;
  for (guint m = 0; m < mixture->combination->n_members; m++) {
    const float *all =
      m == 0 ? first->segments[0].probabilities : g_ptr_array_index (mixture->aligned, m - 1);
    rows[m] = all + done;
  }
  segue_combination_mix (mixture->combination, rows, n_predicted - mixture->n_mixed,
                         first->n_labels, mixture->mixed->segments[0].probabilities + done);
  mixture->n_mixed = n_predicted;
  if (mixture->observer->predicted)
    mixture->observer->predicted (mixture->mixed, n_predicted, mixture->observer->data);
}

/* Asks all members, the first one last. Its answer; those of the others are in @mixture.
 * @relaxed: (out): of the member whose refusal or error is reported */
static SegueSongPrediction *
ask_members (SeguePredictor *predictor, const SegueSongFile *song, Mixture *mixture,
             GError **refusal, GPtrArray **relaxed, GCancellable *cancellable, GError **error)
{
  static const SegueObserver no_observer = { 0 };
  const SegueObserver mixer = { mix, mixture };
  for (guint m = count_members (predictor) - 1;; m--) {
    SegueMember *member = predictor->members[m];
    g_autoptr (GError) skipped = NULL;
    SegueSongPrediction *answer = segue_member_answer (member, song, m == 0 ? &mixer : &no_observer,
                                                       &skipped, cancellable, error);
    if (!answer || (skipped && !*refusal))
      *relaxed = segue_member_get_relaxed (member);
    if (skipped && !*refusal)
      *refusal = g_steal_pointer (&skipped);
    if (!answer || m == 0)
      return answer;
    mixture->answers[m] = answer;
    if (!segue_predictor_wait (predictor, error)) /* that all have the same labels */
      return NULL;
  }
}

/* (transfer full) (nullable): the songs that one of the members has found. */
static SegueLibraryAnswer *
take_similar (SegueSongPrediction *first, SegueSongPrediction *const *others, guint n)
{
  SegueLibraryAnswer *similar = g_steal_pointer (&first->similar);
  for (guint m = 1; !similar && m < n; m++)
    similar = g_steal_pointer (&others[m]->similar);
  return similar;
}

static void
conclude (const SeguePredictor *predictor, SegueSongPrediction *prediction)
{
  prediction->best =
    segue_song_aggregate (predictor->aggregation, prediction->segments[0].probabilities,
                          prediction->n_segments, prediction->n_labels, prediction->probabilities);
  double confidence = (double) prediction->probabilities[prediction->best];
  if (predictor->judges)
    prediction->certainty =
      segue_threshold_is_unsure (&predictor->threshold, confidence, prediction->distance)
        ? SEGUE_UNSURE
        : SEGUE_SURE;
}

/* @refusal: (out): set with a prediction: why training would have skipped the song */
static SegueSongPrediction *
predict (SeguePredictor *predictor, const SegueSongFile *song, const SegueObserver *observer,
         GError **refusal, GPtrArray **relaxed, GCancellable *cancellable, GError **error)
{
  guint n = count_members (predictor);
  g_autofree SegueSongPrediction **answers = g_new0 (SegueSongPrediction *, n);
  g_autoptr (GPtrArray) aligned = g_ptr_array_new_with_free_func (g_free);
  Mixture mixture = { .combination = &predictor->combined.combination,
                      .answers = answers,
                      .aligned = aligned,
                      .observer = observer };
  g_autoptr (SegueSongPrediction) first =
    ask_members (predictor, song, &mixture, refusal, relaxed, cancellable, error);
  g_autoptr (SegueSongPrediction) mixed = mixture.mixed;
  g_autoptr (GError) failure = mixture.failure;
  if (first && mixed)
    mixed->similar = take_similar (first, answers, n);
  for (guint m = 1; m < n; m++)
    segue_song_prediction_free (answers[m]);
  if (first && failure)
    g_propagate_error (error, g_steal_pointer (&failure));
  if (!first || !mixed)
    return NULL;
  mixed->distance = n == 1 ? first->distance : NAN; /* members have spaces of their own */
  conclude (predictor, mixed);
  return g_steal_pointer (&mixed);
}

/* The chain names the file by its base name, the caller by a path. */
static GError *
name_error (const SeguePredictor *predictor, const SegueSongFile *song, GPtrArray *relaxed,
            const GError *error)
{
  g_autofree char *name = g_path_get_basename (song->path);
  g_autofree char *id = g_filename_display_name (name);
  g_autofree char *shown = g_filename_display_name (song->path);
  GError *named = segue_error_name_item (error, id, song->path, shown);
  segue_advise_prediction (&named, predictor->damaged ? NULL : relaxed);
  return named;
}

static SegueSongPrediction *
observe (SeguePredictor *predictor, const SegueSongFile *song, const SegueObserver *observer,
         GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL, refusal = NULL;
  GPtrArray *relaxed = NULL;
  SegueSongPrediction *prediction =
    predict (predictor, song, observer, &refusal, &relaxed, cancellable, &local);
  if (prediction && refusal) {
    g_autoptr (GError) named = name_error (predictor, song, relaxed, refusal);
    prediction->note = g_strdup (named->message);
  }
  if (!prediction)
    g_propagate_error (error, name_error (predictor, song, relaxed, local));
  return prediction;
}

SegueSongPrediction *
segue_predictor_predict_full (SeguePredictor *predictor, const char *path,
                              SeguePredictedFunc predicted, gpointer data,
                              GCancellable *cancellable, GError **error)
{
  return observe (predictor, &(SegueSongFile){ -1, path }, &(SegueObserver){ predicted, data },
                  cancellable, error);
}

SegueSongPrediction *
segue_predictor_predict_fd (SeguePredictor *predictor, int fd, const char *name,
                            SeguePredictedFunc predicted, gpointer data, GCancellable *cancellable,
                            GError **error)
{
  return observe (predictor, &(SegueSongFile){ fd, name }, &(SegueObserver){ predicted, data },
                  cancellable, error);
}

SegueSongPrediction *
segue_predictor_predict (SeguePredictor *predictor, const char *path, GCancellable *cancellable,
                         GError **error)
{
  return segue_predictor_predict_full (predictor, path, NULL, NULL, cancellable, error);
}
