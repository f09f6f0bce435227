/* Possible content of a cache's folder: leftovers, damage, and malicious files. */
#include "cache-files.h"
#include "fake.h"
#include "store/contents.h"
#include "store/store.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGES "  - use: fake-decode\n  - use: fake-segment\n  - use: fake-dump\n"
#define DAY    86400
#define KEY    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define REST   (&KEY[2])

/* µs: the error of the clock, and how much it moves each time it is read. */
static gint64 clock_offset, clock_step;

gint64
g_get_real_time (void)
{
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  gint64 time = (gint64) now.tv_sec * 1000000 + now.tv_nsec / 1000 + clock_offset;
  clock_offset += clock_step;
  return time;
}

static gboolean
exists (const char *path)
{
  struct stat st;
  return lstat (path, &st) == 0;
}

static void
on_damaged (gpointer data, const char *path, const char *reason)
{
  g_string_append_printf (data, "%s: %s\n", path, reason);
}

/* Damaged files, one per line. */
static char *
verify (const char *folder, gboolean repair, SegueCacheVerified *verified)
{
  GString *found = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  SegueCacheVerifyOptions options =
    SEGUE_INIT (SegueCacheVerifyOptions, .repair = repair, .damaged = on_damaged, .data = found);
  segue_cache_verify (folder, &options, verified, NULL, &error);
  g_assert_no_error (error);
  return g_string_free (found, FALSE);
}

static void
write_songs (FlowFixture *fixture)
{
  flow_fixture_init (fixture);
  flow_fixture_write (fixture, "a/1.song", "the first song");
  flow_fixture_write (fixture, "a/2.song", "the second song");
  flow_fixture_write (fixture, "a/3.song", "the third song");
}

