/* Access checks, scheduling, ranges, and a song's events and their times. */
#include "guard.h"
#include "head.h"
#include "lines.h"
#include "peers.h"
#include "queue.h"
#include "reply.h"
#include "run-about.h"
#include "run-files.h"
#include "spool.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
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

/* A client with many songs waits behind one with its first. */
static void
test_turns (void)
{
  g_autoptr (ServedSong) many = served_song_new (-1, "a", "A", 5, NULL, NULL);
  g_autoptr (ServedSong) one = served_song_new (-1, "b", "B", 5, NULL, NULL);
  QueueTurn waiting[4] = { 0 };
  for (guint i = 0; i < 3; i++)
    waiting[i] = (QueueTurn){ many, queue_turn (waiting, i, 7, "A") };
  g_assert_cmpuint (waiting[0].turn, ==, 8);
  g_assert_cmpuint (waiting[2].turn, ==, 10);
  waiting[3] = (QueueTurn){ one, queue_turn (waiting, 3, 7, "B") };
  g_assert_cmpuint (waiting[3].turn, ==, 8);
  /* A client that had to wait has no disadvantage later. */
  g_assert_cmpuint (queue_turn (waiting + 3, 1, 9, "A"), ==, 10);
}

static void
count_call (gpointer count, gpointer unused)
{
  (*(guint *) count)++;
}

static ServedSong *
expect_song (Queue *queue, const char *client)
{
  ProblemKind problem;
  ServedSong *song = queue_expect (queue, "a", client, 5, &problem);
  g_assert_nonnull (song);
  return song;
}

static ProblemKind
ended_with (ServedSong *song)
{
  ServedSongNews news;
  static guint slept;
  return served_song_wait (song, G_MAXSIZE, &news, count_call, count_call, &slept) ? news.problem
                                                                                   : PROBLEM_NONE;
}

/* Songs without progress occupy no place; of those with progress, a client with few gets its share. */
static void
test_places (void)
{
  g_autoptr (GError) error = NULL;
  Queue *queue = queue_new (NULL, NULL, 1, 3, 1, &error);
  g_assert_no_error (error);
  ProblemKind problem;
  ServedSong *songs[8] = { NULL };
  for (guint i = 0; i < 6; i++)
    songs[i] = expect_song (queue, "A");
  g_assert_cmpuint (queue_count (queue).songs, ==, 0);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (queue_enter (queue, songs[i]), ==, PROBLEM_NONE);
  g_assert_cmpint (queue_enter (queue, songs[3]), ==, PROBLEM_BUSY);
  g_assert_null (queue_expect (queue, "d", "A", 5, &problem));
  g_assert_cmpint (problem, ==, PROBLEM_BUSY);
  /* Another client's first takes the place of A's newest. */
  songs[6] = expect_song (queue, "B");
  g_assert_cmpint (queue_enter (queue, songs[6]), ==, PROBLEM_NONE);
  g_assert_cmpint (ended_with (songs[2]), ==, PROBLEM_BUSY);
  g_assert_cmpint (ended_with (songs[1]), ==, PROBLEM_NONE);
  g_assert_cmpuint (queue_count (queue).songs, ==, 3);
  /* But not its second: then it would have as many as A. */
  g_assert_null (queue_expect (queue, "d", "B", 5, &problem));
  g_assert_cmpint (problem, ==, PROBLEM_BUSY);
  served_song_unref (g_steal_pointer (&songs[0]));
  g_assert_cmpint (queue_enter (queue, songs[3]), ==, PROBLEM_NONE);
  queue_stop (queue);
  /* A song that arrives now is refused with a message, and not classified. */
  queue_add (queue, songs[1]);
  g_assert_cmpint (ended_with (songs[1]), ==, PROBLEM_STOPPING);
  g_assert_null (queue_expect (queue, "d", "A", 5, &problem));
  g_assert_cmpint (problem, ==, PROBLEM_STOPPING);
  for (guint i = 0; i < G_N_ELEMENTS (songs); i++)
    served_song_unref (songs[i]);
  g_assert_cmpuint (queue_count (queue).songs, ==, 0);
  queue_free (queue);
}

