/* A bounded cache: removal order, entries kept because they are needed, and no effect on running processes. */
#include "cache-files.h"
#include "fake.h"
#include "run/run-folder.h"
#include "store/cache-limit.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STAGES "  - use: fake-decode\n  - use: fake-segment\n  - use: fake-dump\n"
#define DAY    86400
#define KEY    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static gint64 clock_offset;   /* µs */
static gint64 disk_free = -1; /* bytes; -1: plenty */
static gboolean slow_hands, no_locks;
static const char *not_ours; /* name of a file that may not be removed */

/* Replaces the system's functions, so that clocks go wrong and disks fill up when a test needs it. */
gint64
g_get_real_time (void)
{
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  return (gint64) now.tv_sec * 1000000 + now.tv_nsec / 1000 + clock_offset;
}

/* A wait for a lock returns at once, and is counted. */
static gboolean fast_waits;
static gint64 waited; /* µs */

void
g_usleep (gulong time)
{
  const struct timespec pause = { .tv_sec = (time_t) (time / 1000000),
                                  .tv_nsec = (long) (time % 1000000) * 1000 };
  if (fast_waits)
    __atomic_add_fetch (&waited, (gint64) time, __ATOMIC_SEQ_CST);
  else
    nanosleep (&pause, NULL);
}

gint64
g_get_monotonic_time (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000 + now.tv_nsec / 1000 +
         __atomic_load_n (&waited, __ATOMIC_SEQ_CST);
}

int
statvfs (const char *path, struct statvfs *fs)
{
  *fs = (struct statvfs){ .f_frsize = 1, .f_blocks = 1000000000000, .f_bavail = 500000000000 };
  if (disk_free >= 0)
    fs->f_bavail = (fsblkcnt_t) disk_free;
  return 0;
}

/* Simulates events between the last check of an entry and its removal. */
int
unlinkat (int folder, const char *name, int flags)
{
  if (slow_hands)
    g_usleep (500);
  if (not_ours && strcmp (name, not_ours) == 0) {
    errno = EACCES;
    return -1;
  }
  return (int) syscall (SYS_unlinkat, folder, name, flags);
}

int
flock (int fd, int operation)
{
  if (no_locks) {
    errno = ENOLCK;
    return -1;
  }
  return (int) syscall (SYS_flock, fd, operation);
}

static gint64
get_used (const char *path)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_mtim.tv_sec;
}

