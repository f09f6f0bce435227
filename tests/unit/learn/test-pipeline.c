/* train and evaluate as installed, in whole runs. */
#include "tiny-model.h"
#include "tiny-stages.h"

#include <jansson.h>
#include <segue/file.h>
#include <segue/host/segue.h>
#include <string.h>

#define N_SONGS 8

typedef struct {
  SegueRegistry *registry;
  char *folder;
} Fixture;

static void
load_plugin (Fixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
    g_strdup_printf ("%s/plugins/%s/segue-%s.so", g_getenv ("SEGUE_BUILD_ROOT"), name, name);
  segue_registry_load_file (fixture->registry, path, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->registry = segue_registry_new ();
  segue_registry_add (fixture->registry, tiny_plugin (), NULL, &error);
  g_assert_no_error (error);
  segue_registry_add (fixture->registry, tiny_stages (), NULL, &error);
  g_assert_no_error (error);
  load_plugin (fixture, "train");
  load_plugin (fixture, "evaluate");
  fixture->folder = g_dir_make_tmp ("segue-learn-XXXXXX", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2 * N_SONGS; i++) {
    const char *label = i % 2 == 0 ? "high" : "low";
    g_autofree char *parent = g_build_filename (fixture->folder, "music", label, NULL);
    g_autofree char *name = g_strdup_printf ("%02u.f32", i / 2);
    g_autofree char *path = g_build_filename (parent, name, NULL);
    g_assert_true (segue_file_make_folder (parent, NULL));
    tiny_write_song (path, (i % 2 == 0 ? 2000 : 200) + 61.0 * i, 1600 * 4 + 100);
  }
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  segue_registry_free (fixture->registry);
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
}

/* One run of a pipeline with @live and @train in it, with its own cache or a given one. */
static gboolean
run (Fixture *fixture, const char *live, const char *train, guint workers, const char *cache_name,
     GCancellable *cancellable, char **folder, GError **error)
{
  g_autofree char *text = g_strdup_printf ("segue: 1\n"
                                           "name: learn\n"
                                           "stages:\n"
                                           "  - use: songs\n"
                                           "    with: { root: \"%s/music\", n: %d }\n"
                                           "  - use: decode\n"
                                           "  - use: cut\n"
                                           "    with: { length: 1600 }\n"
                                           "%s  - use: train\n"
                                           "    with: %s\n"
                                           "  - use: evaluate\n",
                                           fixture->folder, N_SONGS, live, train);
  g_autofree char *path = g_build_filename (fixture->folder, "learn.yaml", NULL);
  g_assert_true (segue_file_write (path, text, -1, NULL));
  g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (fixture->registry, path, NULL, error);
  if (!pipeline)
    return FALSE;
  g_autofree char *runs = g_build_filename (fixture->folder, "runs", NULL);
  g_autofree char *cache = g_build_filename (fixture->folder, cache_name, NULL);
  const SegueRunOptions options =
    SEGUE_INIT (SegueRunOptions, .folder = runs, .cache = cache, .workers = workers);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  gboolean ok = segue_pipeline_run (pipeline, &options, &result, cancellable, error);
  if (folder)
    *folder = g_strdup (result.folder);
  segue_run_result_clear (&result);
  return ok;
}

static char *
run_well (Fixture *fixture, const char *live, const char *train, guint workers,
          const char *cache_name)
{
  g_autoptr (GError) error = NULL;
  char *folder = NULL;
  run (fixture, live, train, workers, cache_name, NULL, &folder, &error);
  g_assert_no_error (error);
  return folder;
}

static char *
read_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, NULL);
  if (!text)
    g_error ("no ‘%s’", path);
  return text;
}

/* All data of a run that has to be the same each time. */
static char *
read_results (const char *folder)
{
  static const char *const names[] = { "metrics.json", "predictions.csv", "history.json",
                                       "model/config.json", "model/segue.json" };
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *text = read_file (folder, names[i]);
    g_string_append_printf (all, "--- %s\n%s", names[i], text);
  }
  return g_string_free (all, FALSE);
}

#define TRAIN "{ model: { use: tiny, dropout: 0.1 }, epochs: 6, batch: 4 }"
#define LIVE  "  - use: shaky\n"

