/* Predicts songs in several threads, and prints the answers in order. */
#include "predict-songs.h"
#include "in-order.h"
#include "job.h"
#include "predict-text.h"

/* Answers per thread that may wait for a slow song. */
#define AHEAD     4
#define TABLE_TOP 2 /* labels in a row */

/* The answer for one file: one of both is set. */
typedef struct {
  SegueSongPrediction *prediction;
  GError *error;
} Answer;

typedef struct {
  SegueCli *cli;
  const SeguePredictSongs *ask;
  SeguePredictTable table;
  SeguePredictCsv csv;
  GCancellable *cancellable;
  guint n_failed, n_cached;
  GError *failure; /* what ends the command: the model, the environment, a cancel */
} Predict;

static void
answer_free (gpointer data)
{
  Answer *answer = data;
  g_clear_pointer (&answer->prediction, segue_song_prediction_free);
  g_clear_error (&answer->error);
  g_free (answer);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Answer, answer_free)

static gpointer
make_answer (gpointer data, guint index)
{
  Predict *predict = data;
  Answer *answer = g_new0 (Answer, 1);
  if (!g_cancellable_is_cancelled (predict->cancellable))
    answer->prediction = segue_predictor_predict (predict->ask->predictor,
                                                  g_ptr_array_index (predict->ask->files, index),
                                                  predict->cancellable, &answer->error);
  if (!answer->prediction && !answer->error)
    answer->error = g_error_new (SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  return answer;
}

/* Names in CSV are printed unchanged, except on a terminal, which they could control. */
static void
print (Predict *predict, const char *text)
{
  const SegueTerm *out = &predict->cli->out;
  /* If both streams are one terminal, the bar would overwrite the answer. */
  if (out->tty)
    segue_progress_clear (predict->cli->progress);
  if (predict->ask->format != SEGUE_PREDICT_CSV || !out->tty) {
    fprintf (out->stream, "%s\n", text);
    return;
  }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    g_autofree char *line = segue_text_printable (lines[i]);
    fprintf (out->stream, "%s\n", line);
  }
}

/* Songs are decoded while the model is loaded; nothing can be printed before that is done. */
static gboolean
begin (Predict *predict, GError **error)
{
  const SeguePredictSongs *ask = predict->ask;
  if (!segue_predictor_wait (ask->predictor, error))
    return FALSE;
  const char *const *labels = segue_predictor_get_labels (ask->predictor);
  predict->csv = (SeguePredictCsv){ labels, ask->timeline, ask->n_top, ask->rejects };
  if (ask->format == SEGUE_PREDICT_TABLE)
    segue_predict_table_init (&predict->table, &predict->cli->out, ask->files, labels,
                              ask->n_top > 0 ? ask->n_top : TABLE_TOP, ask->judges);
  if (ask->format != SEGUE_PREDICT_CSV)
    return TRUE;
  g_autofree char *head = segue_predict_csv_head (&predict->csv);
  print (predict, head);
  return TRUE;
}

/* (nullable): the text on stdout for a file that could not be used. */
static char *
failure_text (Predict *predict, const char *file, const GError *error)
{
  switch (predict->ask->format) {
  case SEGUE_PREDICT_JSON:
    return segue_predict_json_error (file, error->message);
  case SEGUE_PREDICT_CSV:
    return segue_predict_csv_error (&predict->csv, file, error->message);
  case SEGUE_PREDICT_TABLE:
  default:
    return NULL;
  }
}

static char *
answer_text (Predict *predict, const char *file, const SegueSongPrediction *prediction)
{
  const SeguePredictSongs *ask = predict->ask;
  if (ask->format == SEGUE_PREDICT_JSON)
    return segue_predict_json (file, predict->csv.labels, prediction, ask->n_top, ask->rejects);
  if (ask->format == SEGUE_PREDICT_CSV)
    return segue_predict_csv_rows (&predict->csv, file, prediction);
  g_autofree char *row = segue_predict_table_row (&predict->table, file, prediction);
  if (!ask->timeline)
    return g_steal_pointer (&row);
  g_autofree char *strip =
    segue_predict_timeline (&predict->cli->out, predict->csv.labels, prediction);
  return g_strdup_printf ("%s\n%s", row, strip);
}

