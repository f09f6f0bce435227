/* Models and their folders: written data is read back, and nothing else is trusted. */
#include "model/preparation.h"
#include "tiny-model.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <segue/testing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  SegueRegistry *registry;
  SegueModelType other; /* the same code under another name */
  const SegueModelType *models[2];
  SeguePlugin others;
  const SegueModelType *type;
  char *folder;
} Fixture;

static const char *const labels[] = { "noise", "tone", NULL };

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->registry = segue_registry_new ();
  segue_registry_add (fixture->registry, tiny_plugin (), NULL, &error);
  g_assert_no_error (error);
  fixture->type = segue_registry_find_model (fixture->registry, "tiny");

  static const char *const config_types[] = { "someone-elses", NULL };
  fixture->other = *fixture->type;
  fixture->other.name = "other";
  fixture->other.config_types = config_types;
  fixture->models[0] = &fixture->other;
  fixture->others = *tiny_plugin ();
  fixture->others.name = "others";
  fixture->others.models = fixture->models;
  segue_registry_add (fixture->registry, &fixture->others, NULL, &error);
  g_assert_no_error (error);

  fixture->folder = g_dir_make_tmp ("segue-model-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  segue_registry_free (fixture->registry);
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
}

static SegueModel *
new_model (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .rate = 8000, .seed = 3, .threads = 1);
  SegueModel *model = segue_model_new (fixture->type, NULL, &spec, &error);
  g_assert_no_error (error);
  return model;
}

static void
save (Fixture *fixture, const char *preparation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = new_model (fixture);
  g_autoptr (SeguePreparation) stages =
    preparation ? segue_preparation_new (preparation, NULL) : NULL;
  segue_model_save (model, fixture->folder, stages, &error);
  g_assert_no_error (error);
}

static void
write_text (Fixture *fixture, const char *name, const char *text, gssize length)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  g_assert_true (segue_file_write (path, text, length, NULL));
}

static void
remove_file (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
}

/* A load that must fail. */
static void
assert_refused (Fixture *fixture, const SegueModelType *type, SegueErrorCode code,
                const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_model_load (fixture->registry, fixture->folder, type, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, (int) code);
  if (!strstr (error->message, words))
    g_error ("‘%s’ does not say ‘%s’", error->message, words);
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  save (fixture, "[{\"result_version\":2,\"use\":\"decode\",\"with\":{\"gain\":0.1}}]");
  g_autofree char *path = g_build_filename (fixture->folder, "segue.json", NULL);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "\"model\": \"tiny\""));
  g_assert_nonnull (strstr (text, "0.1}"));

  g_autoptr (SegueModel) first = new_model (fixture);
  g_autoptr (SegueModel) second =
    segue_model_load (fixture->registry, fixture->folder, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SegueItem) tone = segue_test_tone ("a", 300, 0.2, 8000);
  float a[2], b[2];
  g_assert_true (segue_model_predict (first, &tone, 1, a, NULL, NULL, NULL));
  g_assert_true (segue_model_predict (second, &tone, 1, b, NULL, NULL, NULL));
  g_assert_cmpmem (a, sizeof a, b, sizeof b);
  g_assert_cmpfloat_with_epsilon (a[0] + a[1], 1, 1e-6);
}

static void
test_type (Fixture *fixture, gconstpointer data)
{
  save (fixture, NULL);
  assert_refused (fixture, &fixture->other, SEGUE_ERROR_PIPELINE, "model: tiny");

  /* Without segue.json, config.json's model_type decides. */
  g_autoptr (GError) error = NULL;
  remove_file (fixture, "segue.json");
  g_autoptr (SegueModel) model =
    segue_model_load (fixture->registry, fixture->folder, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (segue_model_get_type (model)->name, ==, "tiny");
  assert_refused (fixture, &fixture->other, SEGUE_ERROR_PIPELINE, "model: tiny");

  write_text (fixture, "config.json", "{\"model_type\": \"resnet\"}", -1);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "resnet");
  write_text (fixture, "config.json", "{}", -1);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "contains no model");
  remove_file (fixture, "config.json");
  remove_file (fixture, "model.safetensors");
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "contains no model");
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  assert_refused (fixture, NULL, SEGUE_ERROR_NO_INPUT, "not a folder");
}