static gboolean
exists (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static const guint64 nothing = 0;

/* Five songs, the first not used for longest. */
static GPtrArray *
make_records (FlowFixture *fixture)
{
  flow_fixture_init (fixture);
  for (guint i = 0; i < 5; i++) {
    g_autofree char *path = g_strdup_printf ("a/%u.song", i);
    g_autofree char *text = g_strdup_printf ("the song with number %u", i);
    flow_fixture_write (fixture, path, text);
  }
  flow_fixture_run (fixture, STAGES, 2, NULL);
  GPtrArray *records = flow_fixture_list_records (fixture);
  g_assert_cmpuint (records->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    cache_set_used (records->pdata[i], (10 - i) * DAY);
  return records;
}

static void
test_sizes (void)
{
  static const struct {
    const char *text;
    guint64 bytes;
  } good[] = {
    { "0", 0 },
    { "1000", 1000 },
    { "3K", 3000 },
    { "50G", 50000000000 },
    { "2T", 2000000000000 },
    { "18446744073709551615", G_MAXUINT64 },
  };
  static const char *const bad[] = { "",    "G",    "5g",  "5GB",       "5 G",
                                     "-1",  "1.5G", "+1",  " 1",        "0x10",
                                     "1e9", "5G\n", "5KK", "20000000T", "18446744073709551616",
                                     "\xff" };
  guint64 bytes;
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_assert_true (segue_cache_parse_size (good[i].text, &bytes, NULL));
    g_assert_cmpuint (bytes, ==, good[i].bytes);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (segue_cache_parse_size (bad[i], &bytes, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
  }
}

static void
test_order (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  g_autoptr (SegueCacheInfo) info = segue_cache_info (fixture.cache, NULL, NULL);
  g_assert_cmpuint (info->parts[SEGUE_CACHE_RECORDS].n, ==, 5);
  g_assert_cmpint (info->parts[SEGUE_CACHE_RECORDS].oldest, ==, get_used (records->pdata[0]));
  g_assert_cmpint (info->parts[SEGUE_CACHE_RECORDS].newest, ==, get_used (records->pdata[4]));
  guint64 one = info->parts[SEGUE_CACHE_RECORDS].bytes / 5;
  guint64 limit = info->bytes - 2 * one;

  /* An entry that is used again is not the oldest any more; one stamped by a wrong clock is. */
  cache_set_used (records->pdata[0], 0);
  cache_set_used (records->pdata[3], -400 * DAY);
  SegueCacheFreed dry =
    cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &limit, .dry_run = TRUE });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 5);
  SegueCacheFreed freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &limit });
  g_assert_cmpmem (&dry, sizeof dry, &freed, sizeof freed);
  g_assert_cmpuint (freed.n, ==, 2);
  g_assert_cmpuint (freed.left, <=, limit);
  g_assert_false (exists ("", records->pdata[1]));
  g_assert_false (exists ("", records->pdata[3]));
  g_assert_true (exists ("", records->pdata[0]));
  g_assert_cmpuint (cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &limit }).n, ==, 0);

  /* The removed songs are recomputed, with the same result. */
  g_autofree char *before = flow_fixture_read (&fixture, "dump.txt");
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, STAGES, 2, &result);
  g_assert_cmpuint (result.n_cached, ==, 3);
  segue_run_result_clear (&result);
  g_autofree char *after = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (before, ==, after);
}

static void
test_older (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  SegueCacheFreed freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ .older = 8 });
  g_assert_cmpuint (freed.parts[SEGUE_CACHE_RECORDS].n, ==, 3);
  g_assert_false (exists ("", records->pdata[2]));
  g_assert_true (exists ("", records->pdata[3]));
  freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ .room = 1 });
  g_assert_cmpuint (freed.parts[SEGUE_CACHE_RECORDS].n, ==, 1);
  g_assert_false (exists ("", records->pdata[3]));
  freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  g_assert_cmpuint (freed.parts[SEGUE_CACHE_RECORDS].n, ==, 1);
  g_assert_cmpuint (freed.left, ==, 0);
  g_autoptr (SegueCacheInfo) info = segue_cache_info (fixture.cache, NULL, NULL);
  g_assert_cmpuint (info->bytes, ==, 0);
}

/* In a cache that several people use, entries that can't be removed don't prevent the removal of others. */
static void
test_not_ours (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  not_ours = strrchr (records->pdata[2], '/') + 1;
  SegueCacheFreed freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  not_ours = NULL;
  g_assert_cmpuint (freed.parts[SEGUE_CACHE_RECORDS].n, ==, 4);
  g_assert_cmpuint (freed.left, >, 0);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
}

/* A use updates the time stamp, also where everything is read from the cache. */
static void
test_stamps (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  flow_fixture_run (&fixture, STAGES, 2, NULL);
  for (guint i = 0; i < records->len; i++)
    g_assert_cmpint (get_used (records->pdata[i]), >=, g_get_real_time () / 1000000 - 60);
}

static void
test_end_of_run (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/1.song", "a song");
  g_setenv ("SEGUE_CACHE_SIZE", "1K", TRUE);
  /* Entries that a run itself has used stay: it may have to resume from them. */
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
  g_assert_null (strstr (fixture.log->str, "limit"));
  flow_fixture_write (&fixture, "a/1.song", "another song");
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
  g_assert_nonnull (strstr (fixture.log->str, "from the cache (limit: 1.0"));
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, STAGES, 1, &result);
  g_assert_cmpuint (result.n_cached, ==, 1);
  segue_run_result_clear (&result);
  g_setenv ("SEGUE_CACHE_SIZE", "1 GB", TRUE);
  g_autoptr (GError) error = NULL;
  g_assert_false (flow_fixture_try_run (&fixture, "", STAGES, 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "SEGUE_CACHE_SIZE"));
  g_unsetenv ("SEGUE_CACHE_SIZE");
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
}

