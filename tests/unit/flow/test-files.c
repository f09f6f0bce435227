/* Files and folders: complete or missing; effects of a full disk and too few handles on a run. */
#include "fake.h"
#include "run/run-folder.h"
#include "store/contents.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("segue-files-XXXXXX", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (fixture->folder, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (fixture->folder, G_FILE_TEST_EXISTS));
  g_free (fixture->folder);
}

static guint
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;
  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_write (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, "file", NULL);
  g_autofree char *text = NULL;
  g_assert_true (segue_file_write (path, "old", -1, NULL));
  SegueFileWriter *writer = segue_file_writer_new (path, NULL);
  g_assert_true (segue_file_writer_write (writer, "new and longer", 14, NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "old");
  g_clear_pointer (&text, g_free);
  segue_file_writer_free (writer);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
  g_assert_true (segue_file_write (path, "new", 3, NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "new");
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);

  /* Leftovers of a kill are recognised by their names. */
  g_autofree char *temporary = g_build_filename (fixture->folder, ".segue-tmp-0a1b2c", NULL);
  g_assert_true (g_file_set_contents (temporary, "half", -1, NULL));
  segue_file_remove_temporaries (fixture->folder);
  g_assert_false (g_file_test (temporary, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));

  g_autofree char *nowhere = g_build_filename (fixture->folder, "no", "file", NULL);
  g_assert_false (segue_file_write (nowhere, "x", 1, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE);
  g_assert_nonnull (strstr (error->message, nowhere));
}

static void
test_folders (Fixture *fixture, gconstpointer data)
{
  g_autofree char *inner = g_build_filename (fixture->folder, "a", "b", NULL);
  g_autofree char *outer = g_build_filename (fixture->folder, "a", NULL);
  g_autofree char *kept = g_build_filename (fixture->folder, "kept", NULL);
  g_autofree char *link = g_build_filename (inner, "link", NULL);
  g_assert_true (segue_file_make_folder (inner, NULL));
  g_assert_true (segue_file_make_folder (inner, NULL));
  g_assert_true (segue_file_write (kept, "x", 1, NULL));
  g_assert_true (segue_file_link (link, fixture->folder, NULL));
  g_assert_true (segue_file_link (link, kept, NULL));
  g_autofree char *target = g_file_read_link (link, NULL);
  g_assert_cmpstr (target, ==, kept);
  /* Links are removed, not followed. */
  g_assert_true (segue_file_link (link, fixture->folder, NULL));
  g_assert_true (segue_file_remove_folder (outer, NULL));
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (outer, G_FILE_TEST_EXISTS));
  g_assert_true (segue_file_remove_folder (outer, NULL));
}

static void
test_work_folder (Fixture *fixture, gconstpointer data)
{
  SegueWorkFolder *first = segue_work_folder_open (fixture->folder, "key", "a test", NULL);
  SegueWorkFolder *second = segue_work_folder_open (fixture->folder, "key", "a test", NULL);
  g_assert_true (g_str_has_suffix (first->path, "/work/key"));
  g_assert_true (g_str_has_suffix (second->path, "/work/key-2"));
  segue_work_folder_close (second, TRUE);
  g_autofree char *checkpoint = g_build_filename (first->path, "checkpoint", NULL);
  g_assert_true (segue_file_write (checkpoint, "x", 1, NULL));
  segue_work_folder_close (first, FALSE);
  /* The next process finds the leftovers, and leaves none when it has finished. */
  first = segue_work_folder_open (fixture->folder, "key", "a test", NULL);
  g_assert_true (g_file_test (checkpoint, G_FILE_TEST_EXISTS));
  segue_work_folder_close (first, TRUE);
  g_autofree char *work = g_build_filename (fixture->folder, "work", NULL);
  g_assert_cmpuint (count_files (work), ==, 0);
}

static char *
hash (const char *folder, const char *path)
{
  g_autoptr (GError) error = NULL;
  SegueFileStamp stamp;
  char *key = segue_contents_key (folder, path, &stamp, NULL, &error);
  g_assert_no_error (error);
  return key;
}

