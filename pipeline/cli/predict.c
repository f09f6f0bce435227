/* segue predict */
#include "pipeline-arg.h"
#include "predict-files.h"
#include "predict-list.h"
#include "predict-songs.h"
#include "unsure.h"

#include <string.h>

#define MAX_JOBS 1024
#define MAX_TOP  100000

typedef struct {
  char *model;
  gboolean json, csv, timeline;
  gint top;
  char *aggregation;
  char *none;
  gboolean null;
  gint jobs;
  gboolean partial;
  gboolean no_cache;
  char *precision;
  char *backend;
} Options;

/* ---- Parsing of options ---- */

/* A model and how it is used. */
typedef struct {
  char *folder;
  SegueModelPrecision precision;
  SegueAggregation aggregation;
  SegueUnsure unsure;
} Model;

static void
model_clear (Model *model)
{
  g_clear_pointer (&model->folder, g_free);
  segue_unsure_clear (&model->unsure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Model, model_clear)

static gboolean
find_model (const Options *options, Model *model, GError **error)
{
  guint precision = SEGUE_MODEL_AUTO, aggregation = SEGUE_N_AGGREGATIONS;
  const SegueVerb *verb = &segue_verb_predict;
  if (!segue_parse_choice (verb, "precision", options->precision, segue_model_precision_names (),
                           &precision, error) ||
      !segue_parse_choice (verb, "aggregation", options->aggregation, segue_aggregation_names (),
                           &aggregation, error))
    return FALSE;
  model->folder = segue_predictor_find_model (options->model, &model->aggregation, error);
  if (!model->folder)
    return FALSE;
  model->precision = (SegueModelPrecision) precision;
  if (aggregation != SEGUE_N_AGGREGATIONS)
    model->aggregation = (SegueAggregation) aggregation;
  return segue_unsure_find (verb, options->none, model->folder, model->aggregation, &model->unsure,
                            error);
}

/* ---- Files ---- */

static GPtrArray *
find_files (SegueRegistry *registry, const Options *options, char **arguments, GError **error)
{
  g_autofree const char **extensions = segue_registry_list_extensions (registry);
  const SeguePredictInput input = { .arguments = arguments,
                                    .extensions = extensions,
                                    .list = stdin,
                                    .separator = options->null ? '\0' : '\n' };
  g_autoptr (GPtrArray) files = segue_predict_files (&input, error);
  if (!files || files->len > 0)
    return g_steal_pointer (&files);
  g_autofree char *shown = segue_text_printable (arguments[0]);
  if (g_str_equal (arguments[0], "-") || segue_predict_is_playlist (arguments[0]))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "the list of files is empty");
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no audio file in ‘%s’", shown);
  return NULL;
}

/* ---- The verb ---- */

static gboolean
check_options (const Options *options, char **arguments, GError **error)
{
  const SegueVerb *verb = &segue_verb_predict;
  if (!options->model)
    return segue_usage_error (verb, error, "--model is missing: the folder of a run or of a model");
  if (!arguments[0])
    return segue_usage_error (verb, error, "give one song or more, a folder, or - for a list");
  if (options->json && options->csv)
    return segue_usage_error (verb, error, "--json and --csv can't be combined");
  if (options->null && !g_strv_contains ((const char *const *) arguments, "-"))
    return segue_usage_error (verb, error, "--null applies only to a list: give - to read one");
  return TRUE;
}

static void
warn (SegueCli *cli, const char *message)
{
  g_autofree char *shown = segue_text_printable (message);
  fprintf (cli->err.stream, "segue: %s\n", shown);
}

static gboolean
verb_predict (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_auto (Model) model = { 0 };
  if (!check_options (options, arguments, error) || !find_model (options, &model, error))
    return FALSE;
  segue_choose_backend (options->backend);
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autoptr (GPtrArray) files = find_files (registry, options, arguments, error);
  if (!files)
    return FALSE;
  guint jobs = options->jobs > 0 ? (guint) options->jobs : MIN (g_get_num_processors (), MAX_JOBS);
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (registry, model.folder, jobs, model.precision, error);
  if (!predictor)
    return FALSE;
  segue_predictor_set_aggregation (predictor, model.aggregation,
                                   model.unsure.judges ? &model.unsure.threshold : NULL);
  if (model.unsure.notice)
    warn (cli, model.unsure.notice);
  if (!segue_predictor_relax (predictor, options->partial, error))
    return FALSE;

  /* Without a cache it only takes longer. */
  g_autoptr (GError) no_cache = NULL;
  if (!options->no_cache && !segue_predictor_use_cache (predictor, NULL, &no_cache))
    warn (cli, no_cache->message);
  const SeguePredictSongs ask = { .predictor = predictor,
                                  .files = files,
                                  .format = options->json  ? SEGUE_PREDICT_JSON
                                            : options->csv ? SEGUE_PREDICT_CSV
                                                           : SEGUE_PREDICT_TABLE,
                                  .timeline = options->timeline,
                                  .judges = model.unsure.judges,
                                  .rejects = model.unsure.given,
                                  .n_top = (guint) options->top,
                                  .n_threads = jobs };
  gboolean ok = segue_predict_songs (cli, &ask, error);
  g_autofree char *warning = segue_predictor_get_warning (predictor);
  if (warning)
    warn (cli, warning);
  return ok;
}

