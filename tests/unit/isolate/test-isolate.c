/* Isolated stages: the results are the same as without isolation, and an error costs one item. */
#include "fixture.h"
#include "isolate/worker-process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const only_misbehave[] = { "misbehave", NULL };
static const char *const two[] = { "misbehave", "slices", NULL };
static const char *const three[] = { "misbehave", "slices", "square", NULL };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

static const guint8 *
address_of (const SegueItem *item)
{
  return g_bytes_get_data (item->bytes, NULL);
}

static void
assert_equal (const SegueItem *a, const SegueItem *b)
{
  g_autoptr (GVariant) own_a = segue_metadata_to_variant (a->metadata, TRUE);
  g_autoptr (GVariant) own_b = segue_metadata_to_variant (b->metadata, TRUE);
  g_autoptr (GVariant) all_a = segue_metadata_to_variant (a->metadata, FALSE);
  g_autoptr (GVariant) all_b = segue_metadata_to_variant (b->metadata, FALSE);
  g_assert_cmpstr (a->body->id, ==, b->body->id);
  g_assert_cmpstr (a->body->song, ==, b->body->song);
  g_assert_cmpint (a->body->kind, ==, b->body->kind);
  g_assert_cmpuint (a->origin, ==, b->origin);
  g_assert_true (g_variant_equal (own_a, own_b));
  g_assert_true (g_variant_equal (all_a, all_b));
  g_assert_true (g_bytes_equal (a->bytes, b->bytes));
  g_assert_cmpuint (a->body->rate, ==, b->body->rate);
  g_assert_cmpuint (a->body->channels, ==, b->body->channels);
  g_assert_cmpint (a->body->dtype, ==, b->body->dtype);
  g_assert_cmpmem (a->body->shape, a->body->rank * sizeof (gsize), b->body->shape,
                   b->body->rank * sizeof (gsize));
}

/* The same items, with the same memory layout. */
static void
test_same_result (gconstpointer types)
{
  g_auto (IsolateFixture) apart, here;
  isolate_fixture_init (&apart, types, NULL, TRUE, 20);
  isolate_fixture_init (&here, types, NULL, FALSE, 20);
  for (guint round = 0; round < 4; round++) {
    const char *deed = round % 2 == 0 ? "fine" : "fine long";
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) ours = isolate_fixture_carry (&apart, deed, &error);
    g_assert_no_error (error);
    g_autoptr (GPtrArray) theirs = isolate_fixture_carry (&here, deed, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (ours->len, ==, theirs->len);
    for (guint i = 0; i < ours->len; i++)
      assert_equal (g_ptr_array_index (ours, i), g_ptr_array_index (theirs, i));
    if (types == two) { /* slices overlap by the same amount */
      for (guint i = 1; i < 4; i += 2)
        g_assert_cmpint (address_of (ours->pdata[i]) - address_of (ours->pdata[i - 1]), ==,
                         address_of (theirs->pdata[i]) - address_of (theirs->pdata[i - 1]));
      g_assert_true (address_of (ours->pdata[0]) == address_of (ours->pdata[7]));
    }
    g_auto (GStrv) reads = segue_reads_list (apart.reads);
    g_auto (GStrv) expected = segue_reads_list (here.reads);
    g_assert_cmpstrv (reads, expected);
    g_assert_cmpint (segue_counts_get (apart.counts, "slices"), ==,
                     segue_counts_get (here.counts, "slices"));
    g_assert_cmpint (segue_counts_get (apart.counts, "deeds"), ==, 1);
  }
  g_assert_nonnull (strstr (apart.log->str, "misbehave: a/song: ?[31mfine\n"));
}

/* An error of the song, with the stage's own message. */
static void
test_failure (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) failed = isolate_fixture_refuse (&fixture, "fail so bad");
    g_assert_error (failed, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_cmpstr (failed->message, ==, "‘a/song’ is bad: so bad");
    g_assert_cmpint (segue_counts_get (fixture.counts, "deeds"), ==, 1);
  }
  /* A message that each process logs about itself is logged once. */
  g_auto (GStrv) locked = g_strsplit (fixture.log->str, "locked away", -1);
  g_assert_cmpuint (g_strv_length (locked), <=, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) output = isolate_fixture_carry (&fixture, "fine", &error);
  g_assert_no_error (error);
}