/* Entries that a run has used stay as long as the run exists, others are removed. */
static void
test_user (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  g_autoptr (GError) error = NULL;
  SegueStore *store = segue_store_open (fixture.cache, &error);
  g_assert_no_error (error);
  g_autoptr (SegueCacheInfo) info = segue_cache_info (fixture.cache, NULL, NULL);
  g_assert_cmpuint (info->n_users, ==, 1);
  const char *used = (const char *) records->pdata[1] + strlen (fixture.cache) + 1;
  g_assert_true (segue_store_use (store, used, NULL));
  g_assert_false (segue_store_use (store, "records/00/nothing", &error));
  g_assert_no_error (error);
  SegueCacheFreed freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
  g_assert_true (exists ("", records->pdata[1]));
  g_assert_cmpuint (freed.in_use, >, 0);
  segue_store_free (store);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 0);
}

/* A clock that is set back during a run does not make used entries look old. */
static void
test_clock (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  g_autoptr (SegueStore) store = segue_store_open (fixture.cache, NULL);
  g_autofree char *users = g_build_filename (fixture.cache, "users", NULL);
  g_autoptr (GDir) folder = g_dir_open (users, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (folder)) && g_str_equal (name, "gate"))
    ;
  g_autofree char *run = g_build_filename (users, name, NULL);
  gint64 began = get_used (run);
  clock_offset = -3 * 3600 * (gint64) G_USEC_PER_SEC;
  const char *used = (const char *) records->pdata[1] + strlen (fixture.cache) + 1;
  g_assert_true (segue_store_use (store, used, NULL));
  g_assert_cmpint (get_used (run), <=, began - 3 * 3600 + 60);
  /* As if the kernel's clock had been set back, too. */
  cache_set_used (records->pdata[1], -1);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  clock_offset = 0;
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
}

/* ---- Other processes of this program: `test-flow-gc WHAT FOLDER` ---- */

static char *program;

static GPid
spawn (const char *what, const char *folder)
{
  char *argv[] = { program, (char *) what, (char *) folder, NULL };
  GPid pid;
  g_autoptr (GError) error = NULL;
  g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static int
reap (GPid pid)
{
  int status;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return status;
}

/* Opens the store, reports that, and keeps it open. */
static int
be_user (const char *folder)
{
  g_autoptr (SegueStore) store = segue_store_open (folder, NULL);
  g_autofree char *ready = g_build_filename (folder, "ready", NULL);
  if (!store || !g_file_set_contents (ready, "", 0, NULL))
    return 1;
  for (pid_t parent = getppid (); getppid () == parent;)
    g_usleep (20000);
  return 0;
}

static int
be_collector (const char *folder)
{
  g_autofree char *stop = g_build_filename (folder, "stop", NULL);
  guint64 n = 0;
  pid_t parent = getppid ();
  slow_hands = TRUE;
  /* A failed test leaves no process behind. */
  while (!g_file_test (stop, G_FILE_TEST_EXISTS) && getppid () == parent) {
    SegueCacheFreed freed = SEGUE_INIT (SegueCacheFreed);
    g_autoptr (GError) error = NULL;
    SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .limit = &nothing);
    if (!segue_cache_gc (folder, &options, &freed, NULL, &error)) {
      g_printerr ("gc: %s\n", error->message);
      return 1;
    }
    n += freed.n;
  }
  /* A collector that never found anything would prove nothing. */
  return n > 0 ? 0 : 2;
}

static guint
count_users (const char *cache)
{
  g_autofree char *path = g_build_filename (cache, "users", NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint n = 0;
  while (folder && g_dir_read_name (folder))
    n++;
  return n - 1; /* the gate */
}

static void
test_killed (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  GPid pid = spawn ("user", fixture.cache);
  while (!exists (fixture.cache, "ready"))
    g_usleep (5000);
  cache_set_used (records->pdata[0], -1);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
  kill (pid, SIGKILL);
  g_assert_true (WIFSIGNALED (reap (pid)));
  g_assert_cmpuint (count_users (fixture.cache), ==, 1);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 0);
  g_assert_cmpuint (count_users (fixture.cache), ==, 0);
}