static void
test_empty (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-folder-XXXXXX", NULL);
  g_autofree char *cache = g_build_filename (folder, "not", "there", NULL);
  g_autoptr (GError) error = NULL;
  SegueCacheVerified verified = SEGUE_INIT (SegueCacheVerified);
  g_autoptr (SegueCacheInfo) info = segue_cache_info (cache, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (info->bytes, ==, 0);
  g_assert_cmpuint (info->disk_size, >, 0);
  g_assert_cmpuint (cache_gc (cache, (SegueCacheGcOptions){ .all = TRUE }).n, ==, 0);
  g_autofree char *damaged = verify (cache, TRUE, &verified);
  g_assert_cmpuint (verified.n, ==, 0);
  g_assert_false (exists (cache));
  /* A file is not a cache. */
  g_autofree char *file = cache_put (folder, "file", "");
  g_assert_null (segue_cache_info (file, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_assert_true (segue_file_remove_folder (folder, NULL));
}

/* Leftovers of a kill are removed, unless their writer may be alive; files that segue did not write stay. */
static void
test_leftovers (void)
{
  g_auto (FlowFixture) fixture;
  write_songs (&fixture);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  static const char *const left[] = {
    "records/0a/.segue-tmp-abcdef",     "files/0a/.segue-tmp-abcdef",
    "units/.segue-tmp-12345678",        "work/.spool-XyZabc",
    "gstreamer-registry.bin.tmpA1B2C3", "gstreamer-registry-8589934592-15.bin.tmpA1B2C3"
  };
  static const char *const foreign[] = {
    "records/0a/holiday.jpg", "files/README", "notes.txt",  "work/thesis/chapter.tex",
    "files/0a/.hidden",       "units/abc",    "files/" KEY, "gstreamer-registry-mine.bin.old",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (left); i++) {
    g_autofree char *path = cache_put (fixture.cache, left[i], "left");
    cache_set_used (path, 2 * 3600);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++) {
    g_autofree char *path = cache_put (fixture.cache, foreign[i], "mine");
    cache_set_used (path, 1000 * DAY);
  }
  g_autofree char *dead = cache_put (fixture.cache, "users/run-0123456789abcdef", "");
  SegueStore *store = segue_store_open (fixture.cache, NULL);
  g_autofree char *live =
    cache_put (fixture.cache, "records/0b/.segue-tmp-fedcba", "being written");
  cache_set_used (live, -1);
  SegueCacheFreed freed = cache_gc (fixture.cache, (SegueCacheGcOptions){ 0 });
  g_assert_cmpuint (freed.n, ==, G_N_ELEMENTS (left));
  g_assert_cmpuint (freed.parts[SEGUE_CACHE_OTHER].n, ==, G_N_ELEMENTS (left));
  g_assert_true (exists (live));
  g_assert_false (exists (dead));
  segue_store_free (store);
  cache_set_used (live, 1);
  g_assert_cmpuint (cache_gc (fixture.cache, (SegueCacheGcOptions){ 0 }).n, ==, 1);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1); /* the foreign one */
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++) {
    g_autofree char *path = g_build_filename (fixture.cache, foreign[i], NULL);
    g_assert_true (exists (path));
  }
}

static void
test_verify (void)
{
  g_auto (FlowFixture) fixture;
  SegueCacheVerified verified = SEGUE_INIT (SegueCacheVerified);
  write_songs (&fixture);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_autofree char *none = verify (fixture.cache, FALSE, &verified);
  g_assert_cmpstr (none, ==, "");
  /* Three songs; the dump's dependencies, and the dump. */
  g_assert_cmpuint (verified.n, ==, 5);
  g_autoptr (GPtrArray) records = flow_fixture_list_records (&fixture);
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (records->pdata[1], &data, &size, NULL));
  data[size - 3] ^= 1; /* in the payload, which a run reads only when it needs it */
  g_assert_true (g_file_set_contents (records->pdata[1], data, (gssize) size, NULL));

  g_autofree char *found = verify (fixture.cache, FALSE, &verified);
  g_assert_cmpuint (verified.n_damaged, ==, 1);
  g_assert_cmpuint (verified.n_removed, ==, 0);
  g_assert_true (g_str_has_prefix (found, (char *) records->pdata[1] + strlen (fixture.cache) + 1));
  g_assert_nonnull (strstr (found, "checksum"));
  /* One that a run has looked up is repaired by that run. */
  SegueStore *store = segue_store_open (fixture.cache, NULL);
  segue_store_use (store, (char *) records->pdata[1] + strlen (fixture.cache) + 1, NULL);
  g_autofree char *in_use = verify (fixture.cache, TRUE, &verified);
  g_assert_cmpuint (verified.n_removed, ==, 0);
  segue_store_free (store);
  g_autofree char *removed = verify (fixture.cache, TRUE, &verified);
  g_assert_cmpuint (verified.n_removed, ==, 1);
  g_assert_false (exists (records->pdata[1]));
  g_autofree char *clean = verify (fixture.cache, FALSE, &verified);
  g_assert_cmpuint (verified.n_damaged, ==, 0);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, STAGES, 1, &result);
  g_assert_cmpuint (result.n_cached, ==, 2);
  segue_run_result_clear (&result);
  g_autofree char *again = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (again, ==, dump);
}