static void
test_hostile (Fixture *fixture, gconstpointer data)
{
  static const char *const texts[] = {
    "",
    "null",
    "[]",
    "{}",
    "{\"segue\": 1",
    "{\"segue\": 1} trailing",
    "{\"segue\": 0, \"model\": \"tiny\"}",
    "{\"segue\": 2, \"model\": \"tiny\"}",
    "{\"segue\": \"1\", \"model\": \"tiny\"}",
    "{\"segue\": 1}",
    "{\"segue\": 1, \"model\": 5}",
    "{\"segue\": 1, \"model\": \"\"}",
    "{\"segue\": 1, \"model\": \"../tiny\"}",
    "{\"segue\": 1, \"model\": \"Tiny\"}",
    "{\"segue\": 1, \"model\": \"unheard-of\"}",
    "{\"segue\": 1, \"model\": \"tiny\", \"model\": \"tiny\"}",
    "{\"segue\": 1, \"model\": \"tiny\", \"preparation\": {}}",
    "{\"segue\": 1, \"model\": \"tiny\", \"preparation\": [1]}",
    "{\"segue\": 1, \"model\": \"tiny\", \"preparation\": [{}]}",
    "{\"segue\": 1, \"model\": \"tiny\", \"preparation\": [{\"use\": \"/bin/sh\"}]}",
    "{\"segue\": 1, \"model\": \"tiny\", \"preparation\": [{\"use\": \"a\", \"with\": []}]}",
    "{\"segue\": 1, \"model\": \"tiny\", \"preparation\": [{\"use\": \"a\", \"result_version\": "
    "-1}]}",
    "{\"segue\": 1, \"model\": \"t\xff\"}",
    "{\"segue\": 99999999999999999999, \"model\": \"tiny\"}",
  };
  save (fixture, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    write_text (fixture, "segue.json", texts[i], -1);
    assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "");
  }

  g_autofree char *deep = g_strnfill (100000, '[');
  write_text (fixture, "segue.json", deep, -1);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "segue.json");
  g_autoptr (GString) many = g_string_new ("{\"segue\":1,\"model\":\"tiny\",\"preparation\":[");
  for (guint i = 0; i < 1000; i++)
    g_string_append (many, i == 0 ? "{\"use\":\"a\"}" : ",{\"use\":\"a\"}");
  g_string_append (many, "]}");
  write_text (fixture, "segue.json", many->str, -1);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "preparation");
  g_autofree char *long_text = g_strnfill (9 * 1024 * 1024, ' ');
  write_text (fixture, "segue.json", long_text, -1);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "regular file");
}

static void
test_odd_files (Fixture *fixture, gconstpointer data)
{
  save (fixture, NULL);
  remove_file (fixture, "segue.json");
  g_autofree char *path = g_build_filename (fixture->folder, "segue.json", NULL);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "regular file");
  remove_file (fixture, "segue.json");
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  assert_refused (fixture, NULL, SEGUE_ERROR_DATA, "regular file");
}

