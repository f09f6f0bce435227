/* segue check */
#include "data-view.h"
#include "job.h"
#include "pipeline-arg.h"
#include "preflight.h"
#include "run-outcome.h"

#include <segue/json.h>

typedef struct {
  char *preset;
  char **set;
  gboolean json, data;
} Options;

/* @input: a connection, or a list of them */
static void
append_source (GString *out, const json_t *input, json_t *seen)
{
  for (gsize i = 0; i < json_array_size (input); i++)
    append_source (out, json_array_get (input, i), seen);
  const char *stage = json_string_value (json_object_get (input, "stage"));
  if (!stage || json_object_get (seen, stage))
    return;
  json_object_set_new (seen, stage, json_true ());
  g_string_append_printf (out, "%s%s", out->len > 0 ? ", " : "", stage);
}

/* "split, train": where a stage's inputs come from, each stage once. */
static char *
sources_text (const json_t *inputs)
{
  GString *out = g_string_new (NULL);
  json_t *seen = json_object ();
  const char *port;
  json_t *input;
  json_object_foreach ((json_t *) inputs, port, input) append_source (out, input, seen);
  json_decref (seen);
  return g_string_free (out, FALSE);
}

/* "model, metrics": a stage's outputs. */
static char *
kinds_text (const json_t *outputs)
{
  GString *out = g_string_new (NULL);
  const char *port;
  json_t *kind;
  json_object_foreach ((json_t *) outputs, port, kind)
    g_string_append_printf (out, "%s%s", out->len > 0 ? ", " : "", json_string_value (kind));
  return g_string_free (out, FALSE);
}

/* "songs (scan)"; "decode". */
static char *
stage_text (const json_t *stage)
{
  const char *id = json_string_value (json_object_get (stage, "id"));
  const char *use = json_string_value (json_object_get (stage, "use"));
  return g_strcmp0 (id, use) == 0 ? g_strdup (id) : g_strdup_printf ("%s (%s)", id, use);
}

static void
append_stage (GString *out, const SegueTerm *term, const json_t *stage, const guint *widths)
{
  g_autofree char *name = stage_text (stage);
  g_autofree char *sources = sources_text (json_object_get (stage, "inputs"));
  g_autofree char *kinds = kinds_text (json_object_get (stage, "outputs"));
  const char *from = term->unicode ? "← " : "< ";
  const char *to = term->unicode ? "→ " : "> ";
  g_string_append (out, "  ");
  g_string_append (out, segue_term_style (term, SEGUE_STYLE_CYAN));
  segue_text_append_padded (out, name, widths[0]);
  g_string_append_printf (out, "%s  %s", segue_term_reset (term), *sources ? from : "  ");
  segue_text_append_padded (out, sources, *kinds ? widths[1] : 0);
  if (*kinds)
    g_string_append_printf (out, "  %s%s", to, kinds);
  if (json_is_true (json_object_get (stage, "live")))
    g_string_append (out, ", applied when read");
  g_string_append_c (out, '\n');
}

static char *
overview (const SegueTerm *term, const json_t *root)
{
  const json_t *stages = json_object_get (root, "stages");
  guint widths[2] = { 0, 0 };
  size_t i;
  json_t *stage;
  json_array_foreach ((json_t *) stages, i, stage)
  {
    g_autofree char *name = stage_text (stage);
    g_autofree char *sources = sources_text (json_object_get (stage, "inputs"));
    widths[0] = MAX (widths[0], segue_text_width (name));
    widths[1] = MAX (widths[1], segue_text_width (sources));
  }
  GString *out = g_string_new (NULL);
  g_string_append_printf (out, "%s%s%s: %u %s, seed %" JSON_INTEGER_FORMAT "\n",
                          segue_term_style (term, SEGUE_STYLE_BOLD),
                          json_string_value (json_object_get (root, "name")),
                          segue_term_reset (term), (guint) json_array_size (stages),
                          json_array_size (stages) == 1 ? "stage" : "stages",
                          json_integer_value (json_object_get (root, "seed")));
  json_array_foreach ((json_t *) stages, i, stage) append_stage (out, term, stage, widths);
  return g_string_free (out, FALSE);
}

