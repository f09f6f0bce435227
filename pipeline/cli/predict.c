/* segue predict */
#include "job.h"
#include "model-arg.h"
#include "pipeline-arg.h"
#include "predict-files.h"
#include "predict-text.h"

#define MAX_JOBS 1024
#define MAX_TOP  100000

typedef struct {
  char *model;
  gboolean json;
  gint top;
  gint jobs;
  char *precision;
  char *backend;
} Options;

/* The answer for one file: one of both is set once it is done. */
typedef struct {
  SegueSongPrediction *prediction;
  GError *error;
} Answer;

typedef struct {
  SegueCli *cli;
  const Options *options;
  SeguePredictor *predictor;
  GPtrArray *files;
  SeguePredictTable table;
  GCancellable *cancellable;
  GMutex mutex;
  GCond answered;
  Answer *answers; /* [files] */
  guint next;      /* file that no thread has taken yet */
  guint n_failed;
  GError *worst; /* the first that isn't about a file */
} Predict;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->prediction, segue_song_prediction_free);
  g_clear_error (&answer->error);
}

/* What `scan` takes for a song when nobody says otherwise; NULL: it isn't installed. */
static GStrv
audio_extensions (SegueRegistry *registry)
{
  const SegueStageType *scan = segue_registry_find_stage (registry, "scan");
  for (const SegueParam *const *row = scan ? scan->params : NULL; row && *row; row++)
    if (g_str_equal ((*row)->name, "extensions") && (*row)->def)
      return g_strsplit_set ((*row)->def, "[], \"'", -1);
  return NULL;
}

/* ---- Answers, by several threads, printed in order by one ---- */

