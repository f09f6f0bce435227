/* Passes over a set without training, in stored order. */
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

/* Predicts every item of @source. */
static gboolean
count_all (TrainJob *job, const TrainSource *source, Tally *tally, GError **error)
{
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
    SegueModelPass pass =
      SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = n, .length = job->length,
                  .input = rows, .workspace = job->workspace, .logits = job->logits);
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

static gboolean
tally_init (Tally *tally, const TrainJob *job, const TrainSet *set, GError **error)
{
  *tally = (Tally){ .n_labels = job->info.n_labels };
  tally->songs = g_try_new0 (double, (gsize) set->n_songs * tally->n_labels);
  tally->labels = g_new0 (gint32, set->n_songs);
  if (tally->songs)
    return TRUE;
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
    "not enough memory to validate %u songs with %u labels; close other programs and run again",
    set->n_songs, tally->n_labels);
  return FALSE;
}

static void
tally_clear (Tally *tally)
{
  g_free (tally->songs);
  g_free (tally->labels);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tally, tally_clear)

static double
loss_of (const Tally *tally)
{
  return tally->n_known > 0 ? tally->loss / tally->n_known : NAN;
}

gboolean
train_measure_loss (TrainJob *job, const TrainSource *source, double *loss, GError **error)
{
  g_auto (Tally) tally = { 0 };
  if (!tally_init (&tally, job, source->set, error) || !count_all (job, source, &tally, error))
    return FALSE;
  *loss = loss_of (&tally);
  return TRUE;
}

gboolean
train_validate (TrainJob *job, TrainEpoch *epoch, GError **error)
{
  const TrainSet *set = &job->sets->validation;
  guint n_songs_right = 0;
  epoch->validation_loss = epoch->validation_accuracy = epoch->validation_song_accuracy = NAN;
  if (set->n == 0)
    return TRUE;

  g_auto (Tally) tally = { 0 };
  if (!tally_init (&tally, job, set, error) || !count_all (job, &job->validation, &tally, error))
    return FALSE;

  for (guint s = 0; s < set->n_songs; s++)
    n_songs_right += tally.labels[s] >= 0 &&
                     segue_argmax_f64 (tally.songs + (gsize) s * tally.n_labels, tally.n_labels) ==
                       (guint) tally.labels[s];
  epoch->validation_loss = loss_of (&tally);
  epoch->validation_accuracy = (double) tally.n_right / set->n;
  epoch->validation_song_accuracy = (double) n_songs_right / set->n_songs;
  return TRUE;
}