static void
test_contents (Fixture *fixture, gconstpointer data)
{
  g_autofree char *memory = g_build_filename (fixture->folder, "memory", NULL);
  g_autofree char *path = g_build_filename (fixture->folder, "song", NULL);
  g_assert_true (segue_file_write (path, "abc", 3, NULL));
  g_autofree char *fresh = hash (memory, path);
  g_assert_cmpstr (fresh, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  /* A file that was written just now may be written again within the clock's tick: not cached. */
  g_assert_cmpuint (count_files (memory), ==, 0);

  /* The same size and time, other bytes: the change time differs. */
  struct utimbuf past = { .actime = 1000000000, .modtime = 1000000000 };
  g_assert_cmpint (utime (path, &past), ==, 0);
  g_assert_true (segue_file_write (path, "abd", 3, NULL));
  g_assert_cmpint (utime (path, &past), ==, 0);
  g_autofree char *changed = hash (memory, path);
  g_assert_cmpstr (fresh, !=, changed);

  SegueFileStamp stamp;
  g_autoptr (GError) error = NULL;
  g_autofree char *key = segue_contents_key (NULL, path, &stamp, NULL, NULL);
  g_assert_true (segue_contents_check (path, &stamp, NULL));
  g_assert_true (segue_file_write (path, "longer", -1, NULL));
  g_assert_false (segue_contents_check (path, &stamp, &error));
  g_assert_true (segue_error_is_about_item (error));
}

static void
test_odd_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *fifo = g_build_filename (fixture->folder, "fifo", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_autofree char *hole = g_build_filename (fixture->folder, "hole", NULL);
  g_assert_true (g_file_set_contents (hole, "", 0, NULL));
  g_assert_cmpint (truncate (hole, (off_t) 1 << 40), ==, 0);
  const char *const paths[] = { fifo, hole, fixture->folder, "/dev/null", "/nowhere/at/all" };
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autoptr (GError) error = NULL;
    SegueFileStamp stamp;
    g_assert_null (segue_contents_key (NULL, paths[i], &stamp, NULL, &error));
    g_test_message ("%s", error->message);
    g_assert_true (segue_error_is_about_item (error));
    g_assert_nonnull (strstr (error->message, paths[i]));
  }
  /* A kernel file, which reports that it is empty, and can't be read. */
  SegueFileStamp stamp;
  g_autofree char *empty = segue_contents_key (NULL, "/proc/self/mem", &stamp, NULL, NULL);
  g_assert_true (empty || access ("/proc/self/mem", F_OK) != 0);
}

#define STAGES                                                                                     \
  "  - use: fake-decode\n    with: { repeat: 20000 }\n  - use: fake-segment\n"                     \
  "    with: { length: 100000, count: 1 }\n  - use: fake-dump\n"

/* Writes beyond 100 kB fail, as they do on a full disk. */
static void
test_full_disk (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  struct rlimit before, small = { .rlim_cur = 100000, .rlim_max = RLIM_INFINITY };
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/1.song", "a song of some length");
  flow_fixture_write (&fixture, "a/2.song", "another song of some length");
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small.rlim_max = before.rlim_max;
  void (*handler) (int) = signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  gboolean ok = flow_fixture_try_run (&fixture, "", STAGES, 1, NULL, &error);
  setrlimit (RLIMIT_FSIZE, &before);
  signal (SIGXFSZ, handler);
  g_assert_false (ok);
  g_test_message ("%s", error->message);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
  /* No partial records, no temporary files, no failures recorded for the songs. */
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 0);
  g_assert_cmpuint (fixture.failures->len, ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 2);
}

static void
test_no_handles (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/1.song", "a song of some length");
  flow_fixture_run (&fixture, STAGES, 1, NULL);

  /* From none to enough: never recorded as a failure of the song. */
  gboolean seen = FALSE, finished = FALSE;
  int next = open ("/dev/null", O_RDONLY);
  close (next);
  for (guint spare = 0; spare < 16 && !finished; spare++) {
    g_autoptr (GError) error = NULL;
    SegueRunResult result = SEGUE_INIT (SegueRunResult);
    fixture.max_handles = (guint) next + spare;
    gboolean ok = flow_fixture_try_run (&fixture, "", STAGES, 1, &result, &error);
    g_assert_cmpuint (result.n_failed, ==, 0);
    seen |= g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
    finished = ok && result.n_cached == 1;
    segue_run_result_clear (&result);
  }
  g_assert_true (seen);
  g_assert_true (finished);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/files/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("write", test_write);
  ADD ("folders", test_folders);
  ADD ("work-folder", test_work_folder);
  ADD ("contents", test_contents);
  ADD ("odd-files", test_odd_files);
  g_test_add_func ("/files/full-disk", test_full_disk);
  g_test_add_func ("/files/no-handles", test_no_handles);
  return g_test_run ();
}
