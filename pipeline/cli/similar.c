/* segue similar */
#include "job.h"
#include "pipeline-arg.h"
#include "predict-files.h"
#include "predict-text.h"

#include <math.h>
#include <segue/host/library.h>

#define MAX_JOBS 1024
#define MAX_TOP  100000
#define TOP      10

typedef struct {
  char *at;
  gint top;
  gboolean json;
  gint jobs;
} Options;

typedef struct {
  SegueCli *cli;
  SegueRegistry *registry;
  const char *folder;
  GPtrArray *files;
  double at; /* s; NaN: whole songs */
  guint top, threads;
  gboolean json;
} Similar;

/* ---- Options ---- */

/* "90", "1:30" or "1:02:03" → s */
static gboolean
parse_time (const char *given, double *seconds, GError **error)
{
  *seconds = given ? 0 : NAN;
  g_auto (GStrv) parts = g_strsplit (given ? given : "", ":", -1);
  guint n = g_strv_length (parts);
  gboolean ok = n <= 3;
  for (guint i = 0; ok && i < n; i++) {
    char *end;
    double value = g_ascii_strtod (parts[i], &end);
    ok = g_ascii_isdigit (*parts[i]) && *end == '\0' && value >= 0 && value < 1e6 &&
         (i == 0 || value < 60);
    *seconds = *seconds * 60 + value;
  }
  if (!given || (ok && n > 0))
    return TRUE;
  g_autofree char *shown = segue_text_printable (given);
  return segue_usage_error (&segue_verb_similar, error,
                            "--at must be a time such as 1:30, or seconds, got ‘%s’", shown);
}

/* (transfer full): "1:05" */
static char *
show_time (double seconds)
{
  guint whole = (guint) MAX (seconds, 0);
  return g_strdup_printf ("%u:%02u", whole / 60, whole % 60);
}

/* ---- Text ---- */

static void
print_head (const Similar *similar, const char *file, const SegueLibraryAnswer *answer)
{
  SegueCli *cli = similar->cli;
  g_autofree char *name = segue_text_printable (file);
  if (similar->files->len > 1 || !isnan (similar->at))
    fprintf (cli->out.stream, "%s%s%s", segue_term_style (&cli->out, SEGUE_STYLE_BOLD), name,
             segue_term_reset (&cli->out));
  if (!isnan (similar->at)) {
    g_autofree char *start = show_time (answer->start);
    g_autofree char *end = show_time (answer->start + answer->duration);
    fprintf (cli->out.stream, ", %s to %s", start, end);
  }
  if (similar->files->len > 1 || !isnan (similar->at))
    fputc ('\n', cli->out.stream);
}

static void
print_text (const Similar *similar, const char *file, const SegueLibraryAnswer *answer)
{
  SegueCli *cli = similar->cli;
  if (answer->same) {
    g_autofree char *id = segue_text_printable (answer->same->id);
    g_autofree char *more =
      answer->n_same > 1 ? g_strdup_printf (" and %u more", answer->n_same - 1) : g_strdup ("");
    g_autofree char *note =
      g_strdup_printf ("not listed: ‘%s’%s, the same sound as the song itself", id, more);
    segue_progress_print (cli->progress, note);
  }
  print_head (similar, file, answer);
  for (guint i = 0; i < answer->n_matches; i++) {
    const SegueLibraryMatch *match = &answer->matches[i];
    g_autofree char *id = segue_text_printable (match->song->id);
    g_autofree char *start = show_time (match->start);
    char similarity[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd (similarity, sizeof similarity, "%5.2f", match->similarity + 0.0);
    fprintf (cli->out.stream, "%s%s%s %6s  %s\n", segue_term_style (&cli->out, SEGUE_STYLE_CYAN),
             similarity, segue_term_reset (&cli->out), start, id);
  }
}

/* ---- JSON ---- */

static json_t *
describe_match (const SegueLibraryMatch *match)
{
  const SegueLibrarySong *song = match->song;
  return json_pack ("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o}", "id", song->id,
                    "source", song->source, "label", song->label, "set", song->set, "title",
                    song->title, "artist", song->artist, "album", song->album, "similarity",
                    segue_json_number (match->similarity), "start",
                    segue_json_number (match->start), "query_start",
                    segue_json_number (match->query_start));
}

static void
print_json (const Similar *similar, const char *file, const SegueLibraryAnswer *answer)
{
  g_autofree char *name = segue_predict_name (file);
  json_t *matches = json_array ();
  json_t *moment = isnan (similar->at)
                     ? json_null ()
                     : json_pack ("{s:o, s:o}", "start", segue_json_number (answer->start),
                                  "duration", segue_json_number (answer->duration));
  for (guint i = 0; i < answer->n_matches; i++)
    json_array_append_new (matches, describe_match (&answer->matches[i]));
  segue_term_print_json (&similar->cli->out,
                         json_pack ("{s:s, s:o, s:s?, s:o}", "file", name, "moment", moment, "same",
                                    answer->same ? answer->same->id : NULL, "matches", matches),
                         JSON_COMPACT);
}

/* ---- The search ---- */

static void
print_failure (const Similar *similar, const char *file, const GError *error)
{
  if (similar->json) {
    g_autofree char *line = segue_predict_json_error (file, error->message);
    fprintf (similar->cli->out.stream, "%s\n", line);
    return;
  }
  g_autofree char *reason = segue_text_printable (error->message);
  g_autofree char *line = g_strdup_printf ("segue: %s", reason);
  segue_progress_print (similar->cli->progress, line);
}

/* %FALSE: not only this song is affected. */
static gboolean
find_for (Similar *similar, SegueLibrary *library, const char *file, guint *n_failed,
          GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueLibraryAnswer) answer =
    segue_library_find (library, file, similar->at, similar->top, cancellable, &local);
  if (!answer && !segue_error_is_about_item (local) &&
      !g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  /* If both streams are one terminal, the bar would overwrite the answer. */
  if (similar->cli->out.tty)
    segue_progress_clear (similar->cli->progress);
  *n_failed += !answer;
  if (!answer)
    print_failure (similar, file, local);
  else if (similar->json)
    print_json (similar, file, answer);
  else
    print_text (similar, file, answer);
  fflush (similar->cli->out.stream);
  return TRUE;
}

static gboolean
similar_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Similar *similar = data;
  guint n_failed = 0, n = similar->files->len;
  segue_progress_start (similar->cli->progress, "similar", 0, 0, "songs");
  g_autoptr (SegueLibrary) library =
    segue_library_open (similar->registry, similar->folder, similar->threads, error);
  if (!library)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    segue_progress_update (similar->cli->progress, i, n, NULL);
    if (!find_for (similar, library, g_ptr_array_index (similar->files, i), &n_failed, cancellable,
                   error))
      return FALSE;
  }
  if (n_failed > 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%u of %u songs could not be used", n_failed,
                 n);
  return n_failed == 0;
}