static void
test_whole (Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = run_well (fixture, LIVE, TRAIN, 2, "cache");
  g_autofree char *text = read_file (folder, "metrics.json");
  json_t *metrics = json_loads (text, 0, NULL);
  const char *const sets[] = { "train", "validation", "test" };
  const int songs[] = { 8, 4, 4 };
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    json_t *set = json_object_get (metrics, sets[i]);
    g_assert_cmpint (json_integer_value (json_object_get (set, "songs")), ==, songs[i]);
    g_assert_cmpint (json_integer_value (json_object_get (set, "segments")), ==, 4 * songs[i]);
    g_assert_cmpfloat (json_number_value (json_object_get (set, "song_accuracy")), ==, 1);
  }
  json_decref (metrics);

  /* The preparation travels with the model; stages that change only training items do not. */
  g_autofree char *segue = read_file (folder, "model/segue.json");
  g_assert_nonnull (strstr (segue, "\"decode\""));
  g_assert_nonnull (strstr (segue, "\"length\":1600"));
  g_assert_null (strstr (segue, "shaky"));
}

/* The prediction of `evaluate` for a song equals the predictor's for its file. */
static void
test_predictor_agrees (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = run_well (fixture, "", TRAIN, 2, "cache");
  g_autofree char *model = g_build_filename (folder, "model", NULL);
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (fixture->registry, model, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  g_autofree char *song = g_build_filename (fixture->folder, "music/low/02.f32", NULL);
  g_autoptr (SegueSongPrediction) prediction =
    segue_predictor_predict (predictor, song, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (prediction->n_segments, ==, 4);

  g_autofree char *table = read_file (folder, "predictions.csv");
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  guint n = 0;
  for (guint i = 1; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], ",", -1);
    if (g_strv_length (fields) != 9 || !g_str_equal (fields[1], "low/02.f32"))
      continue;
    g_assert_cmpfloat (g_ascii_strtod (fields[5], NULL), ==, prediction->segments[n].start);
    g_assert_cmpfloat ((float) g_ascii_strtod (fields[7], NULL), ==,
                       prediction->segments[n].probabilities[0]);
    n++;
  }
  g_assert_cmpuint (n, ==, 4);
}

static void
test_workers (Fixture *fixture, gconstpointer data)
{
  static const char *const lives[] = { "", LIVE };
  g_autofree char *clean = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (lives); i++) {
    g_autofree char *one = run_well (fixture, lives[i], TRAIN, 1, "cache-1");
    g_autofree char *four = run_well (fixture, lives[i], TRAIN, 4, "cache-4");
    g_autofree char *a = read_results (one);
    g_autofree char *b = read_results (four);
    g_assert_cmpstr (a, ==, b);
    if (!clean)
      clean = g_steal_pointer (&a);
    else
      g_assert_cmpstr (a, !=, clean); /* the live stage had an effect */
  }
}

/* Killed in the middle, run again: the same bytes as without a kill. */
static void
test_interrupted (Fixture *fixture, gconstpointer data)
{
  static const char *const lives[] = { "", LIVE };
  for (guint i = 0; i < G_N_ELEMENTS (lives); i++) {
    g_autofree char *whole = run_well (fixture, lives[i], TRAIN, 2, "cache-whole");
    g_autofree char *expected = read_results (whole);
    for (guint n = 5; n < 40; n += 11) {
      g_autoptr (GError) error = NULL;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autofree char *cache = g_strdup_printf ("cache-%u-%u", i, n);
      tiny_cancel_after (cancellable, n);
      g_assert_false (run (fixture, lives[i], TRAIN, 2, cache, cancellable, NULL, &error));
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
      tiny_cancel_after (NULL, 0);
      g_autofree char *again = run_well (fixture, lives[i], TRAIN, 2, cache);
      g_autofree char *results = read_results (again);
      g_assert_cmpstr (results, ==, expected);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/learn/whole", test_whole);
  ADD ("/learn/predictor-agrees", test_predictor_agrees);
  ADD ("/learn/workers", test_workers);
  ADD ("/learn/interrupted", test_interrupted);
  return g_test_run ();
}
