/* Combined models: the folder, read without trust, and the predictions of its members. */
#include "pitch.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>
#include <unistd.h>

/* Segments of 0.25 s instead of 0.5 s. */
#define FINER                                                                                      \
  "[{\"result_version\":2,\"use\":\"decode\",\"with\":{\"rate\":8000}},"                           \
  "{\"result_version\":1,\"use\":\"cut\",\"with\":{\"length\":2000}}]"

static const double weights[] = { 0.75, 0.25 };
static const char *const labels[] = { "high", "low", NULL };

/* (transfer full): a plain model in the folder @name. */
static char *
save_part (Pitch *pitch, const char *name, const char *preparation, float slope)
{
  g_free (pitch->model);
  pitch->model = g_build_filename (pitch->folder, name, NULL);
  pitch_save_model (pitch, preparation, slope);
  return g_strdup (pitch->model);
}

/* pitch->model becomes the combination of two models in the folders `one` and `other`. */
static void
save_combined (Pitch *pitch, SegueCombinationRule rule)
{
  g_autofree char *one = save_part (pitch, "one", PITCH_DECODE_AND_CUT, 20);
  g_autofree char *other = save_part (pitch, "other", FINER, 5);
  const char *const folders[] = { one, other };
  const SegueCombination combination = { rule, 2, weights };
  g_autoptr (GError) error = NULL;
  g_free (pitch->model);
  pitch->model = g_build_filename (pitch->folder, "both", NULL);
  segue_model_combine (&combination, folders, labels, pitch->model, &error);
  g_assert_no_error (error);
}

static SegueSongPrediction *
predict_with (Pitch *pitch, const char *model, const char *song)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_build_filename (pitch->folder, model, NULL);
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (pitch->registry, folder, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  SegueSongPrediction *prediction = segue_predictor_predict (predictor, song, NULL, &error);
  g_assert_no_error (error);
  return prediction;
}

/* Two halves of a segment of the first member, as the second one cuts it. */
static double
mean_of_halves (const SegueSongPrediction *halves, guint segment, guint label)
{
  return ((double) halves->segments[2 * segment].probabilities[label] +
          (double) halves->segments[2 * segment + 1].probabilities[label]) /
         2;
}

/* Each member prepares the song as its own folder says; the mixture is that of what they say alone. */
static void
test_predict (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  g_autofree char *song = pitch_song (pitch, "low.f32", 900, 16000);
  g_autoptr (SegueSongPrediction) one = predict_with (pitch, "one", song);
  g_autoptr (SegueSongPrediction) other = predict_with (pitch, "other", song);
  g_autoptr (SegueSongPrediction) both = predict_with (pitch, "both", song);
  g_assert_cmpuint (one->n_segments, ==, 4);
  g_assert_cmpuint (other->n_segments, ==, 8);
  g_assert_cmpuint (both->n_segments, ==, 4);
  /* Otherwise nothing is shown. */
  g_assert_cmpfloat (ABS (one->probabilities[0] - other->probabilities[0]), >, 0.05f);
  double sum = 0;
  for (guint s = 0; s < 4; s++) {
    g_assert_cmpfloat (both->segments[s].start, ==, one->segments[s].start);
    g_assert_cmpfloat (both->segments[s].duration, ==, one->segments[s].duration);
    double expected =
      0.75 * (double) one->segments[s].probabilities[0] + 0.25 * mean_of_halves (other, s, 0);
    g_assert_cmpfloat_with_epsilon ((double) both->segments[s].probabilities[0], expected, 1e-6);
    sum += expected;
  }
  g_assert_cmpfloat_with_epsilon ((double) both->probabilities[0], sum / 4, 1e-6);
}

static void
note_progress (const SegueSongPrediction *so_far, guint n_predicted, gpointer data)
{
  guint *known = data;
  g_assert_cmpuint (n_predicted, >, *known);
  for (guint s = *known; s < n_predicted; s++)
    g_assert_cmpfloat_with_epsilon (
      so_far->segments[s].probabilities[0] + so_far->segments[s].probabilities[1], 1, 1e-6f);
  *known = n_predicted;
}