static GPtrArray *
find_files (SegueRegistry *registry, char **arguments, GError **error)
{
  g_autofree const char **extensions = segue_registry_list_extensions (registry);
  const SeguePredictInput input = {
    .arguments = arguments, .extensions = extensions, .list = stdin, .separator = '\n'
  };
  g_autoptr (GPtrArray) files = segue_predict_files (&input, error);
  if (!files || files->len > 0)
    return g_steal_pointer (&files);
  g_autofree char *shown = segue_text_printable (arguments[0]);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no audio file in ‘%s’", shown);
  return NULL;
}

static gboolean
verb_similar (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  double at;
  if (!arguments[0] || !arguments[1])
    return segue_usage_error (&segue_verb_similar, error,
                              "give a library, such as runs/map/latest, and one song or more");
  if (!parse_time (options->at, &at, error))
    return FALSE;
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autoptr (GPtrArray) files = find_files (registry, arguments + 1, error);
  if (!files)
    return FALSE;
  guint threads = options->jobs > 0 ? (guint) options->jobs : g_get_num_processors ();
  Similar similar = { .cli = cli,
                      .registry = registry,
                      .folder = arguments[0],
                      .files = files,
                      .at = at,
                      .top = options->top > 0 ? (guint) options->top : TOP,
                      .threads = MIN (threads, MAX_JOBS),
                      .json = options->json };
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  cli->progress = progress;
  gboolean ok = segue_job_run (cli, progress, similar_job, &similar, error);
  cli->progress = NULL;
  return ok;
}

/* ---- The verb ---- */

static const SegueOption rows[] = {
  { "at", 0, SEGUE_OPTION_STRING, offsetof (Options, at), "TIME", 0, 0,
    "a moment of the song, such as 1:30: only its segment that is nearest to it is sought "
    "(default: the whole song)" },
  { "top", 'n', SEGUE_OPTION_COUNT, offsetof (Options, top), "N", 1, MAX_TOP,
    "how many songs to list (default: 10)" },
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "one JSON object per line: file, moment, same, matches (id, source, label, set, title, artist, "
    "album, similarity, start, query_start); or file, error" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (Options, jobs), "N", 1, MAX_JOBS,
    "threads (default: one per processor)" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue run --preset map ~/Music", "first: a library" },
  { "segue similar runs/map/latest song.mp3", "what else sounds like this?" },
  { "segue similar runs/map/latest song.mp3 --at 1:30", "like the chorus" },
  { "segue similar runs/map/latest ~/New --top 3 --json", "JSON for another program" },
  { NULL, NULL },
};

const SegueVerb segue_verb_similar = {
  .name = "similar",
  .summary = "find songs that sound like a song, or like a moment of it",
  .synopsis = "LIBRARY SONG... [--at TIME] [--top N] [--json]",
  .doc =
    "Lists the songs of a library that sound most like each SONG, which need not be in it. LIBRARY "
    "is a run whose pipeline has the stage `library`, as that of the preset `map` has, or a copy "
    "of its folder `library`. SONG is a file, a folder, a playlist, or - for a list on "
    "stdin.\n\nEach line has the similarity (1: the same sound; 0: unrelated), the time at which "
    "the song sounds most like yours, and the song. The song itself is not listed, whatever its "
    "name, nor a lossless copy of it.\n\nThe song is prepared as those of the library were. Each of "
    "its segments is compared with all segments of the library, and the similarity of a song is "
    "the mean over yours of the most similar one. Labels have no effect.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_similar,
};