static void
test_vanished (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  g_autoptr (SegueItem) file = segue_item_new_file ("a/song", "/nowhere/at/all");
  g_autoptr (SegueItem) folder = segue_item_new_file ("a/folder", "/usr");
  g_autoptr (GError) error = NULL;
  segue_item_seal (file);
  segue_item_seal (folder);
  g_assert_null (segue_chain_carry (fixture.chain, &file, 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_clear_error (&error);
  g_assert_null (segue_chain_carry (fixture.chain, &folder, 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_autoptr (GPtrArray) output = isolate_fixture_carry (&fixture, "fine", &error);
  g_assert_no_error (error);
}

/* A compromised worker can blame the system: it costs its song, and no run. */
static void
test_blame (void)
{
  static const SegueErrorCode codes[] = {
    SEGUE_ERROR_FAILED,        SEGUE_ERROR_INTERNAL, SEGUE_ERROR_IO,       SEGUE_ERROR_RESOURCE,
    SEGUE_ERROR_CANNOT_CREATE, SEGUE_ERROR_PIPELINE, SEGUE_ERROR_CANCELLED
  };
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autofree char *deed = g_strdup_printf ("blame %d", (int) codes[i]);
    g_autoptr (GError) failed = isolate_fixture_refuse (&fixture, deed);
    g_assert_error (failed, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
    g_assert_nonnull (strstr (failed->message, "the disk is full"));
  }
}

/* Every way to die: its message, and whether it is recorded as the song's failure. */
static void
test_deaths (void)
{
  static const struct {
    const char *deed;
    SegueErrorCode code;
    const char *words;
  } deaths[] = {
    { "fault", SEGUE_ERROR_UNSUPPORTED, "SIG" },
    { "signal 11", SEGUE_ERROR_UNSUPPORTED, "SIGSEGV" },
    { "signal 7", SEGUE_ERROR_UNSUPPORTED, "SIGBUS" },
    { "signal 4", SEGUE_ERROR_UNSUPPORTED, "SIGILL" },
    { "signal 8", SEGUE_ERROR_UNSUPPORTED, "SIGFPE" },
    { "signal 6", SEGUE_ERROR_UNSUPPORTED, "SIGABRT" },
    { "signal 31", SEGUE_ERROR_UNSUPPORTED, "SIGSYS" },
    { "signal 9", SEGUE_ERROR_TIMEOUT, "SIGKILL" },
    { "signal 15", SEGUE_ERROR_TIMEOUT, "SIGTERM" },
    { "signal 5", SEGUE_ERROR_TIMEOUT, "SIGTRAP" },
    { "exit 0", SEGUE_ERROR_TIMEOUT, "status 0" },
    { "exit 3", SEGUE_ERROR_TIMEOUT, "status 3" },
  };
  guint handles = isolate_count_handles ();
  {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
    for (guint i = 0; i < G_N_ELEMENTS (deaths); i++) {
      g_autoptr (GError) died = isolate_fixture_refuse (&fixture, deaths[i].deed);
      g_assert_cmpint (died->code, ==, deaths[i].code);
      g_assert_nonnull (strstr (died->message, deaths[i].words));
      g_assert_nonnull (strstr (died->message, "‘a/song’"));
      g_assert_nonnull (strstr (died->message, "stage 'misbehave' (plugin misbehaving 0.9)"));
    }
    /* The next song is not affected. */
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) output = isolate_fixture_carry (&fixture, "fine", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (output->len, ==, 1);
  }
  g_assert_cmpuint (isolate_count_handles (), ==, handles);
}

static GPtrArray *
carry_fine (IsolateFixture *fixture, const char *deed)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *output = isolate_fixture_carry (fixture, deed, &error);
  g_assert_no_error (error);
  return output;
}

/* No state that one song leaves in its process, and no process that has seen one, reaches the next: neither after
 * a failure nor after a crash. */
static void
test_song_by_song (gconstpointer config)
{
  static const char *const deeds[] = { "fine", "fail so bad", "signal 11", "thread", "exit 0" };
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, config, TRUE, 20);
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++) {
    g_autoptr (GError) ignored = NULL;
    g_autoptr (GPtrArray) first = isolate_fixture_carry (&fixture, deeds[i], &ignored);
    g_autoptr (GPtrArray) second = carry_fine (&fixture, "fine");
  }
  g_assert_nonnull (strstr (fixture.log->str, "misbehave: item 0 of its process"));
  g_assert_null (strstr (fixture.log->str, "misbehave: item 1 of its process"));
}

/* A program may be started with SIGCHLD ignored, and then can't wait for its own children: a crash is detected all
 * the same. */
static void
test_ignored_children (void)
{
  struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
  g_assert_cmpint (sigaction (SIGCHLD, &ignore, &before), ==, 0);
  {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
    g_autoptr (GError) crashed = isolate_fixture_refuse (&fixture, "signal 11");
    g_assert_error (crashed, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (crashed->message, "SIGSEGV"));
  }
  g_assert_cmpint (sigaction (SIGCHLD, &before, NULL), ==, 0);
}

/* Segments of one song share their process. */
static void
test_one_song (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, three, NULL, TRUE, 20);
  for (guint song = 0; song < 2; song++) {
    g_autoptr (GPtrArray) output = carry_fine (&fixture, "fine");
    g_auto (GStrv) first = g_strsplit (fixture.log->str, "square: item 0 ", -1);
    g_auto (GStrv) last = g_strsplit (fixture.log->str, "square: item 7 ", -1);
    g_assert_cmpuint (output->len, ==, 8);
    g_assert_cmpuint (g_strv_length (first) - 1, ==, song + 1);
    g_assert_cmpuint (g_strv_length (last) - 1, ==, song + 1);
  }
}

