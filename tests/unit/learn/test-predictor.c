/* Songs named by a model folder: its preparation replayed, and only what may be replayed. */
#include "tiny-model.h"
#include "tiny-stages.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <segue/segue.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  SegueRegistry *registry;
  char *folder; /* model/ and songs */
  char *model;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->registry = segue_registry_new ();
  segue_registry_add (fixture->registry, tiny_plugin (), NULL, &error);
  g_assert_no_error (error);
  segue_registry_add (fixture->registry, tiny_stages (), NULL, &error);
  g_assert_no_error (error);
  fixture->folder = g_dir_make_tmp ("segue-predict-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->model = g_build_filename (fixture->folder, "model", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  segue_registry_free (fixture->registry);
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
  g_free (fixture->model);
}

/* A model whose answer depends on the pitch. */
static void
save_model (Fixture *fixture, const char *preparation)
{
  static const char *const labels[] = { "high", "low", NULL };
  const SegueModelSpec spec = { .labels = labels, .rate = 8000, .seed = 1, .threads = 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model =
    segue_model_new (segue_registry_find_model (fixture->registry, "tiny"), NULL, &spec, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) tensors =
    segue_model_get_type (model)->list_tensors (segue_model_get_impl (model));
  float *weight = g_array_index (tensors, SegueModelTensor, 0).value;
  memset (weight, 0, 12 * sizeof (float));
  weight[0] = 20;
  g_array_index (tensors, SegueModelTensor, 1).value[0] = -5;
  segue_model_save (model, fixture->model, preparation, &error);
  g_assert_no_error (error);
}

static char *
song (Fixture *fixture, const char *name, double hz, gsize n_samples)
{
  char *path = g_build_filename (fixture->folder, name, NULL);
  tiny_write_song (path, hz, n_samples);
  return path;
}

static SeguePredictor *
new_predictor (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  SeguePredictor *predictor =
    segue_predictor_new (fixture->registry, fixture->model, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  g_assert_true (segue_predictor_wait (predictor, &error));
  return predictor;
}

#define DECODE_AND_CUT                                                                             \
  "[{\"result_version\":2,\"use\":\"decode\",\"with\":{\"rate\":8000}},"                           \
  "{\"result_version\":1,\"use\":\"cut\",\"with\":{\"length\":4000}}]"

static void
test_replays (Fixture *fixture, gconstpointer data)
{
  save_model (fixture, DECODE_AND_CUT);
  g_autofree char *low = song (fixture, "low.f32", 200, 18000);
  g_autofree char *high = song (fixture, "high.f32", 3000, 4000);
  g_autoptr (SeguePredictor) predictor = new_predictor (fixture);
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
  g_assert_cmpuint (segue_song_aggregate (a->segments[0].probabilities, 4, 2, mean), ==, 1);
  g_assert_cmpmem (mean, sizeof mean, a->probabilities, sizeof mean);

  g_autoptr (SegueSongPrediction) b = segue_predictor_predict (predictor, high, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (b->best, ==, 0);
}

typedef struct {
  guint n_calls, n_heard, n_segments;
} Heard;

static void
note_heard (const SegueSongPrediction *so_far, guint n_heard, gpointer data)
{
  Heard *heard = data;
  g_assert_cmpuint (n_heard, >, heard->n_heard);
  for (guint i = heard->n_heard; i < n_heard; i++) {
    const float *p = so_far->segments[i].probabilities;
    g_assert_cmpfloat_with_epsilon (p[0] + p[1], 1, 1e-6);
  }
  *heard = (Heard){ heard->n_calls + 1, n_heard, so_far->n_segments };
}

/* Segments are told of as they are answered: all of them, in order, and more than once a song. */
static void
test_listens (Fixture *fixture, gconstpointer data)
{
  save_model (fixture, DECODE_AND_CUT);
  g_autofree char *long_song = song (fixture, "long.f32", 200, 42000);
  g_autoptr (SeguePredictor) predictor = new_predictor (fixture);
  g_autoptr (GError) error = NULL;
  Heard heard = { 0 };
  g_autoptr (SegueSongPrediction) listened =
    segue_predictor_listen (predictor, long_song, note_heard, &heard, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (heard.n_segments, ==, listened->n_segments);
  g_assert_cmpuint (heard.n_heard, ==, listened->n_segments);
  g_assert_cmpuint (heard.n_calls, >, 1);
}

/* A file without a name on disk: read as one with a name is, and called what the caller calls it. */
static void
test_open_file (Fixture *fixture, gconstpointer data)
{
  save_model (fixture, DECODE_AND_CUT);
  g_autofree char *low = song (fixture, "low.f32", 200, 18000);
  g_autofree char *short_song = song (fixture, "short.f32", 200, 20);
  g_autoptr (SeguePredictor) predictor = new_predictor (fixture);
  g_autoptr (GError) error = NULL;
  int fd = open (low, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (g_remove (low), ==, 0);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (SegueSongPrediction) answer =
      segue_predictor_listen_fd (predictor, fd, "my song", NULL, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (answer->best, ==, 1);
  }
  g_assert_cmpint (close (fd), ==, 0);

  fd = open (short_song, O_RDONLY | O_CLOEXEC);
  g_assert_null (segue_predictor_listen_fd (predictor, fd, "my song", NULL, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "‘my song’"));
  g_assert_null (strstr (error->message, "short.f32"));
  g_assert_cmpint (close (fd), ==, 0);
  g_clear_error (&error);
  g_assert_null (segue_predictor_listen_fd (predictor, fd, "my song", NULL, NULL, NULL, &error));
  g_assert_nonnull (error);
}

/* The folder says what it is, and holds no model: known once that was waited for, and said again with
 * every song. */
static void
test_no_model (Fixture *fixture, gconstpointer data)
{
  save_model (fixture, DECODE_AND_CUT);
  g_autofree char *config = g_build_filename (fixture->model, "config.json", NULL);
  g_autofree char *low = song (fixture, "low.f32", 200, 18000);
  g_autoptr (GError) error = NULL, again = NULL;
  g_file_set_contents (config, "{}", -1, &error);
  g_assert_no_error (error);
  g_autoptr (SeguePredictor) predictor =
    segue_predictor_new (fixture->registry, fixture->model, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  g_assert_false (segue_predictor_wait (predictor, &error));
  g_assert_nonnull (error);
  g_assert_null (segue_predictor_predict (predictor, low, NULL, &again));
  g_assert_error (again, error->domain, error->code);
}

/* A folder that does not say: ten-second segments over all of the song, the last one ends with it. */
static void
test_plain_folder (Fixture *fixture, gconstpointer data)
{
  save_model (fixture, NULL);
  g_autofree char *segue = g_build_filename (fixture->model, "segue.json", NULL);
  g_assert_cmpint (g_remove (segue), ==, 0);
  g_autofree char *whole = song (fixture, "whole.f32", 200, 25 * 8000);
  g_autofree char *brief = song (fixture, "brief.f32", 200, 4000);
  g_autofree char *exact = song (fixture, "exact.f32", 200, 20 * 8000);
  g_autofree char *tiny = song (fixture, "tiny.f32", 200, 20);
  g_autofree char *empty = song (fixture, "empty.f32", 200, 0);
  g_autoptr (SeguePredictor) predictor = new_predictor (fixture);

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
test_bad_songs (Fixture *fixture, gconstpointer data)
{
  save_model (fixture, DECODE_AND_CUT);
  g_autoptr (SeguePredictor) predictor = new_predictor (fixture);
  g_autoptr (GError) error = NULL;
  g_autofree char *odd = g_build_filename (fixture->folder, "odd.f32", NULL);
  g_assert_true (segue_file_write (odd, "abc", 3, NULL));
  g_assert_null (segue_predictor_predict (predictor, odd, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);

  g_autofree char *brief = song (fixture, "brief.f32", 200, 100);
  g_assert_null (segue_predictor_predict (predictor, brief, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "brief.f32"));
  g_clear_error (&error);

  g_assert_null (segue_predictor_predict (predictor, "/nowhere.f32", NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_clear_error (&error);

  /* A bad song spoils nothing for the next. */
  g_autofree char *good = song (fixture, "good.f32", 200, 8000);
  g_autoptr (SegueSongPrediction) a = segue_predictor_predict (predictor, good, NULL, &error);
  g_assert_no_error (error);

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (segue_predictor_predict (predictor, good, cancellable, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_refuses_preparation (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *preparation, *words;
  } cases[] = {
    { "[{\"use\":\"decode\"},{\"use\":\"spy\"}]", "may not prepare" },
    { "[{\"use\":\"decode\"},{\"use\":\"shaky\"}]", "may not prepare" },
    { "[{\"use\":\"decode\"},{\"use\":\"unheard-of\"}]", "unheard-of" },
    { "[{\"use\":\"cut\"}]", "can't take" },
    { "[{\"use\":\"decode\"},{\"use\":\"decode\"}]", "can't take" },
    { "[{\"use\":\"decode\",\"with\":{\"rate\":9000}}]", "rate" },
    { "[{\"use\":\"decode\",\"with\":{\"command\":\"sh\"}}]", "command" },
    { "[{\"use\":\"decode\",\"with\":{\"rate\":{\"a\":[]}}}]", "rate" },
    { "[{\"use\":\"decode\",\"result_version\":3}]", "newer" },
    { "[{\"use\":\"decode\",\"result_version\":4294967296}]", "result_version" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    save_model (fixture, cases[i].preparation);
    g_assert_null (
      segue_predictor_new (fixture->registry, fixture->model, 1, SEGUE_MODEL_FLOAT32, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    if (strstr (error->message, cases[i].words) == NULL ||
        strstr (error->message, "segue.json") == NULL)
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
test_threads (Fixture *fixture, gconstpointer data)
{
  enum { N_SONGS = 12, N_THREADS = 4 };
  save_model (fixture, DECODE_AND_CUT);
  g_autoptr (SeguePredictor) predictor = new_predictor (fixture);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < N_SONGS; i++) {
    g_autofree char *name = g_strdup_printf ("%u.f32", i);
    g_ptr_array_add (paths, song (fixture, name, 200 + 150.0 * i, 8000 + 4000 * i));
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

static void
test_aggregate (void)
{
  const float rows[] = { 0.5f, 0.25f, 0.25f, 0.25f, 0.5f, 0.25f };
  float mean[3];
  g_assert_cmpuint (segue_song_aggregate (rows, 2, 3, mean), ==, 0); /* the first of equals */
  g_assert_cmpfloat (mean[0], ==, 0.375f);
  g_assert_cmpfloat (mean[2], ==, 0.25f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/predictor/replays", test_replays);
  ADD ("/predictor/listens", test_listens);
  ADD ("/predictor/open-file", test_open_file);
  ADD ("/predictor/no-model", test_no_model);
  ADD ("/predictor/plain-folder", test_plain_folder);
  ADD ("/predictor/bad-songs", test_bad_songs);
  ADD ("/predictor/refuses-preparation", test_refuses_preparation);
  ADD ("/predictor/threads", test_threads);
  g_test_add_func ("/predictor/aggregate", test_aggregate);
  return g_test_run ();
}