/* An IPv6 network is one client, and an IPv4 address is the same in either form. */
static void
test_clients (void)
{
  static const struct {
    const char *address, *client;
  } rows[] = {
    { "127.0.0.1", "7f000001" },
    { "::ffff:127.0.0.1", "7f000001" },
    { "::1", "0000000000000000" },
    { "2001:db8:1:2:3:4:5:6", "20010db800010002" },
    { "2001:db8:1:2:ffff::1", "20010db800010002" },
    { "2001:db8:1:3::1", "20010db800010003" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GInetAddress) address = g_inet_address_new_from_string (rows[i].address);
    g_autoptr (GSocketAddress) at = g_inet_socket_address_new (address, 1);
    struct sockaddr_storage native;
    g_assert_true (g_socket_address_to_native (at, &native, sizeof native, NULL));
    g_autofree char *client = peer_name_client ((struct sockaddr *) &native);
    g_assert_cmpstr (client, ==, rows[i].client);
  }
}

/* @other: (out): the client's end of the connection. */
static Peer *
begin_upload (Peers *peers, ServedSong *song, int *other)
{
  int pair[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  Peer *peer = peer_new (peers, pair[0], g_strdup ("A"));
  peer_lend (peer, pair[0]);
  peer_uploads (peer, song);
  *other = pair[1];
  return peer;
}

static gssize
read_now (int fd, char *text, gsize size)
{
  memset (text, 0, size);
  return recv (fd, text, size - 1, MSG_DONTWAIT);
}

/* An upload that sends almost nothing is aborted long before its timeout; one that sends continues. */
static void
test_slow_uploads (void)
{
  char text[1000];
  int of_slow, of_fast;
  Peers *peers = peers_new (3600);
  g_autoptr (ServedSong) song = served_song_new (spool_open (), "a", "A", 5, NULL, NULL);
  Peer *slow = begin_upload (peers, song, &of_slow), *fast = begin_upload (peers, song, &of_fast);
  peer_sent (slow, 100);
  peer_sent (fast, 1000000);
  peers_tick (peers);
  g_assert_cmpint (read_now (of_slow, text, sizeof text), <, 0);
  g_usleep (5500000);
  peers_tick (peers);
  g_assert_cmpint (read_now (of_slow, text, sizeof text), >, 0);
  g_assert_nonnull (strstr (text, "slow-upload"));
  g_assert_cmpint (read_now (of_fast, text, sizeof text), <, 0);
  peer_free (slow);
  peer_free (fast);
  close (of_slow);
  close (of_fast);
  peers_free (peers);
}

/* A waiting thread sleeps once, and is woken once. */
static void
test_waits (void)
{
  guint slept = 0;
  ServedSongNews news;
  g_autoptr (ServedSong) song = served_song_new (spool_open (), "a", "A", 5, NULL, NULL);
  g_assert_false (served_song_wait (song, 0, &news, count_call, count_call, &slept));
  g_assert_cmpuint (slept, ==, 1);
  served_song_cancel (song, PROBLEM_TOOK_TOO_LONG);
  g_assert_cmpuint (slept, ==, 2);
  served_song_cancel (song, PROBLEM_STOPPING);
  g_assert_cmpuint (slept, ==, 2);
  g_assert_true (served_song_wait (song, 0, &news, count_call, count_call, &slept));
  g_assert_cmpint (news.problem, ==, PROBLEM_TOOK_TOO_LONG);
  char line[200] = "";
  gsize n = served_song_read (song, 0, line, 10);
  n += served_song_read (song, n, line + n, sizeof line - n - 1);
  g_assert_cmpuint (n, ==, news.length);
  g_assert_cmpuint (served_song_read (song, n, line, sizeof line), ==, 0);
  g_assert_cmpuint (served_song_read (song, G_MAXSIZE, line, sizeof line), ==, 0);
  g_assert_nonnull (strstr (line, "\"code\":\"took-too-long\""));
}

static void
test_lines (void)
{
  static const char *const labels[] = { "A", "B\"<", "C", "D", NULL };
  float p[] = { 0.125f, 0.5f, 0.125f, 0.25f, NAN, 0.75f, 0, 0.25f },
        all[] = { 0.25f, 0.25f, 0.25f, 0.25f };
  SegueSegmentPrediction segments[] = { { 0, 10, p }, { 10, 2.5, p + 4 } };
  SegueSongPrediction song = { .n_labels = 4,
                               .distance = NAN,
                               .best = 1,
                               .probabilities = all,
                               .n_segments = 2,
                               .segments = segments };
  g_autofree char *begun = line_begun ("a\n", &song);
  g_assert_cmpstr (
    begun, ==,
    "{\"event\":\"begun\",\"file\":\"a\\n\",\"segments\":[{\"start\":0.0,\"duration\":10."
    "0},{\"start\":10.0,\"duration\":2.5}]}\n");
  g_autofree char *line = line_segments (&song, 0, 1, labels, 3);
  g_assert_cmpstr (
    line, ==,
    "{\"event\":\"segments\",\"first\":0,\"segments\":[{\"start\":0.0,\"duration\":10.0,"
    "\"probabilities\":{\"B\\\"<\":0.5,\"D\":0.25,\"A\":0.125}}]}\n");
  /* Equal ones each once, in their order. */
  g_autofree char *answer = line_answer ("a", &song, labels, 100, NULL);
  g_assert_cmpstr (
    answer, ==,
    "{\"event\":\"answer\",\"file\":\"a\",\"label\":\"B\\\"<\",\"probabilities\":{\"A\":"
    "0.25,\"B\\\"<\":0.25,\"C\":0.25,\"D\":0.25}}\n");
  song.certainty = SEGUE_UNSURE;
  json_t *similar = json_pack ("[{s:s}]", "title", "Grace\n<b>");
  g_autofree char *unsure = line_answer ("a", &song, labels, 1, similar);
  json_decref (similar);
  g_assert_cmpstr (
    unsure, ==,
    "{\"event\":\"answer\",\"file\":\"a\",\"label\":\"B\\\"<\",\"unsure\":true,\"candidates\":["
    "\"B\\\"<\",\"A\"],\"probabilities\":{\"A\":0.25},\"similar\":[{\"title\":\"Grace\\n<b>\"}]}\n");
  g_autofree char *strange = line_segments (&song, 1, 2, labels, 2);
  g_assert_nonnull (strstr (strange, "\"B\\\"<\":0.75"));
}

/* Every error is listed in the documentation, with its status. */
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

/* Of all links in a run's folder, only aliases are followed. */
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
  close (fd);
  g_assert_true (segue_file_remove_folder (run, &error));
}