/* Under a limit of memory a library that gets no memory crashes: the song is tried again by the next run. */
static void
test_crash_under_a_limit (void)
{
  static const int limits[] = { RLIMIT_AS, RLIMIT_DATA };
  static const char *const deeds[] = { "signal 11", "signal 6" };
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++) {
    struct rlimit before;
    g_assert_cmpint (getrlimit (limits[i], &before), ==, 0);
    setrlimit (limits[i], &(struct rlimit){ (rlim_t) 1 << 50, before.rlim_max });
    g_autoptr (GError) failed = isolate_fixture_refuse (&fixture, deeds[i]);
    setrlimit (limits[i], &before);
    g_assert_error (failed, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
    g_assert_nonnull (strstr (failed->message, "out of memory"));
  }
}

/* A process that the system kills before its stage is open is replaced. */
static void
test_killed_while_opening (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, "{ opening: killed-once }", TRUE, 20);
  g_autofree char *mark = g_build_filename (fixture.folder, "was-killed", NULL);
  g_setenv ("MISBEHAVE_MARK", mark, TRUE);
  g_setenv ("SEGUE_WORKER_ENV", "MISBEHAVE_MARK", TRUE);
  g_autoptr (GPtrArray) output = carry_fine (&fixture, "fine");
  g_assert_true (g_file_test (mark, G_FILE_TEST_EXISTS));
}

/* Where that happens each time the song or the system is the cause: no advice to disable isolation. */
static void
test_killed_each_time (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, "{ opening: killed }", TRUE, 20);
  g_autoptr (GError) killed = isolate_fixture_refuse (&fixture, "fine");
  g_assert_error (killed, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
  g_assert_nonnull (strstr (killed->message, "SIGKILL"));
  g_assert_null (strstr (killed->message, "isolate"));
}

/* The fork server may end at any time, and is replaced. */
static void
test_server_killed (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GPtrArray) output = carry_fine (&fixture, "fine");
    g_autofree char *path =
      g_strdup_printf ("/proc/%d/task/%d/children", (int) getpid (), (int) getpid ());
    g_autofree char *children = NULL;
    if (!g_file_get_contents (path, &children, NULL, NULL))
      return;
    g_assert_cmpint (kill (atoi (children), SIGKILL), ==, 0);
  }
  g_autoptr (GPtrArray) output = carry_fine (&fixture, "fine");
}

static void
test_hang (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 0.5);
  g_autoptr (GError) late = isolate_fixture_refuse (&fixture, "hang");
  g_assert_error (late, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
  g_assert_nonnull (strstr (late->message, "time_limit"));
}

