/* Results on disk: damaged, partially written, malicious. */
#include "store/key.h"
#include "store/result-private.h"
#include "store/shard.h"
#include "store/tree.h"
#include "study.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <segue/host/cache.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef enum { DAMAGE_FLIP, DAMAGE_CUT, DAMAGE_GONE, DAMAGE_LINK, DAMAGE_FOLDER, N_DAMAGES } Damage;

static void
damage_file (const char *path, const char *elsewhere, Damage damage)
{
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  if (damage == DAMAGE_FLIP && size > 0)
    data[size / 2] ^= 0x20;
  if (damage == DAMAGE_LINK)
    g_assert_cmpint (symlink (elsewhere, path), ==, 0);
  else if (damage == DAMAGE_FOLDER)
    g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  else if (damage != DAMAGE_GONE) {
    gsize length = damage == DAMAGE_CUT && size > 0 ? size - 1 : size;
    /* Where no data can be removed or changed, some is added. */
    g_assert_true (
      g_file_set_contents (path, size > 0 ? data : "x", size > 0 ? (gssize) length : 1, NULL));
  }
}

/* Whatever is wrong with any file of a result, the run gives the right result, and repairs it. */
static void
test_damage (void)
{
  g_auto (Study) study;
  study_init (&study);
  study_run (&study);
  g_autofree char *expected = study_digest (&study);
  g_autofree char *results = g_build_filename (study.cache, "results", NULL);
  g_autofree char *elsewhere = g_build_filename (study.folder, "elsewhere", NULL);
  g_assert_true (g_file_set_contents (elsewhere, "elsewhere", -1, NULL));
  g_autoptr (GPtrArray) files = study_list (results);
  g_assert_cmpuint (files->len, >=, 2 * 5 + 5);
  for (guint i = 0; i < files->len; i++)
    for (guint damage = i % 2; damage < N_DAMAGES; damage += 2) {
      g_autofree char *path = g_build_filename (results, files->pdata[i], NULL);
      gboolean is_header = g_str_has_suffix (path, "/result");
      damage_file (path, elsewhere, damage);
      study_run (&study);
      g_autofree char *digest = study_digest (&study);
      g_assert_cmpstr (digest, ==, expected);
      gboolean logged = strstr (study.log->str, "recomputed: damaged result") != NULL;
      /* A result without its header is not a result. */
      g_assert_true (logged == !(is_header && damage == DAMAGE_GONE));
    }
  study_run (&study);
  g_assert_null (strstr (study.log->str, "recomputed"));
  g_autofree char *untouched = NULL;
  g_assert_true (g_file_get_contents (elsewhere, &untouched, NULL, NULL));
  g_assert_cmpstr (untouched, ==, "elsewhere");
}

/* Possible leftovers of a kill: folders that have no name yet, or no content, or no header yet. */
static void
test_killed (void)
{
  g_auto (Study) study;
  study_init (&study);
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  g_autofree char *expected = study_digest (&study);
  g_autofree char *results = g_build_filename (study.cache, "results", NULL);
  g_autoptr (GPtrArray) files = study_list (results);
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *path = g_build_filename (results, files->pdata[i], NULL);
    g_autofree char *folder = g_path_get_dirname (path);
    g_autofree char *parent = g_path_get_dirname (folder);
    g_autofree char *left = g_build_filename (parent, ".segue-tmp-AbCdEf", "files", NULL);
    if (!g_str_has_suffix (path, "/result"))
      continue;
    segue_file_make_folder (left, NULL);
    if (i % 2)
      segue_file_remove_folder (folder, NULL);
    else
      g_unlink (path);
    segue_file_make_folder (folder, NULL);
  }
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  g_assert_null (strstr (study.log->str, "damaged"));
  g_autofree char *digest = study_digest (&study);
  g_assert_cmpstr (digest, ==, expected);
  study_run (&study);
  study_assert_work (0, 0, 0, 0);
}