static void
test_predict (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SegueModel) model = new_model (fixture);
  g_autoptr (GPtrArray) songs = tiny_songs (5, 4, FALSE);
  SegueItem **items = (SegueItem **) songs->pdata;
  g_autofree float *together = g_new (float, 2 * songs->len);
  g_assert_true (segue_model_predict (model, items, songs->len, together, NULL, NULL, NULL));
  for (guint i = 0; i < songs->len; i++) {
    float alone[2];
    g_assert_true (segue_model_predict (model, &items[i], 1, alone, NULL, NULL, NULL));
    g_assert_cmpmem (alone, sizeof alone, together + 2 * i, sizeof alone);
  }
  g_assert_true (segue_model_predict (model, NULL, 0, NULL, NULL, NULL, NULL));

  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_false (segue_model_predict (model, items, 1, together, NULL, cancellable, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_predict_refuses (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SegueModel) model = new_model (fixture);
  g_autoptr (SegueItem) good = segue_test_tone ("good", 300, 0.2, 8000);
  g_autoptr (SegueItem) rate = segue_test_tone ("rate", 300, 0.2, 16000);
  g_autoptr (SegueItem) brief = segue_test_tone ("brief", 300, 0.01, 8000);
  g_autoptr (SegueItem) longer = segue_test_tone ("longer", 300, 0.3, 8000);
  g_autoptr (SegueItem) stereo =
    segue_item_new_audio (NULL, "stereo", segue_item_get_bytes (good), 8000, 2);
  g_autoptr (SegueItem) folder = segue_item_new_folder (SEGUE_KIND_MODEL, "folder", "/");
  float nan_samples[1600] = { 0 };
  nan_samples[800] = NAN;
  g_autoptr (GBytes) bytes = g_bytes_new (nan_samples, sizeof nan_samples);
  g_autoptr (SegueItem) not_finite = segue_item_new_audio (NULL, "nan", bytes, 8000, 1);

  SegueItem *const bad[] = { rate, brief, longer, stereo, folder, not_finite };
  static const char *const words[] = {
    "16000 Hz",   "at least 200", "2400 samples",
    "2 channels", "not audio",    "NaN or infinite, at index 800"
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    SegueItem *items[] = { good, bad[i] };
    float probabilities[4];
    g_assert_false (segue_model_predict (model, items, 2, probabilities, NULL, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    if (!strstr (error->message, words[i]))
      g_error ("‘%s’ does not say ‘%s’", error->message, words[i]);
  }
}

/* The cause of an output that is not finite is named, if it can be found. */
static void
test_predict_not_finite (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SegueItem) good = segue_test_tone ("good", 300, 0.2, 8000);
  static const struct {
    float value;
    const char *words;
  } cases[] = { { NAN, "because its weight '" },
                { G_MAXFLOAT, "although the samples and the weights are finite" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (SegueModel) model = new_model (fixture);
    g_autoptr (GArray) tensors = segue_model_list_tensors (model, NULL);
    g_autoptr (GError) error = NULL;
    float probabilities[2];
    for (guint t = 0; t < tensors->len; t++) {
      const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, t);
      for (gsize k = 0; k < tensor->n_elements; k++)
        tensor->value[k] = cases[i].value;
    }
    segue_model_changed (model);
    g_assert_false (segue_model_predict (model, &good, 1, probabilities, NULL, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    if (!strstr (error->message, cases[i].words))
      g_error ("‘%s’ does not say ‘%s’", error->message, cases[i].words);
  }
}

/* A model's requirements may be untrusted. */
static void
test_workspace (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SegueModel) model = new_model (fixture);
  g_autoptr (GError) error = NULL;
  static const gsize sizes[] = { 0, 1, 1024 * 1024, 5 * 1024 * 1024 + 1 };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    void *workspace = segue_model_new_workspace (model, sizes[i], &error);
    g_assert_no_error (error);
    g_assert_cmpuint ((guintptr) workspace % 64, ==, 0);
    memset (workspace, 1, sizes[i]);
    free (workspace);
  }
  g_assert_null (segue_model_new_workspace (model, G_MAXSIZE / 4, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, "memory"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/model/round-trip", test_round_trip);
  ADD ("/model/type", test_type);
  ADD ("/model/hostile", test_hostile);
  ADD ("/model/odd-files", test_odd_files);
  ADD ("/model/predict-not-finite", test_predict_not_finite);
  ADD ("/model/predict", test_predict);
  ADD ("/model/predict-refuses", test_predict_refuses);
  ADD ("/model/workspace", test_workspace);
  return g_test_run ();
}