/* A folder may not be known yet: any path suffices to check the rest.
 * @folder: (nullable): `name=value`, for a variable */
static SeguePipeline *
load (SegueCli *cli, SegueRegistry *registry, const char *path, char **set, const char *folder,
      GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  if (folder)
    g_strv_builder_add (builder, folder);
  for (; set && *set; set++)
    g_strv_builder_add (builder, *set);
  g_auto (GStrv) all = g_strv_builder_end (builder);
  return segue_load_pipeline (cli, registry, path, (const char *const *) all, error);
}

static void
print_note (const SegueTerm *err, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (err->stream, "%snote:%s %s\n", segue_term_style (err, SEGUE_STYLE_YELLOW),
           segue_term_reset (err), text);
}

static void
print_warnings (const SegueTerm *err, SeguePipeline *pipeline)
{
  for (const char *const *one = segue_pipeline_get_warnings (pipeline); *one; one++) {
    g_autofree char *text = segue_text_printable (*one);
    fprintf (err->stream, "%swarning:%s %s\n", segue_term_style (err, SEGUE_STYLE_YELLOW),
             segue_term_reset (err), text);
  }
}

/* The pipeline is valid, but cannot start yet. */
static void
print_needs (SegueCli *cli, SegueRegistry *registry, SeguePipeline *pipeline, const char *unset)
{
  g_autoptr (GPtrArray) needs = segue_preflight (registry, pipeline);
  if (unset)
    print_note (&cli->err, "give a folder of %s when you run it", unset);
  for (guint i = 0; i < needs->len; i++) {
    const SegueNeed *need = g_ptr_array_index (needs, i);
    const SegueStageType *type = segue_registry_find_stage (registry, need->stage_type);
    gboolean is_source = type && type->mode == SEGUE_MODE_SOURCE;
    if (!is_source || !unset)
      print_note (&cli->err, "stage '%s': %s: %s%s", need->stage, need->parameter,
                  need->error->message, is_source ? "; give a folder when you run it" : "");
  }
}

/* ---- The data ---- */

typedef struct {
  SegueCli *cli;
  SeguePipeline *pipeline;
  SegueRunOptions options;
  SegueRunOutcome outcome;
  json_t *data;
} Survey;

static void
print_line (Survey *survey, const SegueEvent *event)
{
  const char *stage = event->stage;
  if (!segue_log_wants (g_getenv ("SEGUE_DEBUG"), stage ? stage : "run", event->level))
    return;
  g_autofree char *text = segue_text_printable (event->text);
  fprintf (survey->cli->err.stream, "%s%s%s\n", stage ? stage : "", stage ? ": " : "", text);
}

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  Survey *survey = data;
  if (event->type == SEGUE_EVENT_LOG)
    print_line (survey, event);
  else if (event->type == SEGUE_EVENT_ITEM_FAILED)
    segue_run_outcome_add_failure (&survey->outcome, event->stage, event->text,
                                   event->error->message);
  else if (event->type == SEGUE_EVENT_DATA)
    survey->data = segue_data_view_describe (event->data);
  return TRUE;
}

static gboolean
look (gpointer data, GCancellable *cancellable, GError **error)
{
  Survey *survey = data;
  return segue_pipeline_survey (survey->pipeline, &survey->options, &survey->outcome.result,
                                cancellable, error);
}

static void
print_survey (SegueCli *cli, Survey *survey, gboolean json)
{
  if (json) {
    if (survey->data)
      json_object_set_new (survey->data, "quarantined",
                           segue_run_outcome_list_failures (&survey->outcome));
    segue_term_print_json (&cli->out, json_incref (survey->data), JSON_COMPACT);
    return;
  }
  segue_run_outcome_print_counts (&survey->outcome, &cli->err);
  if (survey->data)
    segue_data_view_print (survey->data, &cli->out);
}

