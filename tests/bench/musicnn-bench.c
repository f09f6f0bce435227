/* musicnn-bench FOLDER: how long musicnn takes for segments of noise, from samples to tags. With --turns a pass
 * waits for a line on standard input; see turns.py. Prints "ready" after the warm-up, the seconds of each pass, and
 * at the end everything as one JSON object. */
#include "musicnn.h"

#include <segue/host/segue.h>
#include <segue/nn/backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EXIT_USAGE     64
#define EXIT_NOT_THERE 69

typedef struct {
  char *precision;
  int batch, length, threads, repeat;
  gboolean turns;
  char **paths;
} Options;

static gboolean
parse (int *argc, char ***argv, Options *options, GError **error)
{
  const GOptionEntry entries[] = {
    { "precision", 0, 0, G_OPTION_ARG_STRING, &options->precision, "float32, bfloat16 or int8",
      "NAME" },
    { "batch", 0, 0, G_OPTION_ARG_INT, &options->batch, "segments a pass", "N" },
    { "length", 0, 0, G_OPTION_ARG_INT, &options->length, "samples a segment", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options->threads, NULL, "N" },
    { "repeat", 0, 0, G_OPTION_ARG_INT, &options->repeat, "timed passes", "N" },
    { "turns", 0, 0, G_OPTION_ARG_NONE, &options->turns, "a pass for each line of input", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->paths, NULL, "FOLDER" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (options->paths && g_strv_length (options->paths) == 1 && options->batch > 0 &&
      options->length > 0 && options->threads > 0 && options->repeat >= 0)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "see musicnn-bench --help for the options");
  return FALSE;
}

static Musicnn *
load (const Options *options, GError **error)
{
  const char *const *names = segue_model_precision_names ();
  for (guint i = 0; names[i]; i++)
    if (g_str_equal (names[i], options->precision))
      return musicnn_load (options->paths[0], (guint) options->threads, (SegueModelPrecision) i,
                           error);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "no precision is called '%s'",
               options->precision);
  return NULL;
}

/* Of all threads. */
static double
get_cpu_seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static gboolean
has_turn (const Options *options, int n_done)
{
  char line[64];
  return options->turns ? fgets (line, sizeof line, stdin) != NULL : n_done < options->repeat;
}

static gboolean
run_passes (Musicnn *model, const Options *options, const MusicnnPass *pass, GError **error)
{
  g_autoptr (json_t) cpu = json_array ();
  if (!musicnn_forward (model, pass, error))
    return FALSE;
  g_print ("ready\n");
  for (int i = 0; has_turn (options, i); i++) {
    gint64 begin = g_get_monotonic_time ();
    double cpu_begin = get_cpu_seconds ();
    if (!musicnn_forward (model, pass, error))
      return FALSE;
    json_array_append_new (cpu, json_real (get_cpu_seconds () - cpu_begin));
    g_print ("%.6f\n", (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC);
  }
  g_autofree char *library = segue_nn_fingerprint ();
  g_autoptr (json_t) report =
    json_pack ("{s:s, s:s, s:O}", "program", "segue", "library", library, "cpu", cpu);
  char *text = json_dumps (report, JSON_COMPACT);
  g_print ("%s\n", text);
  free (text);
  return TRUE;
}

static gboolean
run (const Options *options, GError **error)
{
  g_autoptr (Musicnn) model = load (options, error);
  if (!model)
    return FALSE;
  guint batch = (guint) options->batch;
  gsize length = (gsize) options->length, bytes = musicnn_plan (model, batch, length);
  g_autofree float *samples = g_new (float, batch *length);
  g_autofree float *penultimate = g_new (float, batch * model->hidden);
  g_autofree float *tags = g_new (float, batch * model->base.n_labels);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  for (gsize i = 0; i < batch * length; i++)
    samples[i] = (float) g_rand_double_range (random, -0.5, 0.5);
  gpointer workspace = bytes != G_MAXSIZE ? aligned_alloc (64, bytes) : NULL;
  const MusicnnPass pass = { batch, length, samples, workspace, penultimate, tags };
  gboolean done = run_passes (model, options, &pass, error);
  free (workspace);
  return done;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Options options = {
    .precision = g_strdup ("float32"), .batch = 1, .length = 160000, .threads = 2, .repeat = 5
  };
  if (parse (&argc, &argv, &options, &error) && run (&options, &error))
    return EXIT_SUCCESS;
  g_printerr ("%s\n", error->message);
  if (error->domain == G_OPTION_ERROR)
    return EXIT_USAGE;
  return g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE) ? EXIT_NOT_THERE : EXIT_FAILURE;
}