static void
test_verify (void)
{
  g_auto (Study) study;
  SegueCacheVerified verified = SEGUE_INIT (SegueCacheVerified);
  g_autoptr (GError) error = NULL;
  study_init (&study);
  study_run (&study);
  segue_cache_verify (study.cache, NULL, &verified, NULL, &error);
  g_assert_no_error (error);
  /* Five songs; five stages with names of metadata and a result each. */
  g_assert_cmpuint (verified.n, ==, 5 + 2 * 5);
  g_assert_cmpuint (verified.n_damaged, ==, 0);
  g_autofree char *results = g_build_filename (study.cache, "results", NULL);
  g_autoptr (GPtrArray) files = study_list (results);
  for (guint i = 0; i < files->len; i++)
    if (g_str_has_suffix (files->pdata[i], "/weights")) {
      g_autofree char *path = g_build_filename (results, files->pdata[i], NULL);
      damage_file (path, NULL, DAMAGE_FLIP);
    }
  SegueCacheVerifyOptions options = SEGUE_INIT (SegueCacheVerifyOptions, .repair = TRUE);
  segue_cache_verify (study.cache, &options, &verified, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (verified.n_damaged, ==, 1);
  g_assert_cmpuint (verified.n_removed, ==, 1);
}

/* ---- An untrusted cache ---- */

static SegueResult *
new_result (const char *file)
{
  SegueResult *result = segue_result_new (KEY);
  SegueTreeFile *entry = g_new0 (SegueTreeFile, 1);
  *entry = (SegueTreeFile){ g_strdup (file), 0, g_strdup (EMPTY) };
  g_ptr_array_add (result->files, entry);
  return result;
}

/* With a header whose checksum is right: only its content is wrong. */
static gboolean
reads_back (const char *folder, SegueResult *result)
{
  g_autoptr (GPtrArray) payloads = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "results", "hostile", NULL);
  for (guint i = 0; i < result->items->len; i++)
    g_ptr_array_add (payloads, NULL);
  segue_result_write (path, result, payloads, NULL, NULL, TRUE, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SegueResult) read = segue_result_read (path, KEY, &error);
  g_assert_true (read || g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_DATA));
  return read != NULL;
}

static void
test_hostile_names (void)
{
  static const char *const bad[] = { "",          "/",     "/etc/passwd", "..",          "../x",
                                     "a/../../x", "a/..",  "./a",         ".",           "a//b",
                                     "a/",        "a/./b", "../../../",   "model/../..", "a/../b" };
  static const char *const good[] = {
    "a", "a/b", "model/weights", "..a", "a..", "a b", "…", "-rf"
  };
  g_autofree char *folder = g_dir_make_tmp ("segue-hostile-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (SegueResult) result = new_result (bad[i]);
    g_assert_false (reads_back (folder, result));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (SegueResult) result = new_result (good[i]);
    g_assert_true (reads_back (folder, result));
  }
  /* A file that is a folder, two of one name, out of order. */
  static const char *const pairs[][2] = { { "a", "a/b" }, { "a", "a" }, { "b", "a" } };
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autoptr (SegueResult) result = new_result (pairs[i][0]);
    SegueTreeFile *entry = g_new0 (SegueTreeFile, 1);
    *entry = (SegueTreeFile){ g_strdup (pairs[i][1]), 0, g_strdup (EMPTY) };
    g_ptr_array_add (result->files, entry);
    g_assert_false (reads_back (folder, result));
  }
  g_autofree char *evil = g_build_filename (folder, "x", NULL);
  g_assert_false (g_file_test (evil, G_FILE_TEST_EXISTS));
  segue_file_remove_folder (folder, NULL);
}

static SegueResult *
new_with_item (SegueResultItem item)
{
  SegueResult *result = segue_result_new (KEY);
  item.form.suffix = g_strdup ("x");
  item.key = g_strdup (item.key ? item.key : KEY);
  item.path = g_strdup (item.path);
  item.form.delta = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_array_append_val (result->items, item);
  return result;
}