/* A song with more metadata than an answer may have is refused by its worker, with a message about it. */
static void
test_metadata (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) whole = isolate_fixture_carry (&fixture, "keys 256", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (whole->len, ==, 1);
  g_autoptr (GError) keys = isolate_fixture_refuse (&fixture, "keys 257");
  g_assert_error (keys, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (keys->message, "too much metadata: 257 keys"));
  g_autoptr (GError) letters = isolate_fixture_refuse (&fixture, "letters 200000");
  g_assert_error (letters, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (letters->message, "too much metadata: 20"));
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (100000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 1000);
  GThread *thread = g_thread_new ("cancel", cancel_soon, fixture.cancellable);
  g_autoptr (GError) stopped = isolate_fixture_refuse (&fixture, "hang");
  g_thread_join (thread);
  g_assert_error (stopped, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

/* A worker's memory is limited, and a shortage does not end the run. */
static void
test_memory (void)
{
  if (HAS_SANITIZER) {
    g_test_skip ("a sanitizer needs all addresses");
    return;
  }
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  g_autoptr (GError) lacks = isolate_fixture_refuse (&fixture, "allocate");
  g_assert_error (lacks, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
  g_assert_nonnull (strstr (lacks->message, "wants more than"));
}

/* All workers of a run together may use half of the system's memory, unless each then has too little to decode. */
static void
test_shared_memory (void)
{
  guint64 half = (guint64) sysconf (_SC_PHYS_PAGES) * (guint64) sysconf (_SC_PAGESIZE) / 2;
  guint64 least = (guint64) 768 << 20;
  for (guint n = 1; n <= 256; n++) {
    guint64 each = segue_worker_memory (n);
    g_assert_cmpuint (each, <=, (guint64) 4 << 30);
    g_assert_cmpuint (each, >=, least);
    g_assert_true (each == least || n * each <= half);
  }
}

static void
assert_denied (IsolateFixture *fixture, const char *deed)
{
  g_autoptr (GError) denied = isolate_fixture_refuse (fixture, deed);
  gboolean so = g_str_has_suffix (denied->message, g_strerror (EPERM)) ||
                g_str_has_suffix (denied->message, g_strerror (EACCES));
  if (!so)
    g_error ("%s: %s", deed, denied->message);
}

/* A worker's output goes through a pipe that never blocks it, as printable lines, limited in number. */
static void
test_words (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) one =
    isolate_fixture_carry (&fixture, "print \033]0;OWNED\007\302\233 \342\200\256 \377", &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (fixture.log->str, "misbehave: ?]0;OWNED??"));
  g_assert_null (strpbrk (strstr (fixture.log->str, "?]0;OWNED"), "\033\007"));
  g_assert_null (strstr (fixture.log->str, "\342\200\256"));
  g_assert_true (g_utf8_validate (fixture.log->str, -1, NULL));
  g_string_truncate (fixture.log, 0);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GPtrArray) much = isolate_fixture_carry (&fixture, "print-much", &error);
    g_assert_no_error (error);
  }
  g_assert_nonnull (strstr (fixture.log->str, "line 3 of"));
  g_assert_cmpuint (fixture.log->len, <, 3 * 16 * 1024);
}

/* Tokens and other variables of the environment are not passed on. */
static void
test_environment (void)
{
  static const char *const kept[] = { "LANG", "GST_DEBUG", "SEGUE_TEST_ASKED" },
                           *const not_kept[] = { "HF_TOKEN", "PATH", "SEGUE_TEST", "GST", "LANG2" };
  g_setenv ("SEGUE_WORKER_ENV", "SEGUE_TEST_ASKED,SEGUE_TEST_UNSET", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    g_setenv (kept[i], "C", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (not_kept); i++)
    g_setenv (not_kept[i], g_getenv (not_kept[i]) ? g_getenv (not_kept[i]) : "hf_secret", TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < G_N_ELEMENTS (not_kept); i++) {
    g_autofree char *deed = g_strconcat ("variable ", not_kept[i], NULL);
    assert_denied (&fixture, deed);
  }
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    g_autofree char *deed = g_strconcat ("variable ", kept[i], NULL);
    g_autoptr (GError) done = isolate_fixture_refuse (&fixture, deed);
    g_assert_true (g_str_has_suffix (done->message, "done"));
  }
  g_unsetenv ("SEGUE_WORKER_ENV");
}

