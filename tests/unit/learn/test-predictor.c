/* Songs predicted by a model folder: its preparation is replayed, with only the allowed stages. */
#include "pitch.h"
#include "tiny-stages.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>
#include <unistd.h>

static void
test_replays (Pitch *pitch, gconstpointer data)
{
  pitch_save_model (pitch, PITCH_DECODE_AND_CUT, 20);
  g_autofree char *low = pitch_song (pitch, "low.f32", 200, 18000);
  g_autofree char *high = pitch_song (pitch, "high.f32", 3000, 4000);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
  g_assert_cmpstr (segue_predictor_get_labels (predictor)[1], ==, "low");

  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSongPrediction) a = segue_predictor_predict (predictor, low, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (a->n_segments, ==, 4);
  g_assert_cmpuint (a->n_labels, ==, 2);
  g_assert_cmpuint (a->best, ==, 1);
  g_assert_cmpfloat (a->segments[3].start, ==, 1.5);
  g_assert_cmpfloat (a->segments[3].duration, ==, 0.5);
  float mean[2];
  g_assert_cmpuint (segue_song_aggregate (SEGUE_AGGREGATE_MEAN_PROBABILITY,
                                          a->segments[0].probabilities, 4, 2, mean),
                    ==, 1);
  g_assert_cmpmem (mean, sizeof mean, a->probabilities, sizeof mean);

  g_autoptr (SegueSongPrediction) b = segue_predictor_predict (predictor, high, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (b->best, ==, 0);
}

typedef struct {
  guint n_calls, n_predicted, n_segments;
} Predicted;

static void
note_predicted (const SegueSongPrediction *so_far, guint n_predicted, gpointer data)
{
  Predicted *predicted = data;
  g_assert_cmpuint (n_predicted, >, predicted->n_predicted);
  for (guint i = predicted->n_predicted; i < n_predicted; i++) {
    const float *p = so_far->segments[i].probabilities;
    g_assert_cmpfloat_with_epsilon (p[0] + p[1], 1, 1e-6);
  }
  *predicted = (Predicted){ predicted->n_calls + 1, n_predicted, so_far->n_segments };
}

/* Segments are reported as they are predicted: all of them, in order, in several steps per song. */
static void
test_progress (Pitch *pitch, gconstpointer data)
{
  pitch_save_model (pitch, PITCH_DECODE_AND_CUT, 20);
  g_autofree char *long_song = pitch_song (pitch, "long.f32", 200, 42000);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
  g_autoptr (GError) error = NULL;
  Predicted predicted = { 0 };
  g_autoptr (SegueSongPrediction) prediction =
    segue_predictor_predict_full (predictor, long_song, note_predicted, &predicted, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (predicted.n_segments, ==, prediction->n_segments);
  g_assert_cmpuint (predicted.n_predicted, ==, prediction->n_segments);
  g_assert_cmpuint (predicted.n_calls, >, 1);
}

/* A file without a name on disk: read like one with a name, with the caller's name for it, and not cached. */
static void
test_open_file (Pitch *pitch, gconstpointer data)
{
  pitch_save_model (pitch, PITCH_DECODE_AND_CUT, 20);
  g_autofree char *low = pitch_song (pitch, "low.f32", 200, 18000);
  g_autofree char *short_song = pitch_song (pitch, "short.f32", 200, 20);
  g_autofree char *cache = g_build_filename (pitch->folder, "cache", NULL);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
  g_autoptr (GError) error = NULL;
  g_assert_true (segue_predictor_use_cache (predictor, cache, &error));
  int fd = open (low, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (g_remove (low), ==, 0);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (SegueSongPrediction) answer =
      segue_predictor_predict_fd (predictor, fd, "my song", NULL, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (answer->best, ==, 1);
    g_assert_false (answer->cached);
  }
  g_assert_cmpint (close (fd), ==, 0);

  fd = open (short_song, O_RDONLY | O_CLOEXEC);
  g_assert_null (segue_predictor_predict_fd (predictor, fd, "my song", NULL, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "‘my song’"));
  g_assert_null (strstr (error->message, "short.f32"));
  g_assert_cmpint (close (fd), ==, 0);
  g_clear_error (&error);
  g_assert_null (segue_predictor_predict_fd (predictor, fd, "my song", NULL, NULL, NULL, &error));
  g_assert_nonnull (error);
}

/* The folder has valid settings, but contains no model: known after waiting for the load, and reported for every
 * song. */
static void
test_no_model (Pitch *pitch, gconstpointer data)
{
  pitch_save_model (pitch, PITCH_DECODE_AND_CUT, 20);
  g_autofree char *config = g_build_filename (pitch->model, "config.json", NULL);
  g_autofree char *low = pitch_song (pitch, "low.f32", 200, 18000);
  g_autoptr (GError) error = NULL, again = NULL;
  g_file_set_contents (config, "{}", -1, &error);
  g_assert_no_error (error);
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (pitch->registry, pitch->model, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  g_assert_false (segue_predictor_wait (predictor, &error));
  g_assert_nonnull (error);
  g_assert_null (segue_predictor_predict (predictor, low, NULL, &again));
  g_assert_error (again, error->domain, error->code);
}

/* A folder without these settings: ten-second segments over the whole song, the last one ends with it. */
static void
test_plain_folder (Pitch *pitch, gconstpointer data)
{
  pitch_save_model (pitch, NULL, 20);
  g_autofree char *segue = g_build_filename (pitch->model, "segue.json", NULL);
  g_assert_cmpint (g_remove (segue), ==, 0);
  g_autofree char *whole = pitch_song (pitch, "whole.f32", 200, 25 * 8000);
  g_autofree char *brief = pitch_song (pitch, "brief.f32", 200, 4000);
  g_autofree char *exact = pitch_song (pitch, "exact.f32", 200, 20 * 8000);
  g_autofree char *tiny = pitch_song (pitch, "tiny.f32", 200, 20);
  g_autofree char *empty = pitch_song (pitch, "empty.f32", 200, 0);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);

  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSongPrediction) a = segue_predictor_predict (predictor, whole, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (a->n_segments, ==, 3);
  g_assert_cmpfloat (a->segments[1].start, ==, 10);
  g_assert_cmpfloat (a->segments[2].start, ==, 15);
  g_assert_cmpfloat (a->segments[2].duration, ==, 10);
  g_autoptr (SegueSongPrediction) b = segue_predictor_predict (predictor, brief, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (b->n_segments, ==, 1);
  g_assert_cmpfloat (b->segments[0].duration, ==, 0.5);
  g_autoptr (SegueSongPrediction) c = segue_predictor_predict (predictor, exact, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (c->n_segments, ==, 2);

  g_assert_null (segue_predictor_predict (predictor, tiny, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_null (segue_predictor_predict (predictor, empty, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
}

static void
test_bad_songs (Pitch *pitch, gconstpointer data)
{
  pitch_save_model (pitch, PITCH_DECODE_AND_CUT, 20);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
  g_autoptr (GError) error = NULL;
  g_autofree char *odd = g_build_filename (pitch->folder, "odd.f32", NULL);
  g_assert_true (segue_file_write (odd, "abc", 3, NULL));
  g_assert_null (segue_predictor_predict (predictor, odd, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);

  g_autofree char *brief = pitch_song (pitch, "brief.f32", 200, 100);
  g_assert_null (segue_predictor_predict (predictor, brief, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "brief.f32"));
  g_clear_error (&error);

  g_assert_null (segue_predictor_predict (predictor, "/nowhere.f32", NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_clear_error (&error);

  /* A bad song does not affect the next. */
  g_autofree char *good = pitch_song (pitch, "good.f32", 200, 8000);
  g_autoptr (SegueSongPrediction) a = segue_predictor_predict (predictor, good, NULL, &error);
  g_assert_no_error (error);

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (segue_predictor_predict (predictor, good, cancellable, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_refuses_preparation (Pitch *pitch, gconstpointer data)
{
  static const struct {
    const char *preparation, *words;
  } cases[] = {
    { "[{\"use\":\"decode\"},{\"use\":\"spy\"}]", "is not allowed in the preparation" },
    { "[{\"use\":\"decode\"},{\"use\":\"shaky\"}]", "is not allowed in the preparation" },
    { "[{\"use\":\"decode\"},{\"use\":\"unheard-of\"}]", "'unheard-of'; no plugin provides it" },
    { "[{\"use\":\"cut\"}]", "does not accept" },
    { "[{\"use\":\"decode\"},{\"use\":\"decode\"}]", "does not accept" },
    { "[{\"use\":\"decode\",\"with\":{\"rate\":9000}}]", "rate" },
    { "[{\"use\":\"decode\",\"with\":{\"command\":\"sh\"}}]", "command" },
    { "[{\"use\":\"decode\",\"with\":{\"rate\":{\"a\":[]}}}]", "rate" },
    { "[{\"use\":\"decode\",\"result_version\":3}]", "newer" },
    { "[{\"use\":\"decode\",\"result_version\":4294967296}]", "result_version" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    pitch_save_model (pitch, cases[i].preparation, 20);
    g_assert_null (
      segue_predictor_new (pitch->registry, pitch->model, 1, SEGUE_MODEL_FLOAT32, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    if (!strstr (error->message, cases[i].words) || !strstr (error->message, "segue.json"))
      g_error ("‘%s’ does not say ‘%s’ of segue.json", error->message, cases[i].words);
  }
}

typedef struct {
  SeguePredictor *predictor;
  char **paths;
  guint n, offset;
  float *first; /* [n]: probability of the first label */
} Work;

static gpointer
predict_all (gpointer data)
{
  Work *work = data;
  for (guint i = 0; i < work->n; i++) {
    guint at = (i + work->offset) % work->n;
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueSongPrediction) prediction =
      segue_predictor_predict (work->predictor, work->paths[at], NULL, &error);
    g_assert_no_error (error);
    work->first[at] = prediction->probabilities[0];
  }
  return NULL;
}

static void
test_threads (Pitch *pitch, gconstpointer data)
{
  enum { N_SONGS = 12, N_THREADS = 4 };
  pitch_save_model (pitch, PITCH_DECODE_AND_CUT, 20);
  g_autoptr (SeguePredictor) predictor = pitch_new_predictor (pitch);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < N_SONGS; i++) {
    g_autofree char *name = g_strdup_printf ("%u.f32", i);
    g_ptr_array_add (paths, pitch_song (pitch, name, 200 + 150.0 * i, 8000 + 4000 * i));
  }
  float results[N_THREADS + 1][N_SONGS];
  Work work[N_THREADS + 1];
  GThread *threads[N_THREADS + 1];
  for (guint t = 0; t <= N_THREADS; t++)
    work[t] = (Work){ predictor, (char **) paths->pdata, N_SONGS, t * 3, results[t] };
  predict_all (&work[0]);
  for (guint t = 1; t <= N_THREADS; t++)
    threads[t] = g_thread_new ("predict", predict_all, &work[t]);
  for (guint t = 1; t <= N_THREADS; t++) {
    g_thread_join (threads[t]);
    g_assert_cmpmem (results[t], sizeof results[t], results[0], sizeof results[0]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Pitch, NULL, pitch_set_up, function, pitch_tear_down)
  ADD ("/predictor/replays", test_replays);
  ADD ("/predictor/progress", test_progress);
  ADD ("/predictor/open-file", test_open_file);
  ADD ("/predictor/no-model", test_no_model);
  ADD ("/predictor/plain-folder", test_plain_folder);
  ADD ("/predictor/bad-songs", test_bad_songs);
  ADD ("/predictor/refuses-preparation", test_refuses_preparation);
  ADD ("/predictor/threads", test_threads);
  return g_test_run ();
}
