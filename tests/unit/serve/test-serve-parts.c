/* Who may ask, whose turn it is, what a range is, what a song tells and when. */
#include "guard.h"
#include "lines.h"
#include "queue.h"
#include "reply.h"
#include "run-files.h"
#include "spool.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_hosts (void)
{
  static const char *const known[] = { "localhost",      "LocalHost:80",    "127.0.0.1:8732",
                                       "[::1]:8732",     "192.168.1.5:1",   "music.local",
                                       "Music.Local:99", "[2001:db8::1]:80" };
  static const char *const foreign[] = { "",
                                         "evil.example",
                                         "localhost.evil.example",
                                         "127.0.0.1.evil.example",
                                         "192.168.1.5.example:80",
                                         "192.168.1.50",
                                         "localhost:8732x",
                                         "localhost:80:80",
                                         "[::1",
                                         "[::1]80",
                                         "::1",
                                         "user@localhost",
                                         "[2001:db8::2]" };
  char *names[] = { (char *) "music.local", (char *) "2001:db8::1", NULL };
  g_auto (Guard) guard = { 0 };
  guard_init (&guard, "192.168.1.5", names);
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    g_assert_true (guard_knows_host (&guard, known[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
    g_assert_false (guard_knows_host (&guard, foreign[i]));

  g_auto (Guard) anybody = { 0 };
  guard_init (&anybody, "::", NULL);
  g_assert_true (guard_knows_host (&anybody, "192.168.1.50:80"));
  g_assert_true (guard_knows_host (&anybody, "[fe80::1]"));
  g_assert_false (guard_knows_host (&anybody, "evil.example"));
  g_assert_false (guard_knows_host (&anybody, "192.168.1.5.example"));
  g_assert_true (guard_is_loopback ("127.3.2.1"));
  g_assert_true (guard_is_loopback ("::1"));
  g_assert_false (guard_is_loopback ("0.0.0.0"));
}

static void
test_pages (void)
{
  const char *host = "localhost:80";
  g_assert_true (guard_is_own_page (host, NULL, NULL));
  g_assert_true (guard_is_own_page (host, "http://localhost:80", "same-origin"));
  g_assert_true (guard_is_own_page (host, "https://LOCALHOST:80", NULL));
  g_assert_true (guard_is_own_page (host, NULL, "none"));
  g_assert_false (guard_is_own_page (host, "http://localhost:81", NULL));
  g_assert_false (guard_is_own_page (host, "null", NULL));
  g_assert_false (guard_is_own_page (host, "ftp://localhost:80", NULL));
  g_assert_false (guard_is_own_page (host, "http://localhost:80", "same-site"));
  g_assert_false (guard_is_own_page (NULL, "http://localhost:80", NULL));
}

static void
test_ranges (void)
{
  static const struct {
    const char *header;
    guint64 size, first, last;
  } good[] = {
    { "bytes=0-0", 10, 0, 0 },
    { "bytes=3-", 10, 3, 9 },
    { "bytes=-4", 10, 6, 9 },
    { "bytes=-40", 10, 0, 9 },
    { "bytes=2-400", 10, 2, 9 },
    { "bytes=9-9", 10, 9, 9 },
    { "bytes=0-18446744073709551615", 10, 0, 9 },
  };
  static const char *const bad[] = { "bytes=",     "bytes=-",   "bytes=-0",  "bytes=5-4",
                                     "bytes=10-",  "0-1",       "bytes=a-b", "bytes=1-2-3",
                                     "bytes=+1-2", "bytes= 1-2" };
  ReplyRange range;
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_assert_true (reply_parse_range (good[i].header, good[i].size, &range));
    g_assert_cmpuint (range.first, ==, good[i].first);
    g_assert_cmpuint (range.last, ==, good[i].last);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (reply_parse_range (bad[i], 10, &range));
  g_assert_false (reply_parse_range ("bytes=0-", 0, &range));
}

/* One that brings many songs waits behind one that brings its first. */
static void
test_turns (void)
{
  g_autoptr (Song) many = song_new (-1, "a", "A", 5, NULL, NULL);
  g_autoptr (Song) one = song_new (-1, "b", "B", 5, NULL, NULL);
  QueueTurn waiting[4] = { 0 };
  for (guint i = 0; i < 3; i++)
    waiting[i] = (QueueTurn){ many, queue_turn (waiting, i, 7, "A") };
  g_assert_cmpuint (waiting[0].turn, ==, 8);
  g_assert_cmpuint (waiting[2].turn, ==, 10);
  waiting[3] = (QueueTurn){ one, queue_turn (waiting, 3, 7, "B") };
  g_assert_cmpuint (waiting[3].turn, ==, 8);
  /* Who had to wait owes nothing later. */
  g_assert_cmpuint (queue_turn (waiting + 3, 1, 9, "A"), ==, 10);
}

static void
test_places (void)
{
  g_autoptr (GError) error = NULL;
  Queue *queue = queue_new (NULL, 1, 2, 1, &error);
  g_assert_no_error (error);
  ProblemKind problem;
  Song *first = queue_take (queue, "a", "A", 5, &problem);
  Song *second = queue_take (queue, "b", "A", 5, &problem);
  g_assert_true (first && second);
  g_assert_null (queue_take (queue, "c", "B", 5, &problem));
  g_assert_cmpint (problem, ==, PROBLEM_BUSY);
  song_unref (first);
  first = queue_take (queue, "c", "B", 5, &problem);
  g_assert_nonnull (first);
  queue_stop (queue);
  /* One that arrives now is told so, and is heard by nobody. */
  queue_add (queue, second);
  SongNews news;
  g_assert_true (song_wait (second, G_MAXSIZE, &news, NULL, NULL, NULL));
  g_assert_true (news.ended);
  g_assert_cmpint (news.problem, ==, PROBLEM_STOPPING);
  g_assert_null (queue_take (queue, "d", "A", 5, &problem));
  g_assert_cmpint (problem, ==, PROBLEM_STOPPING);
  song_unref (first);
  song_unref (second);
  g_assert_cmpuint (queue_count (queue).songs, ==, 0);
  queue_free (queue);
}

static void
count_call (gpointer count, gpointer unused)
{
  (*(guint *) count)++;
}

/* Who waits sleeps once, and is woken once. */
static void
test_waits (void)
{
  guint slept = 0;
  SongNews news;
  g_autoptr (Song) song = song_new (spool_open (), "a", "A", 5, NULL, NULL);
  g_assert_false (song_wait (song, 0, &news, count_call, count_call, &slept));
  g_assert_cmpuint (slept, ==, 1);
  song_cancel (song, PROBLEM_TOOK_TOO_LONG);
  g_assert_cmpuint (slept, ==, 2);
  song_cancel (song, PROBLEM_STOPPING);
  g_assert_cmpuint (slept, ==, 2);
  g_assert_true (song_wait (song, 0, &news, count_call, count_call, &slept));
  g_assert_cmpint (news.problem, ==, PROBLEM_TOOK_TOO_LONG);
  char line[200] = "";
  gsize n = song_read (song, 0, line, 10);
  n += song_read (song, n, line + n, sizeof line - n - 1);
  g_assert_cmpuint (n, ==, news.length);
  g_assert_cmpuint (song_read (song, n, line, sizeof line), ==, 0);
  g_assert_cmpuint (song_read (song, G_MAXSIZE, line, sizeof line), ==, 0);
  g_assert_nonnull (strstr (line, "\"code\":\"took-too-long\""));
}

static void
test_lines (void)
{
  static const char *const labels[] = { "A", "B\"<", "C", "D", NULL };
  float p[] = { 0.125f, 0.5f, 0.125f, 0.25f, NAN, 0.75f, 0, 0.25f },
        all[] = { 0.25f, 0.25f, 0.25f, 0.25f };
  SegueSegmentPrediction segments[] = { { 0, 10, p }, { 10, 2.5, p + 4 } };
  SegueSongPrediction song = {
    .n_labels = 4, .best = 1, .probabilities = all, .n_segments = 2, .segments = segments
  };
  g_autofree char *begun = line_begun ("a\n", &song);
  g_assert_cmpstr (
    begun, ==,
    "{\"event\":\"begun\",\"file\":\"a\\n\",\"segments\":[{\"start\":0.0,\"duration\":10."
    "0},{\"start\":10.0,\"duration\":2.5}]}\n");
  g_autofree char *heard = line_heard (&song, 0, 1, labels, 3);
  g_assert_cmpstr (
    heard, ==,
    "{\"event\":\"heard\",\"first\":0,\"segments\":[{\"start\":0.0,\"duration\":10.0,"
    "\"probabilities\":{\"B\\\"<\":0.5,\"D\":0.25,\"A\":0.125}}]}\n");
  /* Equal ones each once, in their order. */
  g_autofree char *answer = line_answer ("a", &song, labels, 100);
  g_assert_cmpstr (
    answer, ==,
    "{\"event\":\"answer\",\"file\":\"a\",\"label\":\"B\\\"<\",\"probabilities\":{\"A\":"
    "0.25,\"B\\\"<\":0.25,\"C\":0.25,\"D\":0.25}}\n");
  g_autofree char *strange = line_heard (&song, 1, 2, labels, 2);
  g_assert_nonnull (strstr (strange, "\"B\\\"<\":0.75"));
}

/* What can go wrong stands in the documentation, with its status. */
static void
test_problems_are_documented (void)
{
  g_autofree char *path =
    g_build_filename (g_getenv ("SEGUE_SOURCE_ROOT"), "docs", "serve.md", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  for (ProblemKind kind = PROBLEM_NONE + 1; kind < N_PROBLEMS; kind++) {
    const ProblemRow *row = problem_row (kind);
    g_autofree char *entry = g_strdup_printf ("| %u | `%s` |", row->status, row->code);
    g_test_message ("%s", entry);
    g_assert_nonnull (strstr (text, entry));
    g_autofree char *json = problem_json (kind, "x \xff");
    g_assert_true (g_utf8_validate (json, -1, NULL));
  }
}

static void
test_spool (void)
{
  int fd = spool_open ();
  struct stat info;
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (spool_append (fd, "abc", 3), ==, PROBLEM_NONE);
  g_assert_cmpint (fstat (fd, &info), ==, 0);
  g_assert_cmpuint (info.st_nlink, ==, 0);
  g_assert_cmpuint (info.st_size, ==, 3);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
  close (fd);
}

/* Of all links in a run's folder, aliases alone lead somewhere. */
static void
test_run_files (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *run = g_dir_make_tmp ("segue-test-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *stage = g_build_filename (run, "stages", "report", "report", NULL);
  g_autofree char *file = g_build_filename (stage, "a.json", NULL);
  g_assert_true (segue_file_make_folder (stage, &error));
  g_assert_true (segue_file_write (file, "{\"a\":1}", -1, &error));
  int fd = open (run, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (symlinkat ("stages/report/report", fd, "report"), ==, 0);
  g_assert_cmpint (symlinkat ("stages/report/report", fd, "other"), ==, 0);
  g_assert_cmpint (symlinkat (stage, fd, "absolute"), ==, 0);
  g_assert_cmpint (symlinkat ("stages/../report", fd, "dots"), ==, 0);
  g_assert_cmpint (symlinkat ("loop", fd, "loop"), ==, 0);
  g_assert_true (run_file_exists (fd, "report/a.json"));
  g_assert_true (run_file_exists (fd, "stages/report/report/a.json"));
  g_assert_false (run_file_exists (fd, "other/a.json"));
  g_assert_false (run_file_exists (fd, "absolute/a.json"));
  g_assert_false (run_file_exists (fd, "dots/a.json"));
  g_assert_false (run_file_exists (fd, "loop"));
  g_assert_false (run_file_exists (fd, "report"));
  json_t *root = run_file_read_json (fd, "report/a.json");
  g_assert_cmpint (json_integer_value (json_object_get (root, "a")), ==, 1);
  json_decref (root);
  g_assert_true (segue_file_write (file, "[1]", -1, &error));
  g_assert_null (run_file_read_json (fd, "report/a.json"));
  close (fd);
  g_assert_true (segue_file_remove_folder (run, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/serve/hosts", test_hosts);
  g_test_add_func ("/serve/pages", test_pages);
  g_test_add_func ("/serve/ranges", test_ranges);
  g_test_add_func ("/serve/turns", test_turns);
  g_test_add_func ("/serve/places", test_places);
  g_test_add_func ("/serve/waits", test_waits);
  g_test_add_func ("/serve/lines", test_lines);
  g_test_add_func ("/serve/problems-are-documented", test_problems_are_documented);
  g_test_add_func ("/serve/spool", test_spool);
  g_test_add_func ("/serve/run-files", test_run_files);
  return g_test_run ();
}