/* Mixed segments are reported; what the members said comes from the cache the second time, with the same bits. */
static void
test_progress (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_GEOMETRIC);
  g_autofree char *song = pitch_song (pitch, "long.f32", 900, 42000);
  g_autofree char *cache = g_build_filename (pitch->folder, "cache", NULL);
  g_autoptr (SegueSongPrediction) first = NULL;
  for (guint i = 0; i < 2; i++) {
    guint known = 0;
    g_autoptr (GError) error = NULL;
    g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
    g_assert_true (segue_predictor_use_cache (predictor, cache, &error));
    g_autoptr (SegueSongPrediction) prediction =
      segue_predictor_predict_full (predictor, song, note_progress, &known, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (known, ==, prediction->n_segments);
    g_assert_cmpint (prediction->cached, ==, i == 1);
    if (i == 1)
      g_assert_cmpmem (prediction->segments[0].probabilities, known * 2 * sizeof (float),
                       first->segments[0].probabilities, known * 2 * sizeof (float));
    else
      first = g_steal_pointer (&prediction);
  }
}

/* A song that one member can't take is refused, with its name. */
static void
test_refused_song (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  g_autofree char *song = pitch_song (pitch, "short.f32", 900, 3000);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_predictor_predict (predictor, song, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "short.f32"));
}

/* A copy contains the members, and what prepares songs for them; and nothing else. */
static void
test_copy (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  g_autoptr (GError) error = NULL;
  g_autofree char *more = g_build_filename (pitch->model, "members", "more", NULL);
  g_autofree char *copy = g_build_filename (pitch->folder, "copy", NULL);
  g_autofree char *no_member = g_build_filename (copy, "members", "more", NULL);
  g_autofree char *song = pitch_song (pitch, "low.f32", 900, 16000);
  g_assert_true (segue_file_make_folder (more, NULL));
  g_assert_true (segue_model_copy (pitch->model, copy, &error));
  g_assert_false (g_file_test (no_member, G_FILE_TEST_EXISTS));
  g_autoptr (SegueSongPrediction) original = predict_with (pitch, "both", song);
  g_autoptr (SegueSongPrediction) copied = predict_with (pitch, "copy", song);
  g_assert_cmpmem (original->probabilities, 2 * sizeof (float), copied->probabilities,
                   2 * sizeof (float));
}

/* Stages that run one model refuse a combined one. */
static void
test_load (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_model_load (pitch->registry, pitch->model, NULL, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "both/members/1"));
}