static void
test_hostile_items (void)
{
  static const SegueResultItem bad[] = {
    { .form = { .origin = -2, .kind = SEGUE_KIND_MODEL } },
    { .form = { .origin = 0, .kind = SEGUE_KIND_MODEL } }, /* an id that does not derive */
    { .form = { .origin = -1, .kind = SEGUE_KIND_MODEL }, .path = (char *) "../x" },
    { .form = { .origin = -1, .kind = SEGUE_KIND_MODEL }, .path = (char *) "/etc" },
    { .form = { .origin = -1, .kind = SEGUE_KIND_METRICS, .length = 1 } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_FILE }, .path = (char *) "a" },
    { .form = { .origin = -1, .kind = SEGUE_KIND_ANY } },
    { .form = { .origin = -1, .kind = 99 } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_AUDIO }, .passed = TRUE },
    { .form = { .origin = -1, .kind = SEGUE_KIND_AUDIO, .rate = 1, .channels = 1, .length = 4 } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_AUDIO, .rate = 0, .channels = 1 } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_AUDIO, .rate = 1, .channels = 1, .offset = 1 } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_TENSOR, .rank = 2, .shape = { G_MAXSIZE, 8 } } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_TENSOR, .rank = 1, .shape = { 1 } } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_TENSOR, .dtype = 77 } },
    { .form = { .origin = -1, .kind = SEGUE_KIND_MODEL }, .key = (char *) "no key" },
  };
  g_autofree char *folder = g_dir_make_tmp ("segue-hostile-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (SegueResult) result = new_with_item (bad[i]);
    g_assert_false (reads_back (folder, result));
  }
  g_autoptr (SegueResult) good =
    new_with_item ((SegueResultItem){ .form = { .origin = -1, .kind = SEGUE_KIND_MODEL } });
  g_assert_true (reads_back (folder, good));
  segue_file_remove_folder (folder, NULL);
}