static gpointer
answer_thread (gpointer data)
{
  Predict *predict = data;
  g_mutex_lock (&predict->mutex);
  while (predict->next < predict->files->len) {
    guint i = predict->next++;
    g_mutex_unlock (&predict->mutex);
    Answer answer = { 0 };
    if (!g_cancellable_is_cancelled (predict->cancellable))
      answer.prediction =
        segue_predictor_predict (predict->predictor, g_ptr_array_index (predict->files, i),
                                 predict->cancellable, &answer.error);
    if (!answer.prediction && !answer.error)
      answer.error = g_error_new (SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    g_mutex_lock (&predict->mutex);
    predict->answers[i] = answer;
    g_cond_signal (&predict->answered);
  }
  g_mutex_unlock (&predict->mutex);
  return NULL;
}

static void
print_failure (Predict *predict, const char *file, const GError *error)
{
  if (predict->options->json) {
    g_autofree char *line = segue_predict_json_error (file, error->message);
    fprintf (predict->cli->out.stream, "%s\n", line);
    return;
  }
  g_autofree char *text = segue_text_printable (error->message);
  g_autofree char *line = g_strdup_printf ("segue: %s", text);
  segue_progress_print (predict->cli->progress, line);
}

static void
print_answer (Predict *predict, guint i, const Answer *answer)
{
  const char *file = g_ptr_array_index (predict->files, i);
  const char *const *labels = predict->table.labels;
  if (answer->error) {
    predict->n_failed++;
    if (!predict->worst && !segue_error_is_about_item (answer->error))
      predict->worst = g_error_copy (answer->error);
    print_failure (predict, file, answer->error);
  } else {
    g_autofree char *line =
      predict->options->json
        ? segue_predict_json (file, labels, answer->prediction, (guint) predict->options->top)
        : segue_predict_table_row (&predict->table, file, answer->prediction);
    /* Where both streams are one terminal, the bar would stand in the answer's way. */
    if (predict->cli->out.tty)
      segue_progress_clear (predict->cli->progress);
    fprintf (predict->cli->out.stream, "%s\n", line);
  }
  fflush (predict->cli->out.stream);
  segue_progress_update (predict->cli->progress, i + 1, predict->files->len, NULL);
}

static gboolean
stopped (const Answer *answer)
{
  return g_error_matches (answer->error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED) ||
         g_error_matches (answer->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Prints answers as they come, in the order of the files. */
static gboolean
print_answers (Predict *predict)
{
  gboolean whole = TRUE;
  for (guint i = 0; i < predict->files->len; i++) {
    g_mutex_lock (&predict->mutex);
    while (!predict->answers[i].prediction && !predict->answers[i].error)
      g_cond_wait (&predict->answered, &predict->mutex);
    Answer answer = predict->answers[i];
    g_mutex_unlock (&predict->mutex);
    whole = whole && !stopped (&answer);
    if (whole)
      print_answer (predict, i, &answer);
    answer_clear (&predict->answers[i]);
  }
  return whole;
}

static gboolean
conclude (Predict *predict, gboolean whole, GError **error)
{
  if (!whole) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  if (predict->worst) {
    g_propagate_error (error, g_steal_pointer (&predict->worst));
    return FALSE;
  }
  if (predict->n_failed == 0)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%u of %u %s could not be used",
               predict->n_failed, predict->files->len, predict->files->len == 1 ? "file" : "files");
  return FALSE;
}

static guint
n_threads (const Predict *predict)
{
  guint asked =
    predict->options->jobs > 0 ? (guint) predict->options->jobs : g_get_num_processors ();
  return CLAMP (asked, 1, MIN (predict->files->len, MAX_JOBS));
}

/* Songs are decoded already while the model is read. */
static gboolean
wait_for_model (Predict *predict, GError **error)
{
  if (!segue_predictor_wait (predict->predictor, error)) {
    g_mutex_lock (&predict->mutex);
    predict->next = predict->files->len; /* no more songs */
    g_mutex_unlock (&predict->mutex);
    return FALSE;
  }
  gint top = predict->options->top;
  segue_predict_table_init (&predict->table, &predict->cli->out, predict->files,
                            segue_predictor_get_labels (predict->predictor),
                            top > 0 ? (guint) top : 2);
  return TRUE;
}

static gboolean
job (gpointer data, GCancellable *cancellable, GError **error)
{
  Predict *predict = data;
  predict->cancellable = cancellable;
  segue_progress_start (predict->cli->progress, "predict", 0, 0, "files");
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  for (guint i = 0; i < n_threads (predict); i++) {
    GThread *thread = segue_thread_start ("predict", answer_thread, predict, i == 0 ? error : NULL);
    /* Fewer are slower, nothing worse. */
    if (!thread)
      break;
    g_ptr_array_add (threads, thread);
  }
  if (threads->len == 0)
    return FALSE;
  gboolean loaded = wait_for_model (predict, error);
  gboolean whole = loaded && print_answers (predict);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  return loaded && conclude (predict, whole, error);
}

static gboolean
predict_files (SegueCli *cli, const Options *options, SeguePredictor *predictor, GPtrArray *files,
               GError **error)
{
  Predict predict = { .cli = cli, .options = options, .predictor = predictor, .files = files };
  predict.answers = g_new0 (Answer, files->len);
  g_mutex_init (&predict.mutex);
  g_cond_init (&predict.answered);
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  cli->progress = progress;
  gboolean ok = segue_job_run (cli, progress, job, &predict, error);
  cli->progress = NULL;
  for (guint i = 0; i < files->len; i++)
    answer_clear (&predict.answers[i]);
  g_clear_error (&predict.worst);
  g_cond_clear (&predict.answered);
  g_mutex_clear (&predict.mutex);
  g_free (predict.answers);
  return ok;
}

static gboolean
run (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  SegueModelPrecision precision;
  if (!options->model)
    return segue_usage_error (&segue_verb_predict, error,
                              "--model is missing: the folder of a run or of a model");
  if (!arguments[0])
    return segue_usage_error (&segue_verb_predict, error, "give one song or more, or a folder");
  if (!segue_parse_precision (&segue_verb_predict, options->precision, &precision, error))
    return FALSE;
  g_autofree char *folder = segue_find_model (options->model, error);
  if (!folder)
    return FALSE;
  segue_choose_backend (options->backend);
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_auto (GStrv) extensions = audio_extensions (registry);
  g_autoptr (GPtrArray) files =
    segue_predict_files (arguments, (const char *const *) extensions, error);
  if (!files)
    return FALSE;
  if (files->len == 0) {
    g_autofree char *shown = segue_text_printable (arguments[0]);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no audio file in ‘%s’", shown);
    return FALSE;
  }
  guint threads = options->jobs > 0 ? (guint) options->jobs : g_get_num_processors ();
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (registry, folder, threads, precision, error);
  return predictor && predict_files (cli, options, predictor, files, error);
}

/* ---- The verb ---- */

static const SegueOption rows[] = {
  { "model", 'm', SEGUE_OPTION_PATH, offsetof (Options, model), "DIR", 0, 0,
    "the folder of a run (runs/artist/latest), of a model, or ORG/NAME of a fetched one" },
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "one JSON object per line: file, label, probabilities, segments (start, duration, "
    "probabilities); or file, error" },
  { "top", 'n', SEGUE_OPTION_COUNT, offsetof (Options, top), "N", 1, MAX_TOP,
    "how many labels to show (default: 2; in JSON all)" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (Options, jobs), "N", 1, MAX_JOBS,
    "songs at once (default: one per processor)" },
  { "precision", 0, SEGUE_OPTION_STRING, offsetof (Options, precision), "NAME", 0, 0,
    "float32, bfloat16, int8 (fastest, and may change an answer) or auto (the default: what the "
    "processor has that costs no accuracy)" },
  SEGUE_OPTION_BACKEND (Options),
  { NULL },
};

static const SegueExample examples[] = {
  { "segue predict --model runs/artist/latest song.mp3", "who made this?" },
  { "segue predict --model runs/artist/latest ~/New --json", "a folder, for another program" },
  { NULL, NULL },
};

const SegueVerb segue_verb_predict = {
  .name = "predict",
  .summary = "name the artist of songs with a trained model",
  .synopsis = "--model DIR FILE... [--json] [--top N] [-j N] [--precision NAME]",
  .doc =
    "Prepares each song exactly as in training, asks the model about every segment of it, and "
    "answers "
    "with the mean: the file, the most probable label with its probability, and the runner-up. "
    "Folders are searched for audio files.\n\nAnswers come in the order of the files. A file that "
    "can't be used is reported in its place and the others are answered all the same; the exit "
    "status is then 65.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = run,
};
