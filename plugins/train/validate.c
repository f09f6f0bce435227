/* One pass over the validation set, in stored order. */
#include "validate.h"

#include <math.h>
#include <segue/aggregation.h>
#include <segue/error.h>
#include <segue/nn/cross-entropy.h>

/* Sums over the pass. @songs: [n_songs, n_labels] probabilities; @labels: [n_songs]. */
typedef struct {
  guint n_labels;
  double *songs;
  gint32 *labels;
  double loss;
  guint n_known, n_right;
} Tally;

/* In double. Returns −ln of the probability of @label, where it is a label of the model. */
static double
softmax (const float *logits, guint n, gint32 label, double *row)
{
  double top = logits[0], sum = 0;
  for (guint c = 1; c < n; c++)
    top = MAX (top, (double) logits[c]);
  for (guint c = 0; c < n; c++)
    sum += row[c] = exp ((double) logits[c] - top);
  for (guint c = 0; c < n; c++)
    row[c] /= sum;
  return label == SEGUE_NN_IGNORE ? 0 : log (sum) - ((double) logits[label] - top);
}

static void
count_sample (Tally *tally, const TrainSample *sample, const double *row, double loss)
{
  for (guint c = 0; c < tally->n_labels; c++)
    tally->songs[(gsize) sample->song * tally->n_labels + c] += row[c];
  tally->labels[sample->song] = sample->label;
  if (sample->label == SEGUE_NN_IGNORE)
    return;
  tally->n_known++;
  tally->loss += loss;
  tally->n_right += segue_argmax_f64 (row, tally->n_labels) == (guint) sample->label;
}

/* Predicts every item of the validation set. */
static gboolean
count_all (TrainJob *job, Tally *tally, GError **error)
{
  const TrainSource *source = &job->validation;
  const TrainPass feed_pass = { .source = source,
                                .part = job->infer_part,
                                .batch = job->infer_part };
  guint n_labels = job->info.n_labels;
  g_autofree double *row = g_new (double, n_labels);
  const float *rows;
  guint first, n;
  GError *local = NULL;

  train_feed_start (job->feed, &feed_pass);
  while ((rows = train_feed_next (job->feed, &first, &n, &local))) {
    SegueModelPass pass = SEGUE_INIT (
      SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = n, .length = job->length, .input = rows,
      .from_prefix = source->features >= 0, .workspace = job->workspace, .logits = job->logits);
    if (!segue_context_check_cancelled (job->context, error) ||
        !segue_model_forward (job->model, &pass, error))
      return FALSE;
    for (guint i = 0; i < n; i++) {
      const TrainSample *sample = &source->set->samples[first + i];
      double loss = softmax (job->logits + i * n_labels, n_labels, sample->label, row);
      count_sample (tally, sample, row, loss);
    }
  }
  if (!local)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

gboolean
train_validate (TrainJob *job, TrainEpoch *epoch, GError **error)
{
  const TrainSet *set = &job->sets->validation;
  guint n_labels = job->info.n_labels, n_songs_right = 0;
  epoch->validation_loss = epoch->validation_accuracy = epoch->validation_song_accuracy = NAN;
  if (set->n == 0)
    return TRUE;

  g_autofree double *songs = g_try_new0 (double, (gsize) set->n_songs *n_labels);
  g_autofree gint32 *labels = g_new0 (gint32, set->n_songs);
  Tally tally = { .n_labels = n_labels, .songs = songs, .labels = labels };
  if (!songs) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
      "not enough memory to validate %u songs with %u labels; close other programs and run again",
      set->n_songs, n_labels);
    return FALSE;
  }
  if (!count_all (job, &tally, error))
    return FALSE;

  for (guint s = 0; s < set->n_songs; s++)
    n_songs_right += labels[s] >= 0 &&
                     segue_argmax_f64 (songs + (gsize) s * n_labels, n_labels) == (guint) labels[s];
  epoch->validation_loss = tally.n_known > 0 ? tally.loss / tally.n_known : NAN;
  epoch->validation_accuracy = (double) tally.n_right / set->n;
  epoch->validation_song_accuracy = (double) n_songs_right / set->n_songs;
  return TRUE;
}
