/* Threads: every tile once, consecutive runs, runs from several threads, and refused arguments. */
#include "op-test.h"

#include <segue/error.h>
#include <string.h>

enum { TILES = 1000 };

typedef struct {
  gint runs[TILES]; /* of each tile */
  gint inside[SEGUE_NN_MAX_THREADS];
  guint n_threads;
} Count;

static void
count (gpointer data, gsize tile, guint thread)
{
  Count *c = data;
  g_assert_cmpuint (thread, <, c->n_threads);
  /* no two tiles at once under one thread number */
  g_assert_cmpint (g_atomic_int_add (&c->inside[thread], 1), ==, 0);
  g_atomic_int_inc (&c->runs[tile]);
  g_atomic_int_add (&c->inside[thread], -1);
}

static void
test_every_tile_once (void)
{
  static const gsize sizes[] = { 0, 1, 2, 3, 7, TILES };
  for (guint n_threads = 1; n_threads <= 5; n_threads++) {
    g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
    g_assert_cmpuint (segue_nn_threads_get_count (threads), ==, n_threads);
    for (guint round = 0; round < 200; round++) {
      g_autofree Count *c = g_new0 (Count, 1);
      gsize n_tiles = sizes[round % G_N_ELEMENTS (sizes)];
      c->n_threads = n_threads;
      segue_nn_threads_run (threads, n_tiles, count, c);
      for (gsize tile = 0; tile < TILES; tile++)
        g_assert_cmpint (c->runs[tile], ==, tile < n_tiles);
    }
  }
}

/* Workers that have gone to sleep wake up. */
static void
test_after_a_pause (void)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (3);
  for (guint round = 0; round < 3; round++) {
    g_autofree Count *c = g_new0 (Count, 1);
    c->n_threads = 3;
    g_usleep (20000);
    segue_nn_threads_run (threads, TILES, count, c);
    g_assert_cmpint (c->runs[TILES - 1], ==, 1);
  }
  g_usleep (20000); /* and are freed asleep */
}

static gpointer
run_many (gpointer data)
{
  SegueNnThreads *threads = data;
  for (guint round = 0; round < 100; round++) {
    g_autofree Count *c = g_new0 (Count, 1);
    c->n_threads = segue_nn_threads_get_count (threads);
    segue_nn_threads_run (threads, TILES, count, c);
    for (gsize tile = 0; tile < TILES; tile++)
      g_assert_cmpint (c->runs[tile], ==, 1);
  }
  return NULL;
}

static void
test_several_callers (void)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  GThread *callers[3];
  for (guint i = 0; i < 3; i++)
    callers[i] = g_thread_new ("caller", run_many, threads);
  for (guint i = 0; i < 3; i++)
    g_thread_join (callers[i]);
}

typedef struct {
  GCancellable *cancellable;
  gint n_run;
} Stop;

static void
stop_at_tenth (gpointer data, gsize tile, guint thread)
{
  Stop *stop = data;
  if (g_atomic_int_add (&stop->n_run, 1) == 9)
    g_cancellable_cancel (stop->cancellable);
}

/* The rest of a cancelled pass is skipped, and the check reports that, once. */
static void
test_cancel (void)
{
  for (guint n_threads = 1; n_threads <= 3; n_threads++) {
    g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;
    Stop stop = { .cancellable = cancellable };
    segue_nn_threads_watch (threads, cancellable);
    segue_nn_threads_run (threads, TILES, stop_at_tenth, &stop);
    g_assert_cmpint (stop.n_run, >=, 10);
    g_assert_cmpint (stop.n_run, <, 10 + (gint) n_threads);
    segue_nn_threads_run (threads, TILES, stop_at_tenth, &stop);
    g_assert_cmpint (stop.n_run, <, 10 + (gint) n_threads);
    g_assert_false (segue_nn_threads_check (threads, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
    g_clear_error (&error);

    /* The cancellable is no longer checked: work that has to be complete is. */
    stop.n_run = 10;
    segue_nn_threads_run (threads, TILES, stop_at_tenth, &stop);
    g_assert_cmpint (stop.n_run, ==, 10 + TILES);
    g_assert_true (segue_nn_threads_check (threads, &error));
    g_assert_no_error (error);

    /* A pass that had finished when it was cancelled is complete. */
    g_cancellable_reset (cancellable);
    segue_nn_threads_watch (threads, cancellable);
    segue_nn_threads_run (threads, TILES, stop_at_tenth, &stop);
    g_cancellable_cancel (cancellable);
    g_assert_true (segue_nn_threads_check (threads, &error));
  }
}

static void
test_backends (void)
{
  g_autoptr (GError) error = NULL;
  const char *const *names = segue_nn_backend_names ();
  g_assert_null (segue_nn_threads_new (1, "abacus", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "abacus"));
  g_assert_nonnull (strstr (error->message, names[0]));
  g_assert_nonnull (segue_nn_backend_find ("openblas"));
  for (guint i = 0; names[i]; i++) {
    if (!segue_nn_backend_find (names[i]))
      continue; /* built, but not usable here */
    g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (1, names[i], NULL);
    const SegueNnBackend *backend = segue_nn_threads_get_backend (threads);
    g_assert_cmpstr (backend->name, ==, names[i]);
    g_assert_cmpuint (strlen (backend->fingerprint ()), >, 0);
  }
}

static void
test_default_threads (void)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (0);
  g_assert_cmpuint (segue_nn_threads_get_count (threads), >=, 1);
  g_assert_cmpuint (segue_nn_threads_get_count (threads), <=, SEGUE_NN_MAX_THREADS);
  segue_nn_threads_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/threads/every-tile-once", test_every_tile_once);
  g_test_add_func ("/nn/threads/after-a-pause", test_after_a_pause);
  g_test_add_func ("/nn/threads/several-callers", test_several_callers);
  g_test_add_func ("/nn/threads/cancel", test_cancel);
  g_test_add_func ("/nn/threads/backends", test_backends);
  g_test_add_func ("/nn/threads/default-threads", test_default_threads);
  return g_test_run ();
}