static gpointer
run_in_thread (gpointer data)
{
  for (guint round = 0; round < 12; round++)
    flow_fixture_run (data, STAGES, 3, NULL);
  return NULL;
}

/* Two processes that remove entries as fast as they can, while two runs look up, write and read. */
static void
test_stress (void)
{
  g_auto (FlowFixture) first;
  g_auto (FlowFixture) second;
  flow_fixture_init (&first);
  flow_fixture_init (&second);
  g_free (second.cache);
  second.cache = g_strdup (first.cache);
  for (guint i = 0; i < 12; i++) {
    g_autofree char *path = g_strdup_printf ("a/%02u.song", i);
    g_autofree char *text = g_strdup_printf ("the song with number %02u", i);
    flow_fixture_write (&first, path, text);
    if (i % 2 == 0) /* half of the songs are in both */
      flow_fixture_write (&second, path, text);
  }
  flow_fixture_run (&first, STAGES, 3, NULL);
  g_autofree char *expected = flow_fixture_read (&first, "dump.txt");
  GPid pids[2] = { spawn ("collector", first.cache), spawn ("collector", first.cache) };
  GThread *thread = g_thread_new ("other run", run_in_thread, &second);
  for (guint round = 0; round < 12; round++) {
    flow_fixture_run (&first, STAGES, 3, NULL);
    g_autofree char *dump = flow_fixture_read (&first, "dump.txt");
    g_assert_cmpstr (dump, ==, expected);
  }
  g_thread_join (thread);
  g_autofree char *stop = cache_put (first.cache, "stop", "");
  for (gsize i = 0; i < G_N_ELEMENTS (pids); i++)
    g_assert_cmpint (reap (pids[i]), ==, 0);
  g_assert_cmpuint (count_users (first.cache), ==, 0);
}

/* ---- Work that is not finished ---- */

static void
test_work (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  SegueWorkFolder *busy = segue_work_folder_open (fixture.cache, KEY, "stage 'train' of 'x'", NULL);
  SegueWorkFolder *young = segue_work_folder_open (fixture.cache, KEY, "stage 'two'", NULL);
  SegueWorkFolder *old = segue_work_folder_open (fixture.cache, KEY, "stage 'three'", NULL);
  g_autofree char *young_path = g_strdup (young->path), *old_path = g_strdup (old->path);
  g_autofree char *inner = cache_put (old->path, "checkpoint/model", "weights");
  g_autofree char *about = g_build_filename (old->path, ".about", NULL);
  g_autofree char *folder = g_path_get_dirname (inner);
  segue_work_folder_close (young, FALSE);
  segue_work_folder_close (old, FALSE);
  const char *const aged[] = { inner, folder, about, old_path };
  for (gsize i = 0; i < G_N_ELEMENTS (aged); i++)
    cache_set_used (aged[i], 31 * DAY);

  g_autoptr (SegueCacheInfo) info = segue_cache_info (fixture.cache, NULL, NULL);
  g_assert_cmpuint (info->work->len, ==, 3);
  guint in_use = 0, named = 0;
  for (guint i = 0; i < info->work->len; i++) {
    const SegueCacheWork *work = g_ptr_array_index (info->work, i);
    in_use += work->in_use;
    named += g_strcmp0 (work->about, "stage 'train' of 'x'") == 0;
  }
  g_assert_cmpuint (in_use, ==, 1);
  g_assert_cmpuint (named, ==, 1);

  /* While a run is in progress it is not known what it will resume. */
  SegueStore *store = segue_store_open (fixture.cache, NULL);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  g_assert_true (exists ("", inner));
  segue_store_free (store);
  /* One file that was touched yesterday keeps the whole folder. */
  cache_set_used (inner, DAY);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  g_assert_true (exists ("", inner));
  cache_set_used (inner, 31 * DAY);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .limit = &nothing });
  g_assert_false (exists ("", old_path));
  g_assert_true (exists ("", young_path));
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  g_assert_false (exists ("", young_path));
  g_assert_true (exists ("", busy->path));
  segue_work_folder_close (busy, TRUE);
}