static void
say_failure (Predict *predict, const char *file, const GError *error)
{
  predict->n_failed++;
  if (!predict->failure && !segue_error_is_about_item (error))
    predict->failure = g_error_copy (error);
  g_autofree char *text = failure_text (predict, file, error);
  if (text) {
    print (predict, text);
    return;
  }
  g_autofree char *reason = segue_text_printable (error->message);
  g_autofree char *line = g_strdup_printf ("segue: %s", reason);
  segue_progress_print (predict->cli->progress, line);
}

/* A note on a song unlike the training songs; in JSON it is part of the answer. */
static void
say_note (Predict *predict, const SegueSongPrediction *prediction)
{
  if (!prediction->note || predict->ask->format == SEGUE_PREDICT_JSON)
    return;
  g_autofree char *reason = segue_text_printable (prediction->note);
  g_autofree char *line =
    g_strdup_printf ("note: %s; predicted from the available audio, less reliably", reason);
  segue_progress_print (predict->cli->progress, line);
}

static gboolean
was_stopped (const Answer *answer)
{
  return g_error_matches (answer->error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED) ||
         g_error_matches (answer->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static gboolean
take_answer (gpointer data, guint index, gpointer result)
{
  Predict *predict = data;
  g_autoptr (Answer) answer = result;
  const char *file = g_ptr_array_index (predict->ask->files, index);
  if (was_stopped (answer)) {
    g_clear_error (&predict->failure);
    predict->failure = g_error_new (SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  if (index == 0 && !begin (predict, &predict->failure))
    return FALSE;
  if (answer->error) {
    say_failure (predict, file, answer->error);
  } else {
    g_autofree char *text = answer_text (predict, file, answer->prediction);
    print (predict, text);
    say_note (predict, answer->prediction);
    predict->n_cached += answer->prediction->cached;
  }
  /* Stops early: answers that can't be written are useless. */
  if (!segue_term_flush (&predict->cli->out, predict->failure ? NULL : &predict->failure))
    return FALSE;
  g_autofree char *known =
    predict->n_cached > 0 ? g_strdup_printf ("%u from the cache", predict->n_cached) : NULL;
  segue_progress_update (predict->cli->progress, index + 1, predict->ask->files->len, known);
  return TRUE;
}

static gboolean
conclude (Predict *predict, GError **error)
{
  if (predict->failure) {
    g_propagate_error (error, g_steal_pointer (&predict->failure));
    return FALSE;
  }
  if (predict->n_failed == 0)
    return TRUE;
  guint n = predict->ask->files->len;
  if (n == 1)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "the file could not be used");
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%u of %u files could not be used",
                 predict->n_failed, n);
  return FALSE;
}

static gboolean
predict_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Predict *predict = data;
  predict->cancellable = cancellable;
  segue_progress_start (predict->cli->progress, "predict", 0, 0, "files");
  const SegueInOrder work = { .n = predict->ask->files->len,
                              .n_threads = predict->ask->n_threads,
                              .window = AHEAD * predict->ask->n_threads,
                              .data = predict,
                              .make = make_answer,
                              .take = take_answer,
                              .drop = answer_free };
  return segue_in_order (&work, error) && conclude (predict, error);
}

gboolean
segue_predict_songs (SegueCli *cli, const SeguePredictSongs *ask, GError **error)
{
  Predict predict = { .cli = cli, .ask = ask };
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  cli->progress = progress;
  gboolean ok = segue_job_run (cli, progress, predict_job, &predict, error);
  cli->progress = NULL;
  g_clear_error (&predict.failure);
  return ok;
}
