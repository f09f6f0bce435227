/* The memory of an answer: data that was put in is read back, and nothing changes it. */
#include "isolate/shared-arena.h"
#include "isolate/shared-bytes.h"

#include <errno.h>
#include <glib.h>
#include <segue/error.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LARGE (3 * SEGUE_SHARED_BYTES_COPIED_BELOW / 2)

/* The worker's end is a copy of the core's, as it is across a socket. */
static void
make (SegueSharedArena *core, SegueSharedArena *worker, guint64 size)
{
  g_autoptr (GError) error = NULL;
  segue_shared_arena_init (core, size, &error);
  g_assert_no_error (error);
  *worker = *core;
}

static void
put (SegueSharedArena *worker, char letter, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_malloc (MAX (size, 1));
  segue_shared_arena_put (worker, memset (data, letter, size), size, &error);
  g_assert_no_error (error);
}

static void
check (SegueSharedArena *core, guint64 offset, char letter, gsize size)
{
  int lacks;
  g_autoptr (GBytes) bytes = segue_shared_bytes_map_part (core->fd, offset, size, &lacks);
  g_assert_nonnull (bytes);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
  const char *data = g_bytes_get_data (bytes, NULL);
  for (gsize i = 0; i < size; i++)
    g_assert_cmpint (data[i], ==, letter);
}

static void
test_payloads (void)
{
  static const gsize sizes[] = { 1, 0, LARGE, 63, LARGE, 4096 };
  guint64 offsets[G_N_ELEMENTS (sizes)];
  SegueSharedArena worker;
  g_auto (SegueSharedArena) core = SEGUE_SHARED_ARENA_NONE;
  int lacks;
  make (&core, &worker, (guint64) 1 << 30);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    put (&worker, (char) ('a' + i), sizes[i]);
    g_assert_true (segue_shared_arena_reserve (&core, sizes[i], &offsets[i]));
  }
  g_assert_true (segue_shared_arena_seal (&core, &lacks));
  g_assert_cmpint (pwrite (worker.fd, "x", 1, 0), <, 0);
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_cmpint (ftruncate (worker.fd, 0), <, 0);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    check (&core, offsets[i], (char) ('a' + i), sizes[i]);
}

static void
test_full (void)
{
  SegueSharedArena worker;
  g_auto (SegueSharedArena) core = SEGUE_SHARED_ARENA_NONE;
  g_autoptr (GError) full = NULL;
  guint64 offset;
  make (&core, &worker, 4096);
  put (&worker, 'a', 4000);
  g_assert_false (segue_shared_arena_put (&worker, "abc", 100, &full));
  g_assert_error (full, SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
  g_assert_cmpint (pwrite (worker.fd, "x", 1, 4096), <, 0);
  g_assert_true (segue_shared_arena_reserve (&core, 4000, &offset));
  g_assert_false (segue_shared_arena_reserve (&core, 100, &offset));
  g_assert_false (segue_shared_arena_reserve (&core, G_MAXUINT64, &offset));
  g_assert_true (segue_shared_arena_reserve (&core, 64, &offset));
}

/* Data that the worker did not put in can't be read. */
static void
test_missing (void)
{
  SegueSharedArena worker;
  g_auto (SegueSharedArena) core = SEGUE_SHARED_ARENA_NONE;
  guint64 offset;
  int lacks;
  make (&core, &worker, (guint64) 1 << 30);
  put (&worker, 'a', 4096);
  g_assert_true (segue_shared_arena_reserve (&core, 2 * LARGE, &offset));
  g_assert_false (segue_shared_arena_seal (&core, &lacks));
  g_assert_cmpint (lacks, ==, 0);
}

/* Where a process may write only small files, small answers fit, and the error for larger ones names the limit. */
static void
test_limit (void)
{
  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed ();
    return;
  }
  SegueSharedArena worker;
  g_auto (SegueSharedArena) core = SEGUE_SHARED_ARENA_NONE;
  g_autoptr (GError) large = NULL;
  guint64 offset;
  int lacks;
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &(struct rlimit){ 8192, 8192 });
  make (&core, &worker, (guint64) 1 << 30);
  put (&worker, 'a', 8000);
  g_assert_false (
    segue_shared_arena_put (&worker, memset (g_newa (char, 8000), 0, 8000), 8000, &large));
  g_assert_error (large, SEGUE_ERROR, SEGUE_ERROR_IO);
  g_assert_nonnull (strstr (large->message, "ulimit -f"));
  g_assert_true (segue_shared_arena_reserve (&core, 8000, &offset));
  g_assert_true (segue_shared_arena_seal (&core, &lacks));
  check (&core, offset, 'a', 8000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/isolate-arena/payloads", test_payloads);
  g_test_add_func ("/isolate-arena/full", test_full);
  g_test_add_func ("/isolate-arena/missing", test_missing);
  g_test_add_func ("/isolate-arena/limit", test_limit);
  return g_test_run ();
}