/* Whatever the command's own stderr is, a worker has no terminal. */
static void
test_terminal (void)
{
  int terminal = posix_openpt (O_RDWR | O_NOCTTY), saved = dup (STDERR_FILENO);
  g_assert_cmpint (terminal, >=, 0);
  g_assert_cmpint (grantpt (terminal), ==, 0);
  g_assert_cmpint (unlockpt (terminal), ==, 0);
  int other = open (ptsname (terminal), O_RDWR | O_NOCTTY);
  g_assert_cmpint (other, >=, 0);
  dup2 (other, STDERR_FILENO);
  {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
    assert_denied (&fixture, "terminal");
  }
  dup2 (saved, STDERR_FILENO);
  close (saved);
  close (other);
  close (terminal);
}

/* Whether the layer of the sandbox is available, as it reports itself. */
static gboolean
has_layer (IsolateFixture *fixture, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) output = isolate_fixture_carry (fixture, "fine", &error);
  g_assert_no_error (error);
  return strstr (fixture->log->str, words) != NULL;
}

static void
test_files_are_locked (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  if (!has_layer (&fixture, ", files (")) {
    g_test_skip ("no Landlock here");
    return;
  }
  g_autofree char *secret = g_build_filename (fixture.folder, "secret", NULL);
  g_assert_true (g_file_set_contents (secret, "secret", -1, NULL));
  g_autofree char *read_it = g_strconcat ("read ", secret, NULL);
  g_autofree char *read_input = g_strdup_printf ("read %s/deed", fixture.folder);
  g_autofree char *list_it = g_strconcat ("read ", fixture.folder, NULL);
  g_autofree char *home = g_strconcat ("read ", g_get_home_dir (), NULL);
  g_autofree char *write_it = g_strconcat ("write ", secret, NULL);
  g_autofree char *write_new = g_strconcat ("write ", secret, ".new", NULL);
  g_autofree char *remove_it = g_strconcat ("remove ", secret, NULL);
  const char *const deeds[] = { read_it,
                                read_input,
                                list_it,
                                home,
                                write_it,
                                write_new,
                                remove_it,
                                "read /proc/1/environ",
                                "read /",
                                "read /etc/hostname",
                                "write /dev/shm/segue-test" };
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++)
    assert_denied (&fixture, deeds[i]);
  g_assert_true (g_file_test (secret, G_FILE_TEST_EXISTS));
}

static void
test_calls_are_denied (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  if (!has_layer (&fixture, ", calls (")) {
    g_test_skip ("no seccomp here");
    return;
  }
  g_autofree char *kill_parent = g_strdup_printf ("kill %d", (int) getpid ());
  const char *const deeds[] = {
    "socket",   "local-socket",         "fork", "exec /bin/true", kill_parent,
    "ptrace 1", "write /tmp/segue-test"
  };
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++)
    assert_denied (&fixture, deeds[i]);
  /* Features that decoders need remain. */
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) output = isolate_fixture_carry (&fixture, "thread", &error);
  g_assert_no_error (error);
}

/* A stage that can't be opened reports its own error; one that crashes on opening ends the run. */
static void
test_opening (void)
{
  static const struct {
    const char *config, *words;
  } openings[] = {
    { "{ opening: not }", "its licence has run out" },
    { "{ opening: crash }", "SIGSEGV" },
    { "{ opening: exit }", "exit status 9" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (openings); i++) {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_misbehave, openings[i].config, TRUE, 20);
    for (guint again = 0; again < 2; again++) {
      g_autoptr (GError) failed = isolate_fixture_refuse (&fixture, "fine");
      g_assert_error (failed, SEGUE_ERROR, SEGUE_ERROR_FAILED);
      g_assert_nonnull (strstr (failed->message, openings[i].words));
      g_assert_true (segue_chain_get_failed (fixture.chain) == fixture.stages->pdata[0]);
    }
  }
}

static void
test_no_worker (void)
{
  g_autofree char *before = g_strdup (g_getenv ("SEGUE_WORKER"));
  static const char *const paths[] = { "/nowhere/segue-worker", "/etc", "/bin/true" };
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_setenv ("SEGUE_WORKER", paths[i], TRUE);
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
    g_autoptr (GError) failed = isolate_fixture_refuse (&fixture, "fine");
    g_assert_error (failed, SEGUE_ERROR, SEGUE_ERROR_FAILED);
    g_assert_nonnull (strstr (failed->message, paths[i]));
    g_assert_null (strstr (failed->message, "isolate: false"));
  }
  g_setenv ("SEGUE_WORKER", before, TRUE);
}

