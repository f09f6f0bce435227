/* Vectors in whole runs: train and evaluate as installed, and the model that predicts songs. */
#include "tiny-model.h"
#include "tiny-stages.h"

#include <jansson.h>
#include <segue/file.h>
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
  fixture->folder = g_dir_make_tmp ("segue-vectors-XXXXXX", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2 * N_SONGS; i++) {
    g_autofree char *parent =
      g_build_filename (fixture->folder, "music", i % 2 == 0 ? "high" : "low", NULL);
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

/* Of songs that are decoded and cut, then @stages. */
static SeguePipeline *
load_pipeline (Fixture *fixture, const char *stages, GError **error)
{
  g_autofree char *text = g_strdup_printf ("segue: 1\n"
                                           "name: learn\n"
                                           "stages:\n"
                                           "  - use: songs\n"
                                           "    with: { root: \"%s/music\", n: %d }\n"
                                           "  - use: decode\n"
                                           "  - use: cut\n"
                                           "    with: { length: 1600 }\n"
                                           "%s",
                                           fixture->folder, N_SONGS, stages);
  g_autofree char *path = g_build_filename (fixture->folder, "learn.yaml", NULL);
  g_assert_true (segue_file_write (path, text, -1, NULL));
  return segue_pipeline_load (fixture->registry, path, NULL, error);
}

/* (transfer full): the folder of a run, each with a cache of its own. */
static char *
run (Fixture *fixture, const char *stages, guint workers)
{
  static guint n_runs;
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePipeline) pipeline = load_pipeline (fixture, stages, &error);
  g_assert_no_error (error);
  g_autofree char *runs = g_build_filename (fixture->folder, "runs", NULL);
  g_autofree char *cache = g_strdup_printf ("%s/cache-%u", fixture->folder, n_runs++);
  const SegueRunOptions options =
    SEGUE_INIT (SegueRunOptions, .folder = runs, .cache = cache, .workers = workers);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  segue_pipeline_run (pipeline, &options, &result, NULL, &error);
  g_assert_no_error (error);
  char *folder = g_strdup (result.folder);
  segue_run_result_clear (&result);
  return folder;
}

/* A file of a run, as bytes. */
static GBytes *
read_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *content = NULL;
  gsize n;
  if (!g_file_get_contents (path, &content, &n, NULL))
    g_error ("no ‘%s’", path);
  return g_bytes_new_take (content, n);
}

static json_t *
read_json (const char *folder, const char *name)
{
  g_autoptr (GBytes) bytes = read_file (folder, name);
  json_t *json = json_loadb (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), 0, NULL);
  g_assert_nonnull (json);
  return json;
}

static json_int_t
count (json_t *object, const char *set, const char *key)
{
  return json_integer_value (json_object_get (json_object_get (object, set), key));
}

#define TRAIN     "  - { use: train, with: { model: tiny-centroids } }\n"
#define CENTROIDS "  - use: measure\n" TRAIN
#define SCALED    "  - use: measure\n  - { use: train, with: { model: tiny-scaled } }\n"
#define EVALUATE  "  - use: evaluate\n"

static void
test_whole (Fixture *fixture, gconstpointer data)
{
  static const char *const stages[] = { CENTROIDS EVALUATE, SCALED EVALUATE };
  static const char *const files[] = { "metrics.json",     "predictions.csv",
                                       "history.json",     "model/config.json",
                                       "model/segue.json", "model/model.safetensors" };
  for (guint i = 0; i < G_N_ELEMENTS (stages); i++) {
    g_autofree char *one = run (fixture, stages[i], 1);
    g_autofree char *four = run (fixture, stages[i], 4);
    for (guint k = 0; k < G_N_ELEMENTS (files); k++) {
      g_autoptr (GBytes) a = read_file (one, files[k]);
      g_autoptr (GBytes) b = read_file (four, files[k]);
      g_assert_true (g_bytes_equal (a, b));
    }
    json_t *metrics = read_json (one, "metrics.json");
    g_assert_cmpint (count (metrics, "train", "segments"), ==, 32);
    g_assert_cmpint (count (metrics, "test", "segments"), ==, 16);
    g_assert_cmpfloat (
      json_number_value (json_object_get (json_object_get (metrics, "test"), "song_accuracy")), ==,
      1);
    json_decref (metrics);
  }
}

/* The prediction of `evaluate` for a song equals the predictor's for its file. */
static void
test_predictor (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = run (fixture, CENTROIDS EVALUATE, 2);
  g_autofree char *model = g_build_filename (folder, "model", NULL);
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (fixture->registry, model, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  g_autofree char *song = g_build_filename (fixture->folder, "music/low/02.f32", NULL);
  g_autoptr (SegueSongPrediction) prediction =
    segue_predictor_predict (predictor, song, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (prediction->n_segments, ==, 4);
  g_assert_cmpuint (prediction->best, ==, 1);

  g_autoptr (GBytes) table = read_file (folder, "predictions.csv");
  g_autofree char *text = g_strndup (g_bytes_get_data (table, NULL), g_bytes_get_size (table));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;
  for (guint i = 1; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], ",", -1);
    if (g_strv_length (fields) != 9 || !g_str_equal (fields[1], "low/02.f32"))
      continue;
    g_assert_cmpfloat (g_ascii_strtod (fields[5], NULL), ==, prediction->segments[n].start);
    g_assert_cmpfloat (g_ascii_strtod (fields[6], NULL), ==, 0.2);
    g_assert_cmpfloat (prediction->segments[n].duration, ==, 0.2);
    g_assert_cmpfloat ((float) g_ascii_strtod (fields[7], NULL), ==,
                       prediction->segments[n].probabilities[0]);
    n++;
  }
  g_assert_cmpuint (n, ==, 4);
}

