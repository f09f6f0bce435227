/* segue report */
#include "job.h"
#include "pipeline-arg.h"
#include "report-place.h"

#include <segue/file.h>

#define MAX_CLIPS 2000
#define MAX_JOBS  1024

typedef struct {
  char *out;
  gint clips;
  gint jobs;
  char *format;
  char *music;
} Options;

typedef struct {
  SegueCli *cli;
  SegueRegistry *registry;
  const char *run;
  char *with;
  SegueReportPlace *place;
  SegueRunOptions options;
} Report;

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  SegueProgress *progress = ((Report *) data)->cli->progress;
  if (event->type == SEGUE_EVENT_PROGRESS)
    segue_progress_update (progress, event->done, event->total, event->text);
  else if (event->type == SEGUE_EVENT_PROGRESS_UNIT)
    segue_progress_set_unit (progress, event->text);
  else if (event->type == SEGUE_EVENT_LOG &&
           segue_log_wants (g_getenv ("SEGUE_DEBUG"), event->stage, event->level)) {
    g_autofree char *text = segue_text_printable (event->text);
    segue_progress_print (progress, text);
  }
  return TRUE;
}

static gboolean
report_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Report *report = data;
  segue_progress_start (report->cli->progress, "report", 0, 0, NULL);
  return segue_finished_run_apply (report->registry, report->run, "report", report->with,
                                   segue_report_place_get_work (report->place), &report->options,
                                   cancellable, error) &&
         segue_report_place_commit (report->place, error);
}

/* @text as a quoted YAML scalar. */
static void
append_quoted (GString *yaml, const char *text)
{
  g_string_append_c (yaml, '"');
  for (const char *at = text; *at; at++)
    if (g_ascii_iscntrl (*at))
      g_string_append_printf (yaml, "\\x%02x", (guchar) *at);
    else if (*at == '"' || *at == '\\')
      g_string_append_printf (yaml, "\\%c", *at);
    else
      g_string_append_c (yaml, *at);
  g_string_append_c (yaml, '"');
}

/* The stage's parameters, as YAML; the stage itself validates values. */
static char *
make_parameters (const Options *options)
{
  g_autoptr (GString) with = g_string_new ("{ ");
  if (options->clips > 0)
    g_string_append_printf (with, "clips: %d, ", options->clips);
  if (options->format) {
    g_string_append (with, "format: ");
    append_quoted (with, options->format);
    g_string_append (with, ", ");
  }
  if (options->music) {
    g_autofree char *absolute = g_canonicalize_filename (options->music, NULL);
    g_string_append (with, "music: ");
    append_quoted (with, absolute);
  }
  g_string_append (with, " }");
  return g_string_free (g_steal_pointer (&with), FALSE);
}

static gboolean
make_report (Report *report, GError **error)
{
  SegueCli *cli = report->cli;
  const SegueSink sink = { .take = take_event, .data = report };
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  report->options.struct_size = sizeof report->options;
  report->options.sinks = &sink;
  report->options.n_sinks = 1;
  cli->progress = progress;
  gboolean ok = segue_job_run (cli, progress, report_job, report, error);
  cli->progress = NULL;
  return ok;
}

static gboolean
verb_report (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  if (!arguments[0])
    return segue_usage_error (&segue_verb_report, error,
                              "give the folder of a run, such as runs/artist/latest");
  if (!segue_refuse_arguments (&segue_verb_report, arguments, 1, error))
    return FALSE;
  if (options->music && !g_file_test (options->music, G_FILE_TEST_IS_DIR)) {
    g_autofree char *shown = g_filename_display_name (options->music);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "‘%s’ is not a folder", shown);
    return FALSE;
  }
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autofree char *with = make_parameters (options);
  g_autoptr (SegueReportPlace) place = segue_report_place_new (arguments[0], options->out, error);
  if (!place)
    return FALSE;
  Report report = { .cli = cli,
                    .registry = registry,
                    .run = arguments[0],
                    .with = with,
                    .place = place,
                    .options = { .workers = (guint) options->jobs } };
  if (!make_report (&report, error))
    return FALSE;
  g_autofree char *page =
    g_build_filename (options->out ? options->out : arguments[0],
                      options->out ? "index.html" : "report/index.html", NULL);
  g_autofree char *shown = segue_text_printable (page);
  fprintf (cli->out.stream, "%s\n", shown);
  fflush (cli->out.stream);
  fprintf (cli->err.stream, "open it in a browser, from disk: it needs no server and no network\n");
  return TRUE;
}

/* ---- The verb ---- */

static const SegueOption rows[] = {
  { "out", 'o', SEGUE_OPTION_PATH, offsetof (Options, out), "DIR", 0, 0,
    "where the page is written: a folder that does not exist, is empty, or holds an unchanged "
    "report (default: report in the run's folder)" },
  { "clips", 0, SEGUE_OPTION_COUNT, offsetof (Options, clips), "N", 1, MAX_CLIPS,
    "number of wrong segments that get a clip, most confident first (default: 200)" },
  { "music", 0, SEGUE_OPTION_PATH, offsetof (Options, music), "FOLDER", 0, 0,
    "the music folder of the run: clips are cut from songs below it, and from no other file" },
  { "format", 0, SEGUE_OPTION_STRING, offsetof (Options, format), "NAME", 0, 0,
    "of the clips: opus (the default, small) or flac" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (Options, jobs), "N", 1, MAX_JOBS,
    "songs decoded at once (default: one per processor)" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue report runs/artist/latest --music ~/Music", "accuracy, and the errors to listen to" },
  { "segue report runs/artist/latest --out ~/for-anna", "a copy to give away, without clips" },
  { NULL, NULL },
};

const SegueVerb segue_verb_report = {
  .name = "report",
  .summary = "write the report of a finished run: charts, errors to listen to",
  .synopsis = "RUN [--out DIR] [--music FOLDER] [--clips N] [--format NAME]",
  .doc =
    "Writes report/index.html into the folder of a finished run, in place of an earlier report: "
    "accuracy by label, confusion matrix, learning curves, reliability, every song with its "
    "segments, and the wrong segments as clips, each beside the most similar training segment of "
    "the correct artist. The presets end with the same page; this verb writes it for runs of "
    "pipelines without the stage `report`, or rewrites it.\n\nClips are cut from the songs below "
    "--music FOLDER. Without it there are no clips: the paths in a run's files are not trusted, "
    "since the run may come from someone else.\n\nA folder is replaced only if every file in it "
    "was written by segue and is unchanged.\n\nWrong labels can be corrected in the page, which "
    "saves them as a table for the next run: segue run … --set songs.relabel=relabel.csv.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_report,
};