/* Where a file system has no locks, runs continue, and nothing is removed. */
static void
test_no_locks (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  no_locks = TRUE;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  SegueWorkFolder *work = segue_work_folder_open (fixture.cache, KEY, "a test", &error);
  g_assert_no_error (error);
  segue_work_folder_close (work, FALSE);
  SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .all = TRUE);
  g_assert_false (segue_cache_gc (fixture.cache, &options, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
  g_test_message ("%s", error->message);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 5);
  no_locks = FALSE;
}

/* ---- Other processes at the gate ---- */

static int
hold_gate (const FlowFixture *fixture, int operation)
{
  g_autofree char *path = g_build_filename (fixture->cache, "users", "gate", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (flock (fd, operation), ==, 0);
  fast_waits = TRUE;
  waited = 0;
  return fd;
}

static void
let_go (int fd)
{
  g_test_message ("waited for %" G_GINT64_FORMAT " ms", waited / 1000);
  g_assert_cmpint (waited, >, 0);
  g_assert_cmpint (waited, <, 15 * G_USEC_PER_SEC);
  fast_waits = FALSE;
  close (fd);
}

/* A process that keeps the lock prevents removal by gc, but no run waits for it. */
static void
test_held_open (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  g_autoptr (GError) error = NULL;
  SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .all = TRUE);
  int fd = hold_gate (&fixture, LOCK_SH);
  g_assert_false (segue_cache_gc (fixture.cache, &options, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
  g_test_message ("%s", error->message);
  flow_fixture_write (&fixture, "a/new.song", "a new song");
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_nonnull (strstr (fixture.log->str, "the cache was not pruned"));
  let_go (fd);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 6);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 0);
}

/* A process that closes the gate permanently costs a run its cache, not its result. */
static void
test_held_shut (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  int fd = hold_gate (&fixture, LOCK_EX);
  flow_fixture_run (&fixture, STAGES, 1, &result);
  g_assert_cmpuint (result.n_cached, ==, 0);
  segue_run_result_clear (&result);
  g_assert_nonnull (strstr (fixture.log->str, "another process holds the lock"));
  let_go (fd);
  g_autofree char *again = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (again, ==, dump);
  /* Also during a run. */
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueStore) store = segue_store_open (fixture.cache, &error);
  const char *used = (const char *) records->pdata[1] + strlen (fixture.cache) + 1;
  fd = hold_gate (&fixture, LOCK_EX);
  for (guint i = 0; i < 10; i++)
    g_assert_false (segue_store_use (store, used, &error));
  g_assert_no_error (error);
  let_go (fd);
  g_assert_true (segue_store_use (store, used, &error));
}

/* In a cache that others may read, they may not open the locks; those who may write need them. */
static void
test_gate_mode (void)
{
  static const mode_t modes[][2] = {
    { 0700, 0700 }, { 0755, 0700 }, { 0775, 0770 }, { 0777, 0777 }
  };
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  g_autofree char *users = g_build_filename (fixture.cache, "users", NULL);
  struct stat st;
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_assert_cmpint (g_chmod (fixture.cache, modes[i][0]), ==, 0);
    g_assert_cmpint (g_chmod (users, 0777), ==, 0);
    flow_fixture_run (&fixture, STAGES, 1, NULL);
    g_assert_cmpint (stat (users, &st), ==, 0);
    g_assert_cmpint (st.st_mode & 0777, ==, modes[i][1]);
  }
}

/* ---- Disks that are full ---- */