/* The child that the process @parent has started; 0: none yet. */
static pid_t
child_of (pid_t parent)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", parent, parent);
  g_autofree char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? atoi (text) : 0;
}

static gboolean
wait_until (gboolean (*holds) (pid_t), pid_t pid)
{
  for (guint i = 0; i < 2000 && !holds (pid); i++)
    g_usleep (5000);
  return holds (pid);
}

static gboolean
has_child (pid_t pid)
{
  return child_of (pid) != 0;
}

/* An orphan may still have to be reaped. */
static gboolean
is_gone (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  const char *end = g_file_get_contents (path, &text, NULL, NULL) ? strrchr (text, ')') : NULL;
  return !end || g_str_has_prefix (end, ") Z");
}

/* Workers have no access to the terminal that the command was started from. */
static void
test_own_session (void)
{
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 20);
  g_autoptr (GPtrArray) output = carry_fine (&fixture, "fine");
  pid_t server = child_of (getpid ());
  g_assert_cmpint (server, >, 0);
  g_assert_cmpint (getsid (server), ==, server);
}

/* A worker ends where its parent or its server is killed, however busy it is; for any user and locks. */
static void
test_orphan (gconstpointer data)
{
  const char *killed = data;
  pid_t parent = fork ();
  g_assert_cmpint (parent, >=, 0);
  if (parent == 0) {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_misbehave, NULL, TRUE, 1000);
    isolate_fixture_refuse (&fixture, "hang");
    _exit (1);
  }
  if (!wait_until (has_child, parent)) {
    kill (parent, SIGKILL);
    g_test_skip ("this system does not list a process's children");
    waitpid (parent, NULL, 0);
    return;
  }
  pid_t server = child_of (parent);
  g_assert_true (wait_until (has_child, server));
  pid_t worker = child_of (server);
  g_usleep (300000);
  g_assert_false (is_gone (worker));
  kill (g_str_equal (killed, "server") ? server : parent, SIGKILL);
  g_assert_true (wait_until (is_gone, worker));
  kill (parent, SIGKILL);
  waitpid (parent, NULL, 0);
  g_assert_true (wait_until (is_gone, server));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/isolate/same-result/file", only_misbehave, test_same_result);
  g_test_add_data_func ("/isolate/same-result/slices", two, test_same_result);
  g_test_add_data_func ("/isolate/same-result/tensors", three, test_same_result);
  g_test_add_func ("/isolate/failure", test_failure);
  g_test_add_func ("/isolate/vanished", test_vanished);
  g_test_add_func ("/isolate/blame", test_blame);
  g_test_add_func ("/isolate/deaths", test_deaths);
  g_test_add_data_func ("/isolate/song-by-song/forked", "{}", test_song_by_song);
  g_test_add_data_func ("/isolate/song-by-song/started", "{ opening: with-thread }",
                        test_song_by_song);
  g_test_add_func ("/isolate/ignored-children", test_ignored_children);
  g_test_add_func ("/isolate/one-song", test_one_song);
  g_test_add_func ("/isolate/killed-while-opening", test_killed_while_opening);
  g_test_add_func ("/isolate/crash-under-a-limit", test_crash_under_a_limit);
  g_test_add_func ("/isolate/killed-each-time", test_killed_each_time);
  g_test_add_func ("/isolate/server-killed", test_server_killed);
  g_test_add_func ("/isolate/hang", test_hang);
  g_test_add_func ("/isolate/metadata", test_metadata);
  g_test_add_func ("/isolate/cancel", test_cancel);
  g_test_add_func ("/isolate/memory", test_memory);
  g_test_add_func ("/isolate/shared-memory", test_shared_memory);
  g_test_add_func ("/isolate/words", test_words);
  g_test_add_func ("/isolate/environment", test_environment);
  g_test_add_func ("/isolate/terminal", test_terminal);
  g_test_add_func ("/isolate/own-session", test_own_session);
  g_test_add_func ("/isolate/files-are-locked", test_files_are_locked);
  g_test_add_func ("/isolate/calls-are-denied", test_calls_are_denied);
  g_test_add_func ("/isolate/opening", test_opening);
  g_test_add_func ("/isolate/no-worker", test_no_worker);
  g_test_add_data_func ("/isolate/orphan/of-parent", "parent", test_orphan);
  g_test_add_data_func ("/isolate/orphan/of-server", "server", test_orphan);
  return g_test_run ();
}