/* Lists the files, and lets stages read what they look at when they plan; nothing is decoded. */
static gboolean
check_data (SegueCli *cli, SeguePipeline *pipeline, gboolean json, GError **error)
{
  Survey survey = { .cli = cli, .pipeline = pipeline };
  const SegueSink sink = { .take = take_event, .data = &survey };
  survey.options = (SegueRunOptions) SEGUE_INIT (SegueRunOptions, .sinks = &sink, .n_sinks = 1);
  segue_run_outcome_init (&survey.outcome);
  gboolean ok = segue_job_run (cli, NULL, look, &survey, error);
  if (ok || survey.data)
    print_survey (cli, &survey, json);
  json_decref (survey.data);
  segue_run_outcome_clear (&survey.outcome);
  return ok;
}

static gboolean
verb_check (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autofree char *path =
    segue_find_pipeline (&segue_verb_check, options->preset, &arguments, error);
  if (!path || !segue_refuse_arguments (&segue_verb_check, arguments, 1, error))
    return FALSE;
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autofree char *unset = segue_find_unset_variable (path, options->set), *folder = NULL;
  if (arguments[0] ? !(folder = segue_folder_override (path, arguments[0], error)) : FALSE)
    return FALSE;
  if (!folder && unset)
    folder = g_strconcat (unset, "=FOLDER", NULL);
  g_autoptr (SeguePipeline) pipeline = load (cli, registry, path, options->set, folder, error);
  if (!pipeline)
    return FALSE;
  if (options->data || arguments[0])
    return check_data (cli, pipeline, options->json, error);
  g_autofree char *text = segue_pipeline_describe (pipeline);
  if (options->json) {
    g_autofree char *json = segue_json_printable (text);
    fprintf (cli->out.stream, "%s%s", json, g_str_has_suffix (json, "\n") ? "" : "\n");
    return TRUE;
  }
  json_t *root = segue_json_parse (text, -1, "the pipeline", SEGUE_JSON_SETTINGS, NULL, NULL);
  g_autofree char *shown = overview (&cli->out, root);
  json_decref (root);
  fputs (shown, cli->out.stream);
  fflush (cli->out.stream);
  print_warnings (&cli->err, pipeline);
  print_needs (cli, registry, pipeline, unset);
  return TRUE;
}

static const SegueOption rows[] = {
  { "preset", 'p', SEGUE_OPTION_STRING, offsetof (Options, preset), "NAME", 0, 0,
    "a pipeline that comes with segue, instead of a file" },
  { "set", 's', SEGUE_OPTION_LIST, offsetof (Options, set), "KEY=VALUE", 0, 0,
    "as for segue run; may be given many times" },
  { "data", 'd', SEGUE_OPTION_FLAG, offsetof (Options, data), NULL, 0, 0,
    "show the data set: songs of each label by set, what is skipped and why; also implied by "
    "FOLDER" },
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "the pipeline as resolved, with every default, or the data set, as JSON" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue check mine.yaml", "is it valid, and how are its stages connected?" },
  { "segue check --preset artist --json", "every parameter with its value" },
  { "segue check --preset artist-small ~/Music",
    "which songs would be used for training and testing" },
  { NULL, NULL },
};

const SegueVerb segue_verb_check = {
  .name = "check",
  .summary = "check a pipeline without running it",
  .synopsis = "PIPELINE|--preset NAME [FOLDER] [--set KEY=VALUE]... [--data] [--json]",
  .doc = "Reads and resolves a pipeline, and shows its stages and how they are connected; or, with "
         "exit status 78, the position of the first error in the file and how to fix it. Nothing "
         "is run, and the music need not exist.\n\nWith a FOLDER, or with --data if the pipeline "
         "names one, it shows the data set instead: songs of each label by set, what is skipped "
         "and why. No song is decoded: songs that turn out to be damaged may still change it.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_check,
};