static void
test_limit (void)
{
  guint64 limit;
  gboolean set;
  /* A fifth of the terabyte; half of what would be free without the cache. */
  g_assert_true (segue_cache_limit ("/", 0, &limit, &set, NULL));
  g_assert_cmpuint (limit, ==, 200000000000);
  g_assert_false (set);
  disk_free = 1000;
  g_assert_true (segue_cache_limit ("/", 500, &limit, NULL, NULL));
  g_assert_cmpuint (limit, ==, 750);
  disk_free = -1;
  g_setenv ("SEGUE_CACHE_SIZE", "7M", TRUE);
  g_assert_true (segue_cache_limit ("/", 0, &limit, &set, NULL));
  g_unsetenv ("SEGUE_CACHE_SIZE");
  g_assert_cmpuint (limit, ==, 7000000);
  g_assert_true (set);
}

/* A disk that stays full ends the run; entries of other runs are removed from the cache first. */
static void
test_no_room (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GPtrArray) records = make_records (&fixture);
  g_autoptr (GError) error = NULL;
  flow_fixture_write (&fixture, "b/new.song", "a song that there is no room for");
  disk_free = 100;
  gboolean ok = flow_fixture_try_run (&fixture, "", STAGES, 1, NULL, &error);
  disk_free = -1;
  g_assert_false (ok);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, fixture.cache));
  g_assert_nonnull (strstr (error->message, "100 bytes are free"));
  g_assert_nonnull (strstr (error->message, "segue cache gc"));
  g_assert_cmpuint (fixture.failures->len, ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
}

/* The space for many songs is estimated after a few of them, without those already stored. */
static void
test_forecast (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  for (guint i = 0; i < 64; i++) {
    g_autofree char *path = g_strdup_printf ("a/%02u.song", i);
    g_autofree char *text = g_strdup_printf ("song %02u", i);
    flow_fixture_write (&fixture, path, text);
  }
  /* 7 samples, 100 times: 2.8 kB a song; room for some thirty. */
  static const char first[] =
    "  - use: fake-decode\n    with: { repeat: 100 }\n  - use: fake-dump\n";
  disk_free = 90000;
  g_assert_false (flow_fixture_try_run (&fixture, "", first, 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "for the remaining 56 songs, 90.0"));
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 8);

  /* With enough space it succeeds. Then twenty are missing, and the rest does not count. */
  disk_free = -1;
  clock_offset = 10 * G_USEC_PER_SEC; /* hashes of files that are this new are not cached */
  g_setenv ("SEGUE_CACHE_SIZE", "1T", TRUE);
  flow_fixture_run (&fixture, first, 2, NULL);
  g_autoptr (GPtrArray) records = flow_fixture_list_records (&fixture);
  g_assert_cmpuint (records->len, ==, 64);
  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (g_unlink (records->pdata[i]), ==, 0);
  disk_free = 90000;
  flow_fixture_run (&fixture, first, 2, NULL);
  disk_free = -1;
  clock_offset = 0;
  g_unsetenv ("SEGUE_CACHE_SIZE");
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 64);
}

int
main (int argc, char **argv)
{
  program = argv[0];
  if (argc == 3 && g_str_equal (argv[1], "user"))
    return be_user (argv[2]);
  if (argc == 3 && g_str_equal (argv[1], "collector"))
    return be_collector (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gc/sizes", test_sizes);
  g_test_add_func ("/gc/order", test_order);
  g_test_add_func ("/gc/older", test_older);
  g_test_add_func ("/gc/not-ours", test_not_ours);
  g_test_add_func ("/gc/stamps", test_stamps);
  g_test_add_func ("/gc/end-of-run", test_end_of_run);
  g_test_add_func ("/gc/user", test_user);
  g_test_add_func ("/gc/clock", test_clock);
  g_test_add_func ("/gc/killed", test_killed);
  g_test_add_func ("/gc/stress", test_stress);
  g_test_add_func ("/gc/work", test_work);
  g_test_add_func ("/gc/no-locks", test_no_locks);
  g_test_add_func ("/gc/held-open", test_held_open);
  g_test_add_func ("/gc/held-shut", test_held_shut);
  g_test_add_func ("/gc/gate-mode", test_gate_mode);
  g_test_add_func ("/gc/limit", test_limit);
  g_test_add_func ("/gc/no-room", test_no_room);
  g_test_add_func ("/gc/forecast", test_forecast);
  return g_test_run ();
}