/* Links in a result's folder are followed neither to read nor to write. */
static void
test_links (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("segue-links-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "result", NULL);
  g_autofree char *outside = g_build_filename (folder, "outside", NULL);
  g_autofree char *source = g_build_filename (folder, "source", NULL);
  g_autofree char *to = g_build_filename (folder, "to", NULL);
  g_autofree char *secret = g_build_filename (outside, "b", NULL);
  g_autofree char *inner = g_build_filename (source, "a", NULL);
  g_autofree char *file = g_build_filename (inner, "b", NULL);
  segue_file_make_folder (outside, NULL);
  segue_file_make_folder (inner, NULL);
  g_assert_true (g_file_set_contents (secret, "", 0, NULL));
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_autoptr (SegueResult) result = new_result ("a/b");
  g_autoptr (GPtrArray) payloads = g_ptr_array_new ();
  segue_result_write (path, result, payloads, source, NULL, FALSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (segue_result_copy_files (path, result, to, NULL, NULL, &error));

  g_autofree char *stored = g_build_filename (path, "files", "a", NULL);
  segue_file_remove_folder (stored, NULL);
  g_assert_cmpint (symlink (outside, stored), ==, 0);
  g_autofree char *second = g_build_filename (folder, "second", NULL);
  g_assert_false (segue_result_copy_files (path, result, second, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_false (g_file_test (second, G_FILE_TEST_EXISTS));

  /* A link in place of a result is replaced, not followed. */
  static const char *const names[] = { "label", NULL };
  g_autofree char *link = g_build_filename (folder, "link", NULL);
  g_assert_cmpint (symlink (outside, link), ==, 0);
  g_assert_null (segue_result_read (link, KEY, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_true (segue_result_write_reads (link, KEY, names, &error));
  g_assert_false (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_autoptr (GPtrArray) there = study_list (outside);
  g_assert_cmpuint (there->len, ==, 1);
  segue_file_remove_folder (folder, NULL);
}

/* A file with the same bytes is linked if it has the size of the file, and is one. */
static void
test_twins (void)
{
  static const struct {
    const char *name;
    gboolean linked;
  } twins[] = { { "twin", TRUE }, { "longer", FALSE }, { "alias", FALSE }, { "missing", FALSE } };
  g_autofree char *folder = g_dir_make_tmp ("segue-twins-XXXXXX", NULL);
  g_autofree char *source = g_build_filename (folder, "source", NULL);
  g_autofree char *inner = g_build_filename (source, "a", NULL);
  g_autofree char *file = g_build_filename (inner, "b", NULL);
  g_autofree char *twin = g_build_filename (folder, "twin", NULL);
  g_autofree char *longer = g_build_filename (folder, "longer", NULL);
  g_autofree char *alias = g_build_filename (folder, "alias", NULL);
  segue_file_make_folder (inner, NULL);
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_true (g_file_set_contents (twin, "", 0, NULL));
  g_assert_true (g_file_set_contents (longer, "x", 1, NULL));
  g_assert_cmpint (symlink (twin, alias), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (twins); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_strdup_printf ("%s/result-%u", folder, i);
    g_autofree char *stored = g_build_filename (path, "files", "a", "b", NULL);
    g_autofree char *known = g_build_filename (folder, twins[i].name, NULL);
    g_autoptr (GPtrArray) payloads = g_ptr_array_new ();
    g_autoptr (SegueResult) result = new_result ("a/b");
    g_autoptr (GHashTable) by_key = g_hash_table_new (g_str_hash, g_str_equal);
    g_hash_table_insert (by_key, (gpointer) EMPTY, known);
    segue_result_write (path, result, payloads, source, by_key, FALSE, NULL, &error);
    g_assert_no_error (error);
    struct stat one, other;
    g_assert_cmpint (stat (stored, &one), ==, 0);
    g_assert_cmpint (one.st_size, ==, 0);
    gboolean linked = stat (known, &other) == 0 && one.st_ino == other.st_ino;
    g_assert_true (linked == twins[i].linked);
  }
  segue_file_remove_folder (folder, NULL);
}

/* Of two that write the same result the first stays, whatever the second would have. */
static void
test_first_wins (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("segue-first-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "result", NULL);
  g_autoptr (GPtrArray) payloads = g_ptr_array_new ();
  for (guint i = 0; i < 3; i++) {
    g_autoptr (SegueResult) result = segue_result_new (KEY);
    g_autofree char *text = g_strdup_printf ("writer %u", i);
    SegueResultLine line = { .level = 1, .text = g_ref_string_new (text) };
    g_array_append_val (result->lines, line);
    segue_result_write (path, result, payloads, NULL, NULL, i == 2, NULL, &error);
    g_assert_no_error (error);
    g_autoptr (SegueResult) read = segue_result_read (path, KEY, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (g_array_index (read->lines, SegueResultLine, 0).text, ==,
                     i == 2 ? "writer 2" : "writer 0");
  }
  /* Nothing is left next to it. */
  g_autoptr (GDir) entries = g_dir_open (folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (entries), ==, "result");
  g_assert_null (g_dir_read_name (entries));
  segue_file_remove_folder (folder, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/result-files/damage", test_damage);
  g_test_add_func ("/result-files/killed", test_killed);
  g_test_add_func ("/result-files/verify", test_verify);
  g_test_add_func ("/result-files/hostile-names", test_hostile_names);
  g_test_add_func ("/result-files/hostile-items", test_hostile_items);
  g_test_add_func ("/result-files/links", test_links);
  g_test_add_func ("/result-files/twins", test_twins);
  g_test_add_func ("/result-files/first-wins", test_first_wins);
  return g_test_run ();
}
