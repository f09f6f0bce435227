/* segue map */
#include "cli.h"

#include <segue/error.h>

#define PRESET   "map"
#define MAX_JOBS 1024

typedef struct {
  char *out;
  char **set;
  gint jobs;
  gboolean open;
} Options;

static gboolean
has_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* As `segue run --preset map FOLDER`. (transfer full): the run's folder. */
static char *
draw (SegueCli *cli, const Options *options, const char *folder, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  const char *out = options->out ? options->out : "runs";
  g_ptr_array_add (words, g_strdup (segue_verb_run.name));
  g_ptr_array_add (words, g_strdup ("--preset=" PRESET));
  g_ptr_array_add (words, g_strconcat ("--out=", out, NULL));
  if (options->jobs > 0)
    g_ptr_array_add (words, g_strdup_printf ("--jobs=%d", options->jobs));
  for (char **set = options->set; set && *set; set++)
    g_ptr_array_add (words, g_strconcat ("--set=", *set, NULL));
  g_ptr_array_add (words, g_strdup ("--"));
  g_ptr_array_add (words, g_strdup (folder));
  g_ptr_array_add (words, NULL);
  return segue_verb_call (cli, &segue_verb_run, (char **) words->pdata, error)
           ? g_build_filename (out, PRESET, "latest", NULL)
           : NULL;
}

/* (transfer full): the run whose map is shown. */
static char *
find_run (SegueCli *cli, const Options *options, const char *given, GError **error)
{
  if (!has_file (given, "run.json"))
    return draw (cli, options, given, error);
  if (has_file (given, "map/index.html"))
    return g_strdup (given);
  g_autofree char *shown = segue_text_printable (given);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "the run in ‘%s’ has no map: add `- use: map` after `embed` to its pipeline and run "
               "it again, or draw one of the music: segue map FOLDER",
               shown);
  return NULL;
}

static gboolean
open_page (const char *page, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (page, NULL);
  const char *argv[] = { "xdg-open", absolute, NULL };
  g_autoptr (GError) local = NULL;
  if (g_spawn_async (NULL, (char **) argv, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, &local))
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
               "can't start a browser with xdg-open (%s): open the page by hand", local->message);
  return FALSE;
}

static gboolean
verb_map (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  if (!arguments[0])
    return segue_usage_error (&segue_verb_map, error,
                              "give a folder of music, or the folder of a run");
  if (!segue_refuse_arguments (&segue_verb_map, arguments, 1, error))
    return FALSE;
  g_autofree char *run = find_run (cli, options, arguments[0], error);
  if (!run)
    return FALSE;
  g_autofree char *page = g_build_filename (run, "map", "index.html", NULL);
  g_autofree char *shown = segue_text_printable (page);
  fprintf (cli->out.stream, "%s\n", shown);
  fflush (cli->out.stream);
  return !options->open || open_page (page, error);
}

/* ---- The verb ---- */

static const SegueOption rows[] = {
  { "open", 0, SEGUE_OPTION_FLAG, offsetof (Options, open), NULL, 0, 0,
    "open the page in the browser" },
  { "out", 'o', SEGUE_OPTION_PATH, offsetof (Options, out), "DIR", 0, 0,
    "where the run's folder is created (default: runs)" },
  { "set", 's', SEGUE_OPTION_LIST, offsetof (Options, set), "KEY=VALUE", 0, 0,
    "change a parameter of the preset `map`: map.play=files plays the songs' own files" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (Options, jobs), "N", 1, MAX_JOBS,
    "songs at once (default: one per processor)" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue map ~/Music --open", "the whole library as points; click to play" },
  { "segue map runs/artist-small/latest --open", "the map that a run drew" },
  { NULL, NULL },
};

const SegueVerb segue_verb_map = {
  .name = "map",
  .summary = "draw a music folder as a page: songs that sound alike are near",
  .synopsis = "FOLDER|RUN [--open] [--set KEY=VALUE]... [-j N] [--out DIR]",
  .doc =
    "Of a folder of music, runs the preset `map` and prints the page that it drew: every song is a "
    "point, near those that sound alike, coloured by artist (the first folder), played by a click, "
    "found by its name. Nothing is trained, and labels have no effect on the places. It is the "
    "same as segue run --preset map FOLDER: a second run computes only what changed.\n\nOf the "
    "folder of a run, prints the map that the run drew.\n\nThe page opens from disk; segue serve "
    "links to it, too. The run also contains a library for segue similar.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_map,
};