/* Replaces @from by @to in the preparation of @model, which is untrusted. */
static void
forge (const char *model, const char *from, const char *to)
{
  g_autoptr (GBytes) before = read_file (model, "segue.json");
  g_autofree char *path = g_build_filename (model, "segue.json", NULL);
  g_autoptr (GString) text =
    g_string_new_len (g_bytes_get_data (before, NULL), (gssize) g_bytes_get_size (before));
  if (g_string_replace (text, from, to, 0) != 1)
    g_error ("‘%s’ does not contain ‘%s’", text->str, from);
  g_assert_true (segue_file_write (path, text->str, -1, NULL));
}

/* A folder whose preparation does not fit its model. */
static void
test_forged (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *from, *to, *words;
  } cases[] = {
    { "\"size\":4", "\"size\":5", "has 5 numbers, the model takes vectors of 4" },
    { "\"rows\":0", "\"rows\":2", "is a tensor of 2 dimensions, the model takes vectors" },
    { ",{\"use\":\"measure\",\"result_version\":1,\"with\":{\"rows\":0,\"size\":4}}", "",
      "is not a vector; the model takes those of an `embed` stage" },
  };
  g_autofree char *folder = run (fixture, CENTROIDS EVALUATE, 2);
  g_autofree char *song = g_build_filename (fixture->folder, "music/low/02.f32", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *whole = g_build_filename (folder, "model", NULL);
    g_autofree char *model = g_strdup_printf ("%s/forged-%u", fixture->folder, i);
    segue_model_copy (whole, model, &error);
    g_assert_no_error (error);
    forge (model, cases[i].from, cases[i].to);
    g_autoptr (SeguePredictor) predictor =
      segue_predictor_new (fixture->registry, model, 1, SEGUE_MODEL_FLOAT32, &error);
    g_autoptr (SegueSongPrediction) prediction =
      predictor ? segue_predictor_predict (predictor, song, NULL, &error) : NULL;
    g_assert_null (prediction);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, cases[i].words));
  }
}

/* Copies are trained on, not validated, and `evaluate` does not get them. */
static void
test_copies (Fixture *fixture, gconstpointer data)
{

  g_autofree char *plain = run (fixture, CENTROIDS EVALUATE, 2);
  g_autofree char *copied =
    run (fixture, "  - use: shaky\n  - { use: measure, copies: 2 }\n" TRAIN EVALUATE, 2);
  json_t *before = read_json (plain, "history.json"), *after = read_json (copied, "history.json");
  g_assert_cmpint (count (before, "train", "segments"), ==, 32);
  g_assert_cmpint (count (after, "train", "segments"), ==, 96);
  g_assert_cmpint (count (after, "train", "songs"), ==, 8);
  g_assert_cmpint (count (before, "validation", "segments"), ==, 16);
  g_assert_cmpint (count (after, "validation", "segments"), ==, 16);
  json_decref (before);
  json_decref (after);
  json_t *metrics = read_json (copied, "metrics.json");
  g_assert_cmpint (count (metrics, "train", "segments"), ==, 32);
  g_assert_cmpint (count (metrics, "test", "segments"), ==, 16);
  json_decref (metrics);
  g_autoptr (GBytes) a = read_file (plain, "model/model.safetensors");
  g_autoptr (GBytes) b = read_file (copied, "model/model.safetensors");
  g_assert_false (g_bytes_equal (a, b));
}

/* Before anything runs. */
static void
test_check (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *stages, *words;
  } cases[] = {
    { TRAIN,
      "model type 'tiny-centroids' takes vectors, and its input is audio; put `embed` before" },
    { "  - use: measure\n  - { use: train, with: { model: tiny } }\n",
      "model type 'tiny' takes audio, and its input is vectors" },
    { "  - { use: measure, with: { rows: 2 } }\n" TRAIN,
      "stage 'measure' gives float32 tensors of" },
    { "  - use: measure\n  - { use: train, with: { model: tiny-centroids, epochs: 3 } }\n",
      "epochs has no effect: 'tiny-centroids' is computed in one step; remove it" },
    { CENTROIDS "  - { id: five, use: measure, with: { size: 5 }, from: cut }\n"
                "  - { use: evaluate, from: { items: five, model: train } }\n",
      "the model was trained with vectors of 4 numbers, and these have 5; use the same encoders" },
    { CENTROIDS "  - { id: frames, use: measure, with: { rows: 2 }, from: cut }\n"
                "  - { use: evaluate, from: { items: frames, model: train } }\n",
      "stage 'frames' gives float32 tensors of" },
    { CENTROIDS "  - { use: evaluate, from: { items: cut, model: train } }\n",
      "the model was trained with vectors, and its input is audio; name an `embed` stage" },
    { "  - { use: train, with: { model: tiny } }\n"
      "  - { use: measure, from: cut }\n"
      "  - { use: evaluate, from: { items: measure, model: train } }\n",
      "the model was trained with audio, and its input is vectors; name a stage that produces" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SeguePipeline) pipeline = load_pipeline (fixture, cases[i].stages, &error);
    if (pipeline)
      g_error ("accepted, where it should say ‘%s’", cases[i].words);
    g_test_message ("%s", error->message);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    if (!strstr (error->message, cases[i].words))
      g_error ("‘%s’ does not contain ‘%s’", error->message, cases[i].words);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/vectors/whole", test_whole);
  ADD ("/vectors/predictor", test_predictor);
  ADD ("/vectors/forged", test_forged);
  ADD ("/vectors/copies", test_copies);
  ADD ("/vectors/check", test_check);
  return g_test_run ();
}