static void
put (const char *folder, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  segue_file_write (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
assert_about (RunMemory *memory, const char *folder, const char *text)
{
  int run = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  run_memory_begin (memory);
  json_t *about = run_memory_describe (memory, run, "a/b", NULL);
  run_memory_end (memory);
  char *got = json_dumps (about, JSON_COMPACT | JSON_SORT_KEYS);
  g_assert_cmpstr (got, ==, text);
  free (got);
  json_decref (about);
  close (run);
}

/* A run in progress, killed, finished; untrusted content; cached data is removed with its file. */
static void
test_run_memory (void)
{
  RunMemory *memory = run_memory_new ();
  g_autofree char *run = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  g_autofree char *mark = g_build_filename (run, ".running", NULL);
  assert_about (memory, run, "{\"seconds\":null,\"started\":null,\"state\":null,\"test\":null}");
  put (run, "run.json", "{\"state\": \"running\"}");
  assert_about (memory, run,
                "{\"seconds\":null,\"started\":null,\"state\":\"killed\",\"test\":null}");
  int lock = open (mark, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (flock (lock, LOCK_EX), ==, 0);
  assert_about (memory, run,
                "{\"seconds\":null,\"started\":null,\"state\":\"running\",\"test\":null}");
  close (lock);
  assert_about (memory, run,
                "{\"seconds\":null,\"started\":null,\"state\":\"killed\",\"test\":null}");
  put (run, "run.json", "{\"state\": \"finished\"}");
  put (run, "timings.json", "{\"started\": \"2026-01-01T00:00:00Z\", \"seconds\": 2}");
  put (run, "metrics.json", "{\"test\": {\"songs\": 3, \"song_accuracy\": \"<b>\"}}");
  assert_about (
    memory, run,
    "{\"seconds\":2,\"started\":\"2026-01-01T00:00:00Z\",\"state\":\"finished\",\"test\":"
    "{\"segment_accuracy\":null,\"song_accuracy\":null,\"songs\":3}}");
  g_autofree char *long_time = g_strnfill (5000, '1');
  g_autofree char *times = g_strdup_printf ("{\"started\": \"%s\", \"seconds\": []}", long_time);
  put (run, "timings.json", times);
  put (run, "run.json", "{\"state\": \"<script>\"}");
  put (run, "metrics.json", "[");
  assert_about (memory, run, "{\"seconds\":null,\"started\":null,\"state\":null,\"test\":null}");
  put (run, "run.json", "{\"state\": ");
  assert_about (memory, run,
                "{\"seconds\":null,\"started\":null,\"state\":\"unreadable\",\"test\":null}");
  run_memory_free (memory);
  segue_file_remove_folder (run, NULL);
}

static HeadVerdict
judge (const char *head)
{
  return head_judge (head, strlen (head));
}

#define GET  "GET / HTTP/1.1\r\n"
#define HOST "Host: localhost\r\n"
#define POST "POST /api/songs HTTP/1.1\r\n" HOST

/* A request that programs may read differently is refused. */
static void
test_heads (void)
{
  static const char *const whole[] = {
    GET HOST "\r\n",
    GET HOST "\r\nbody\nwith\0anything",
    "HEAD /a?b=%00&c HTTP/1.1\r\nhost:x\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    POST "Content-Length: 5\r\nX-Y:\r\nAccept: a\r\nAccept: b\r\n\r\n",
    POST "content-length:\t18446744073709551615 \r\n\r\n",
    POST "Transfer-Encoding: Chunked\r\n\r\n",
    GET HOST "X: \tf\303\266\t \r\n\r\n",
  };
  static const char *const partial[] = {
    "", "G", "GET / HTTP/1.1\r", GET, GET HOST, GET HOST "\r"
  };
  static const char *const bad[] = {
    "\r\n" GET HOST "\r\n",
    "GET / HTTP/1.1\n" HOST "\r\n",
    GET "Host: localhost\n\r\n",
    GET HOST "\n",
    GET HOST "X: a\rb\r\n\r\n",
    GET HOST "X: a\r\n b\r\n\r\n",
    GET HOST "X: a\r\n\tb\r\n\r\n",
    GET " " HOST "\r\n",
    GET HOST "X : a\r\n\r\n",
    GET HOST ": a\r\n\r\n",
    GET HOST "no colon\r\n\r\n",
    GET HOST "X(Y): a\r\n\r\n",
    GET HOST "X: \001\r\n\r\n",
    GET "\r\n",
    GET HOST HOST "\r\n",
    GET "Host: a\r\nHOST: b\r\n\r\n",
    GET HOST "Authorization: a\r\nAuthorization: b\r\n\r\n",
    GET HOST "Origin: a\r\norigin: a\r\n\r\n",
    POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
    POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
    POST "Transfer-Encoding: identity\r\n\r\n",
    POST "Transfer-Encoding: xchunked\r\n\r\n",
    POST "Transfer-Encoding:\r\n\r\n",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    POST "Content-Length: +5\r\n\r\n",
    POST "Content-Length: -1\r\n\r\n",
    POST "Content-Length: 0x5\r\n\r\n",
    POST "Content-Length: 5, 5\r\n\r\n",
    POST "Content-Length: 5 5\r\n\r\n",
    POST "Content-Length:\r\n\r\n",
    POST "Content-Length: 18446744073709551616\r\n\r\n",
    "GET  / HTTP/1.1\r\n" HOST "\r\n",
    "GET / HTTP/1.1 \r\n" HOST "\r\n",
    "GET /a b HTTP/1.1\r\n" HOST "\r\n",
    "GET\t/\tHTTP/1.1\r\n" HOST "\r\n",
    "GET http://evil.example/ HTTP/1.1\r\n" HOST "\r\n",
    "GET / HTTP/2.0\r\n" HOST "\r\n",
    "GET / HTTP/1.10\r\n" HOST "\r\n",
    "GET / http/1.1\r\n" HOST "\r\n",
    "GET /\r\n" HOST "\r\n",
    "\026\003\001\002\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (whole); i++)
    g_assert_cmpint (judge (whole[i]), ==, HEAD_WHOLE);
  for (gsize i = 0; i < G_N_ELEMENTS (partial); i++)
    g_assert_cmpint (judge (partial[i]), ==, HEAD_PARTIAL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_test_message ("%s", bad[i]);
    g_assert_cmpint (judge (bad[i]), ==, HEAD_BAD);
  }
  /* A zero byte, which is not visible in a text. */
  g_assert_cmpint (head_judge (GET HOST "X: \0\r\n\r\n", sizeof (GET HOST "X: .\r\n\r\n") - 1), ==,
                   HEAD_BAD);
  g_autofree char *long_line = g_strnfill (HEAD_MAX + 1, 'a');
  g_assert_cmpint (head_judge (long_line, HEAD_MAX), ==, HEAD_PARTIAL);
  static const struct {
    const char *begin, *part, *end;
  } parts[] = { { GET HOST, "X: y\r\n", "\r\n" },
                { "GET /?a", "&b=c", " HTTP/1.1\r\n" HOST "\r\n" },
                { GET HOST "cookie: a=b", ";c=d", "\r\n\r\n" } };
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    for (guint n = 190; n < 210; n++) {
      g_autoptr (GString) head = g_string_new (parts[i].begin);
      for (guint j = 0; j < n; j++)
        g_string_append (head, parts[i].part);
      g_string_append (head, parts[i].end);
      HeadVerdict verdict = head_judge (head->str, head->len);
      g_assert_true (verdict == HEAD_WHOLE || verdict == HEAD_TOO_LARGE);
      g_assert_true (n > 195 || verdict == HEAD_WHOLE);
      g_assert_true (n < 201 || verdict == HEAD_TOO_LARGE);
    }
  g_assert_cmpint (head_judge (long_line, HEAD_MAX + 1), ==, HEAD_TOO_LARGE);
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
  g_test_add_func ("/serve/clients", test_clients);
  g_test_add_func ("/serve/slow-uploads", test_slow_uploads);
  g_test_add_func ("/serve/waits", test_waits);
  g_test_add_func ("/serve/lines", test_lines);
  g_test_add_func ("/serve/problems-are-documented", test_problems_are_documented);
  g_test_add_func ("/serve/spool", test_spool);
  g_test_add_func ("/serve/run-files", test_run_files);
  g_test_add_func ("/serve/run-memory", test_run_memory);
  g_test_add_func ("/serve/heads", test_heads);
  return g_test_run ();
}