static void
assert_not_written (Pitch *pitch, const char *const *folders, guint n, const char *reason)
{
  g_autofree double *equal = g_new (double, n + 1);
  for (guint i = 0; i < n; i++)
    equal[i] = 1.0 / n;
  g_autofree char *to = g_build_filename (pitch->folder, "new", NULL);
  g_autoptr (GError) error = NULL;
  const SegueCombination combination = { SEGUE_COMBINE_MEAN, n, equal };
  g_assert_false (segue_model_combine (&combination, folders, labels, to, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  if (!strstr (error->message, reason))
    g_error ("the message is “%s”, and should contain “%s”", error->message, reason);
}

static void
test_write (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  const char *folders[SEGUE_MAX_MEMBERS + 1];
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    folders[i] = pitch->model;
  assert_not_written (pitch, folders, 1, "2 to 64 members, not 1");
  assert_not_written (pitch, folders, G_N_ELEMENTS (folders), "2 to 64 members, not 65");
  assert_not_written (pitch, folders, 2, "can't be a member of another");
}

/* @reason: part of the error of a predictor for the folder as it is now */
static void
assert_refused (Pitch *pitch, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (pitch->registry, pitch->model, 1, SEGUE_MODEL_FLOAT32, &error);
  if (predictor)
    segue_predictor_wait (predictor, &error);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  if (!strstr (error->message, reason))
    g_error ("the message is “%s”, and should contain “%s”", error->message, reason);
}

static void
write_description (Pitch *pitch, const char *rule, const char *members)
{
  g_autofree char *path = g_build_filename (pitch->model, "segue.json", NULL);
  g_autofree char *text = g_strdup_printf (
    "{\"segue\":1,\"model\":\"combined\",\"rule\":%s,\"members\":%s}", rule, members);
  g_assert_true (segue_file_write (path, text, -1, NULL));
}

static void
test_hostile_description (Pitch *pitch, gconstpointer data)
{
  static const char *const members[] = {
    "[]",
    "{}",
    "3",
    "[{\"weight\":1}]",
    "[{\"weight\":0.5},{\"weight\":0.6}]",
    "[{\"weight\":-0.5},{\"weight\":1.5}]",
    "[{\"weight\":\"0.5\"},{\"weight\":0.5}]",
    "[0.5,0.5]",
    "[{\"weight\":1e999},{\"weight\":0}]",
  };
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    write_description (pitch, "\"mean\"", members[i]);
    assert_refused (pitch, "segue.json");
  }
  write_description (pitch, "\"median\"", "[{\"weight\":0.5},{\"weight\":0.5}]");
  assert_refused (pitch, "neither \"mean\" nor");
  write_description (pitch, "1", "[{\"weight\":0.5},{\"weight\":0.5}]");
  assert_refused (pitch, "neither \"mean\" nor");
  g_autoptr (GString) many = g_string_new ("[{\"weight\":1}");
  for (guint i = 0; i < SEGUE_MAX_MEMBERS; i++)
    g_string_append (many, ",{\"weight\":0}");
  g_string_append_c (many, ']');
  write_description (pitch, "\"mean\"", many->str);
  assert_refused (pitch, "2 to 64");
  /* More members than folders. */
  write_description (pitch, "\"mean\"", "[{\"weight\":0.5},{\"weight\":0.3},{\"weight\":0.2}]");
  assert_refused (pitch, "members/3’ is not a folder");
}

/* Members that are missing, cut off, links, combined models themselves, or have other labels. */
static void
test_hostile_members (Pitch *pitch, gconstpointer data)
{
  save_combined (pitch, SEGUE_COMBINE_MEAN);
  g_autofree char *member = g_build_filename (pitch->model, "members", "2", NULL);
  g_autofree char *config = g_build_filename (member, "config.json", NULL);
  g_autofree char *inside = g_build_filename (pitch->model, "members", NULL);
  g_autofree char *weights_file = g_build_filename (member, "model.safetensors", NULL);
  g_autofree char *description = g_build_filename (member, "segue.json", NULL);
  g_autofree char *own = g_build_filename (pitch->model, "segue.json", NULL);
  g_autofree char *whole = NULL, *cut = NULL, *text = NULL;

  g_assert_true (g_file_get_contents (config, &text, NULL, NULL));
  g_autoptr (GString) other = g_string_new (text);
  g_string_replace (other, "low", "deep", 0);
  g_assert_true (segue_file_write (config, other->str, -1, NULL));
  assert_refused (pitch, "its labels are not those of the first member");
  g_assert_true (segue_file_write (config, text, -1, NULL));

  gsize length;
  g_assert_true (g_file_get_contents (weights_file, &whole, &length, NULL));
  g_assert_true (segue_file_write (weights_file, whole, (gssize) length / 2, NULL));
  assert_refused (pitch, "members/2/config.json’ is no tiny model");
  g_assert_true (segue_file_write (weights_file, whole, (gssize) length, NULL));

  g_assert_true (g_file_get_contents (own, &cut, NULL, NULL));
  g_assert_true (segue_file_write (description, cut, -1, NULL));
  assert_refused (pitch, "itself a combined one");

  g_assert_true (segue_file_remove_folder (member, NULL));
  assert_refused (pitch, "members/2’ is not a folder");
  g_assert_cmpint (symlink ("..", member), ==, 0);
  assert_refused (pitch, "members/2’ is not a folder");
  g_assert_cmpint (g_unlink (member), ==, 0);

  g_assert_true (segue_file_remove_folder (inside, NULL));
  g_assert_cmpint (symlink (".", inside), ==, 0);
  assert_refused (pitch, "members’ is not a folder");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) g_test_add (path, Pitch, NULL, pitch_set_up, function, pitch_tear_down)
  ADD ("/members/predict", test_predict);
  ADD ("/members/progress", test_progress);
  ADD ("/members/refused-song", test_refused_song);
  ADD ("/members/copy", test_copy);
  ADD ("/members/load", test_load);
  ADD ("/members/write", test_write);
  ADD ("/members/hostile-description", test_hostile_description);
  ADD ("/members/hostile-members", test_hostile_members);
  return g_test_run ();
}