static const SegueOption rows[] = {
  { "model", 'm', SEGUE_OPTION_PATH, offsetof (Options, model), "DIR", 0, 0,
    "the folder of a run (runs/artist/latest), of a model, or ORG/NAME of a fetched one" },
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "one JSON object per line: file, label, distance (from all labels, if the model has a space), "
    "unsure, candidates (if unsure: the two most probable labels), probabilities, segments (start, "
    "duration, probabilities); or file, error. With --none-of-these, label is null for an unsure "
    "song, and nearest is the most probable label; note states why training would not have used "
    "the song" },
  { "csv", 0, SEGUE_OPTION_FLAG, offsetof (Options, csv), NULL, 0, 0,
    "a header and one row per song: file, label, confidence, error, then the probability of each "
    "label, then unsure (1, 0; empty: not known). With --none-of-these, label is empty for an "
    "unsure song" },
  { "timeline", 't', SEGUE_OPTION_FLAG, offsetof (Options, timeline), NULL, 0, 0,
    "also show segments: a strip of letters below each song; in CSV one row per segment; JSON "
    "always has them" },
  { "top", 'n', SEGUE_OPTION_COUNT, offsetof (Options, top), "N", 1, MAX_TOP,
    "how many labels to show (default: 2; in JSON and CSV all)" },
  { "aggregation", 'a', SEGUE_OPTION_STRING, offsetof (Options, aggregation), "NAME", 0, 0,
    "how the predictions of segments are combined into that of a song: mean-probability, "
    "mean-logit (their geometric mean), vote, or confidence-weighted (default: as the model was "
    "evaluated)" },
  { "none-of-these", 0, SEGUE_OPTION_STRING, offsetof (Options, none), "PERCENT", 0, 0,
    "show a song as unsure if it is stranger than all but PERCENT of the correctly classified songs "
    "that the model was not trained on, and omit its label in JSON and CSV; off: never (default: as "
    "the model's `evaluate` stage states, usually 10, with the label)" },
  { "null", '0', SEGUE_OPTION_FLAG, offsetof (Options, null), NULL, 0, 0,
    "names in a list end with a zero byte, as `find -print0` writes them" },
  { "partial", 0, SEGUE_OPTION_FLAG, offsetof (Options, partial), NULL, 0, 0,
    "also predict truncated and damaged files, from the part that can be decoded" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (Options, jobs), "N", 1, MAX_JOBS,
    "songs at once (default: one per processor)" },
  { "no-cache", 0, SEGUE_OPTION_FLAG, offsetof (Options, no_cache), NULL, 0, 0,
    "classify every song again, and cache no predictions" },
  { "precision", 0, SEGUE_OPTION_STRING, offsetof (Options, precision), "NAME", 0, 0,
    "float32, bfloat16, int8 (fastest, but may change a prediction) or auto (default: what the "
    "processor supports without loss of accuracy)" },
  SEGUE_OPTION_BACKEND (Options),
  { NULL },
};

static const SegueExample examples[] = {
  { "segue predict --model runs/artist/latest song.mp3", "who is the artist?" },
  { "segue predict --model runs/artist/latest --timeline song.mp3", "the same, by segment" },
  { "segue predict --model runs/artist/latest ~/New --csv > new.csv", "a folder, as CSV" },
  { "segue predict --model runs/artist/latest 'New/*.mp3' --json", "JSON for another program" },
  { "find New -print0 | segue predict --model runs/artist/latest -0 -",
    "a list, with any characters in the names" },
  { "segue predict --model runs/artist/latest --none-of-these 5 ~/New",
    "no label for songs of unknown artists" },
  { NULL, NULL },
};

const SegueVerb segue_verb_predict = {
  .name = "predict",
  .summary = "predict the artist of songs with a trained model",
  .synopsis = "--model DIR FILE... [--json | --csv] [--timeline] [--top N] [-j N]",
  .doc =
    "Prepares each song exactly as in training, classifies every segment, aggregates the results, "
    "and prints the file, the most probable label with its probability, and the runner-up. FILE is "
    "a song, a folder that is searched for audio files, a playlist (.m3u, .m3u8, .pls), a pattern "
    "such as '*.mp3' where no shell has expanded it, or - for a list on stdin, one name per "
    "line.\n\nPredictions are printed in the order of the files, whatever -j is; once a song is "
    "done, only its name stays in memory. A file that can't be used is reported in its place, and "
    "the others are classified all the same; the exit status is then 65.\n\nA song that training "
    "would skip because it is shorter than a segment, or longer than the limit (a mix), is "
    "predicted from the available audio, with a note: its confidence is less "
    "reliable.\n\nPredictions of segments are cached (segue cache), so the same command resumes "
    "after a kill, and another --aggregation, --top or format decodes nothing. A song is "
    "identified by its bytes, a model by its files.\n\nA model predicts one of its labels for any "
    "song. A song that is unlike those of all labels, by its distance to them or by its confidence, "
    "is shown as unsure, with the two most probable labels. The threshold was measured in training, "
    "with songs that the model was not trained on: about 10 % of the correct predictions are shown "
    "as unsure, too. --none-of-these 5 makes that 5 %; with n such songs, the minimum is 1 / (n + "
    "1). How many songs of unknown artists are shown as unsure is measured in docs/results.md.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_predict,
};