static void
test_stopped (void)
{
  g_auto (FlowFixture) fixture;
  write_songs (&fixture);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_autoptr (GError) gc_error = NULL;
  g_autoptr (GError) verify_error = NULL;
  g_autoptr (GError) info_error = NULL;
  SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .all = TRUE);
  g_assert_false (segue_cache_gc (fixture.cache, &options, NULL, cancellable, &gc_error));
  g_assert_error (gc_error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  g_assert_false (segue_cache_verify (fixture.cache, NULL, NULL, cancellable, &verify_error));
  g_assert_error (verify_error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  g_assert_null (segue_cache_info (fixture.cache, cancellable, &info_error));
  g_assert_error (info_error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 3);
}

/* ---- An untrusted cache ---- */

/* Links that lead outside, FIFOs that block, files that are larger than any disk: neither followed, nor waited
 * for, nor read. */
static void
test_hostile (void)
{
  g_auto (FlowFixture) fixture;
  SegueCacheVerified verified = SEGUE_INIT (SegueCacheVerified);
  write_songs (&fixture);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_autofree char *outside = g_build_filename (fixture.folder, "outside", NULL);
  g_autofree char *shard = g_build_filename (fixture.cache, "records", "00", NULL);
  g_autofree char *shard_2 = g_build_filename (fixture.cache, "records", "f0", NULL);
  g_autofree char *mine = cache_put (outside, REST, "mine");
  g_autofree char *precious = cache_put (outside, "precious", "mine");
  cache_set_used (mine, 1000 * DAY);
  gint64 before = g_get_real_time () / 1000000 - 999 * DAY;
  g_rmdir (shard);
  g_rmdir (shard_2);
  g_assert_cmpint (symlink (outside, shard), ==, 0);
  g_assert_cmpint (g_mkdir (shard_2, 0700), ==, 0);
  g_autofree char *link = g_strconcat (shard_2, "/a", REST + 1, NULL);
  g_autofree char *fifo = g_strconcat (shard_2, "/b", REST + 1, NULL);
  g_autofree char *sparse = g_strconcat (shard_2, "/c", REST + 1, NULL);
  g_autofree char *folder = g_strconcat (shard_2, "/d", REST + 1, NULL);
  g_assert_cmpint (symlink (mine, link), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_autofree char *inner = cache_put (folder, "inner", "x");
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_assert_cmpint (symlink (outside, out), ==, 0);
  int fd = open (sparse, O_CREAT | O_RDWR, 0600);
  g_assert_cmpint (ftruncate (fd, (off_t) 8 << 40), ==, 0);
  close (fd);
  g_autofree char *work = g_build_filename (fixture.cache, "work", KEY, NULL);
  g_assert_cmpint (symlink (outside, work), ==, 0);

  g_autoptr (SegueCacheInfo) info = segue_cache_info (fixture.cache, NULL, NULL);
  g_assert_cmpuint (info->parts[SEGUE_CACHE_RECORDS].n, ==, 7);
  g_assert_cmpuint (info->bytes, <, 1000000);
  g_autofree char *damaged = verify (fixture.cache, FALSE, &verified);
  g_test_message ("%s", damaged);
  g_assert_cmpuint (verified.n_damaged, ==, 4);

  /* A run does not follow the link, and writes nothing there. */
  g_autoptr (SegueStore) store = segue_store_open (fixture.cache, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = NULL;
  g_assert_null (segue_store_read (store, KEY, TRUE, &problem, &error));
  g_assert_no_error (error);
  SegueRecordContent content = { .key = KEY, .components = (const char *const[]){ NULL } };
  g_assert_false (segue_store_write (store, &content, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE);
  g_test_message ("%s", error->message);
  g_clear_error (&error);
  g_clear_pointer (&store, segue_store_free);

  g_autofree char *repaired = verify (fixture.cache, TRUE, &verified);
  g_assert_cmpuint (verified.n_removed, ==, 4);
  cache_gc (fixture.cache, (SegueCacheGcOptions){ .all = TRUE });
  struct stat st;
  g_assert_cmpint (stat (mine, &st), ==, 0);
  g_assert_cmpint (st.st_mtime, <, before);
  g_assert_true (exists (precious));
}

/* The top folders have to be the cache's own. */
static void
test_links (void)
{
  static const char *const folders[] = { "records", "files", "results", "units", "work", "users" };
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    write_songs (&fixture);
    g_autofree char *outside = g_build_filename (fixture.folder, "outside", NULL);
    g_autofree char *link = g_build_filename (fixture.cache, folders[i], NULL);
    g_assert_true (segue_file_make_folder (outside, NULL));
    g_assert_true (segue_file_make_folder (fixture.cache, NULL));
    g_assert_cmpint (symlink (outside, link), ==, 0);
    g_assert_false (flow_fixture_try_run (&fixture, "", STAGES, 1, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE);
    g_assert_nonnull (strstr (error->message, link));
    SegueCacheGcOptions all = SEGUE_INIT (SegueCacheGcOptions, .all = TRUE);
    segue_cache_gc (fixture.cache, &all, NULL, NULL, NULL);
    g_autoptr (GDir) entries = g_dir_open (outside, 0, NULL);
    g_assert_null (g_dir_read_name (entries));
    /* The cache itself may be a link. */
    g_assert_cmpint (g_unlink (link), ==, 0);
    g_autofree char *elsewhere = g_build_filename (fixture.folder, "elsewhere", NULL);
    g_assert_cmpint (symlink (fixture.cache, elsewhere), ==, 0);
    g_free (fixture.cache);
    fixture.cache = g_steal_pointer (&elsewhere);
    flow_fixture_run (&fixture, STAGES, 1, NULL);
  }
}

static void
test_owner (void)
{
  g_auto (FlowFixture) fixture;
  write_songs (&fixture);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  struct stat st;
  g_assert_cmpint (stat (fixture.cache, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0700);
  g_assert_null (strstr (fixture.log->str, "cache"));
  g_assert_cmpint (g_chmod (fixture.cache, 0777), ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_nonnull (strstr (fixture.log->str, "all users of this system can change the cache"));
  if (geteuid () != 0)
    return;
  g_assert_cmpint (g_chmod (fixture.cache, 0700), ==, 0);
  g_assert_cmpint (chown (fixture.cache, 12345, (gid_t) -1), ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_nonnull (strstr (fixture.log->str, "belongs to another user"));
}

/* Another group than the user's own: as root any group, else one of the user's; FALSE where there is none. */
static gboolean
find_shared_group (gid_t *group)
{
  gid_t groups[64];
  int n = getgroups (G_N_ELEMENTS (groups), groups);
  *group = 12345;
  for (int i = 0; geteuid () != 0 && i < n; i++)
    if (groups[i] != getegid ()) {
      *group = groups[i];
      return TRUE;
    }
  return geteuid () == 0;
}

static void
test_group (void)
{
  g_auto (FlowFixture) fixture;
  gid_t group;
  write_songs (&fixture);
  if (!find_shared_group (&group)) {
    g_test_skip ("this user is in one group only");
    return;
  }
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_cmpint (chown (fixture.cache, (uid_t) -1, group), ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_null (strstr (fixture.log->str, "cache"));
  g_assert_cmpint (g_chmod (fixture.cache, 0770), ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_nonnull (strstr (fixture.log->str, "members of a group can change the cache"));
  /* Root's own group has the same name on every system, and rarely other members. */
  struct group *own = geteuid () == 0 ? getgrgid (0) : NULL;
  if (!own || strcmp (own->gr_name, "root") != 0 || own->gr_mem[0])
    return;
  g_string_truncate (fixture.log, 0);
  g_assert_cmpint (chown (fixture.cache, (uid_t) -1, 0), ==, 0);
  flow_fixture_run (&fixture, STAGES, 1, NULL);
  g_assert_null (strstr (fixture.log->str, "cache"));
}

/* A gate that is a FIFO or a folder does not make a run wait. */
static void
test_odd_gate (void)
{
  for (guint kind = 0; kind < 2; kind++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    write_songs (&fixture);
    g_autofree char *users = g_build_filename (fixture.cache, "users", NULL);
    g_autofree char *gate = g_build_filename (users, "gate", NULL);
    g_autofree char *run = g_build_filename (users, "run-x", NULL);
    g_assert_true (segue_file_make_folder (users, NULL));
    g_assert_cmpint (mkfifo (run, 0600), ==, 0);
    g_assert_cmpint (kind == 0 ? mkfifo (gate, 0600) : g_mkdir (gate, 0700), ==, 0);
    flow_fixture_run (&fixture, STAGES, 1, NULL);
    SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .all = TRUE);
    g_assert_false (segue_cache_gc (fixture.cache, &options, NULL, NULL, &error));
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 3);
  }
}

/* ---- Cached hashes ---- */

typedef struct {
  char *folder, *memory, *song;
} Memory;

static void
set_up (Memory *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("segue-memory-XXXXXX", NULL);
  f->memory = g_build_filename (f->folder, "files", NULL);
  f->song = cache_put (f->folder, "music/a.mp3", "abc");
  g_assert_true (segue_file_make_folder (f->memory, NULL));
}

static void
tear_down (Memory *f, gconstpointer data)
{
  clock_offset = 0;
  g_assert_true (segue_file_remove_folder (f->folder, NULL));
  g_free (f->folder);
  g_free (f->memory);
  g_free (f->song);
}

static char *
hash (Memory *f)
{
  SegueFileStamp stamp;
  g_autoptr (GError) error = NULL;
  char *key = segue_contents_key (f->memory, f->song, &stamp, NULL, &error);
  g_assert_no_error (error);
  return key;
}

/* (transfer full) (nullable): the one file that contains the cached hash. */
static char *
find_memory (Memory *f)
{
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, f->song, -1);
  g_autofree char *path = g_strdup_printf ("%s/%.2s/%s", f->memory, name, name + 2);
  return exists (path) ? g_steal_pointer (&path) : NULL;
}

/* A file that was changed a moment before it was read may change again undetected: its hash is not cached, however
 * long the reading takes. */
static void
test_racy (Memory *f, gconstpointer data)
{
  clock_step = 10 * G_USEC_PER_SEC;
  g_autofree char *first = hash (f);
  clock_step = clock_offset = 0;
  g_assert_null (find_memory (f));
  /* Its times are in the future, or the clock is in the past. */
  cache_set_used (f->song, -DAY);
  clock_offset = 10 * G_USEC_PER_SEC; /* its ctime is old enough */
  g_autofree char *second = hash (f);
  g_assert_null (find_memory (f));
  cache_set_used (f->song, DAY);
  clock_offset = 10 * G_USEC_PER_SEC;
  g_autofree char *third = hash (f);
  g_autofree char *memory = find_memory (f);
  g_assert_nonnull (memory);
  g_assert_cmpstr (first, ==, third);
  g_assert_cmpstr (first, ==, second);

  /* A cached hash is used: this one is false, with a correct checksum. */
  g_autofree char *text = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (memory, &text, &length, NULL));
  char *key = strstr (text, first);
  memset (key, '7', 64);
  char *body = strchr (text, '\n') + 1;
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);
  memcpy (body - 1 - 64, digest, 64);
  g_assert_true (g_file_set_contents (memory, text, -1, NULL));
  cache_set_used (memory, 5 * DAY);
  g_autofree char *told = hash (f);
  g_assert_cmpstr (told, ==, "7777777777777777777777777777777777777777777777777777777777777777");
  struct stat st;
  g_assert_cmpint (stat (memory, &st), ==, 0);
  g_assert_cmpint (st.st_mtime, >, g_get_real_time () / 1000000 - DAY);

  /* With any other content, the file is read. */
  for (gsize i = 0; i < length; i += 3) {
    g_autofree char *bad = g_strndup (text, length);
    bad[i] ^= 1;
    g_assert_true (g_file_set_contents (memory, bad, (gssize) length, NULL));
    g_autofree char *real = hash (f);
    g_assert_cmpstr (real, ==, first);
  }
  for (gsize i = 0; i < length; i += 17) {
    g_assert_true (g_file_set_contents (memory, text, (gssize) i, NULL));
    g_autofree char *real = hash (f);
    g_assert_cmpstr (real, ==, first);
  }
  g_unlink (memory);
  g_assert_cmpint (mkfifo (memory, 0600), ==, 0);
  g_autofree char *real = hash (f);
  g_assert_cmpstr (real, ==, first);
}

/* A hash is removed with its file, but not while the file's disk is disconnected. */
static void
test_gone (Memory *f, gconstpointer data)
{
  cache_set_used (f->song, DAY);
  clock_offset = 10 * G_USEC_PER_SEC;
  g_autofree char *key = hash (f);
  g_autofree char *memory = find_memory (f);
  g_assert_nonnull (memory);
  SegueCacheGcOptions options = { .check_files = TRUE };
  g_assert_cmpuint (cache_gc (f->folder, options).n, ==, 0);
  g_autofree char *music = g_path_get_dirname (f->song);
  g_autofree char *away = g_strconcat (music, ".away", NULL);
  g_assert_cmpint (g_rename (music, away), ==, 0);
  g_assert_cmpuint (cache_gc (f->folder, options).n, ==, 0);
  g_assert_cmpint (g_rename (away, music), ==, 0);
  g_assert_cmpint (g_unlink (f->song), ==, 0);
  g_assert_cmpuint (cache_gc (f->folder, (SegueCacheGcOptions){ 0 }).n, ==, 0);
  g_assert_cmpuint (cache_gc (f->folder, options).n, ==, 1);
  g_assert_false (exists (memory));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/folder/empty", test_empty);
  g_test_add_func ("/folder/leftovers", test_leftovers);
  g_test_add_func ("/folder/verify", test_verify);
  g_test_add_func ("/folder/stopped", test_stopped);
  g_test_add_func ("/folder/hostile", test_hostile);
  g_test_add_func ("/folder/links", test_links);
  g_test_add_func ("/folder/owner", test_owner);
  g_test_add_func ("/folder/group", test_group);
  g_test_add_func ("/folder/odd-gate", test_odd_gate);
  g_test_add ("/folder/racy", Memory, NULL, set_up, test_racy, tear_down);
  g_test_add ("/folder/gone", Memory, NULL, set_up, test_gone, tear_down);
  return g_test_run ();
}
