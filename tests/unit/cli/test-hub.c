/* Names, folders, addresses and headers of the Hugging Face Hub. */
#include "assert-text.h"
#include "base/hub-cache.h"
#include "hub-url.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <segue/model.h>
#include <string.h>
#include <unistd.h>

#define COMMIT "1111111111111111111111111111111111111111"
#define SHA256 COMMIT "222222222222222222222222"

static void
test_names (void)
{
  g_auto (SegueHubName) name = { 0 };
  g_assert_true (segue_hub_name_parse ("ntu-spml/distilhubert", &name));
  g_assert_cmpstr (name.repo, ==, "ntu-spml/distilhubert");
  g_assert_cmpstr (name.revision, ==, "main");
  segue_hub_name_clear (&name);
  g_assert_true (segue_hub_name_parse ("a/b_1.0@refs/pr/7", &name));
  g_assert_cmpstr (name.repo, ==, "a/b_1.0");
  g_assert_cmpstr (name.revision, ==, "refs/pr/7");

  static const char *const bad[] = { "",       "a",    "a/",     "/a",    "a/b/c",    "../a",
                                     "a/..",   ".a/b", "a/.b",   "-a/b",  "a--b/c",   "a/b..c",
                                     "a b/c",  "a/b@", "a/b@..", "a/b@/", "a/b@x//y", "a\n/b",
                                     "a/b\\c", "ä/b",  "a/b@a b" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    SegueHubName none = { 0 };
    g_assert_false (segue_hub_name_parse (bad[i], &none));
    g_assert_null (none.repo);
  }
  g_assert_true (segue_hub_is_file ("onnx/model v2.json"));
  static const char *const bad_files[] = { "",   ".",    "..",   "a/../b", "/a",
                                           "a/", "a//b", "a\\b", "\xff" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++)
    g_assert_false (segue_hub_is_file (bad_files[i]));
  g_assert_true (segue_hub_is_commit (COMMIT));
  g_assert_false (segue_hub_is_commit ("main"));
  g_assert_false (segue_hub_is_commit (COMMIT "1"));
  g_assert_false (segue_hub_is_commit ("111111111111111111111111111111111111111G"));
}

static const char *const variables[] = { "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME",
                                         "XDG_CACHE_HOME", "HF_ENDPOINT" };

static void
clear_environment (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

static void
test_folders (void)
{
  clear_environment ();
  g_autofree char *home = g_build_filename (g_get_home_dir (), ".cache/huggingface/hub", NULL);
  assert_text (segue_hub_cache_folder (), home);
  g_setenv ("XDG_CACHE_HOME", "/x", TRUE);
  assert_text (segue_hub_cache_folder (), "/x/huggingface/hub");
  g_setenv ("HF_HOME", "/h", TRUE);
  assert_text (segue_hub_cache_folder (), "/h/hub");
  g_setenv ("HUGGINGFACE_HUB_CACHE", "/old", TRUE);
  assert_text (segue_hub_cache_folder (), "/old");
  g_setenv ("HF_HUB_CACHE", "~/new", TRUE);
  g_autofree char *in_home = g_build_filename (g_get_home_dir (), "new", NULL);
  assert_text (segue_hub_cache_folder (), in_home);
  g_setenv ("HF_HUB_CACHE", "", TRUE);
  assert_text (segue_hub_cache_folder (), "/old");
  assert_text (segue_hub_repo_folder ("/c", "org/name"), "/c/models--org--name");
}

static void
assert_unresolved (const char *ref, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = segue_model_ref_resolve (ref, &error);
  g_assert_null (folder);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  if (!strstr (error->message, says))
    g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, says));
}

static void
test_resolve (void)
{
  clear_environment ();
  g_autofree char *cache = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  g_setenv ("HF_HUB_CACHE", cache, TRUE);
  g_autofree char *repo = g_build_filename (cache, "models--org--name", NULL);
  g_autofree char *snapshot = g_build_filename (repo, "snapshots", COMMIT, NULL);
  g_autofree char *refs = g_build_filename (repo, "refs", NULL);
  g_autofree char *ref = g_build_filename (refs, "main", NULL);
  assert_unresolved ("org/name", "segue fetch org/name");

  g_assert_cmpint (g_mkdir_with_parents (snapshot, 0777), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (refs, 0777), ==, 0);
  g_assert_true (g_file_set_contents (ref, COMMIT "\n", -1, NULL));
  g_autoptr (GError) error = NULL;
  assert_text (segue_model_ref_resolve ("org/name", &error), snapshot);
  assert_text (segue_model_ref_resolve ("org/name@" COMMIT, &error), snapshot);
  assert_text (segue_model_ref_resolve (snapshot, &error), snapshot);
  g_assert_no_error (error);
  assert_unresolved ("org/name@v2", "segue fetch org/name --revision v2");
  assert_unresolved ("org/other", "segue fetch org/other");
  assert_unresolved ("../org", "no model folder");
  assert_unresolved (ref, "is a file");
  assert_unresolved ("what is this", "neither");

  /* The content of a reference is not trusted. */
  static const char *const hostile[] = { "../../..", "", "main", COMMIT "/.." };
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_assert_true (g_file_set_contents (ref, hostile[i], -1, NULL));
    g_autofree char *none = segue_model_ref_resolve ("org/name", &error);
    g_assert_null (none);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_clear_error (&error);
  }
  g_assert_true (g_file_set_contents (ref, COMMIT "\0x", sizeof COMMIT + 1, NULL));
  g_assert_null (segue_model_ref_resolve ("org/name", NULL));
  segue_file_remove_folder (cache, NULL);
}

/* A plain name is that of an installed model; a folder of that name here comes first. */
static void
test_installed (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *models = g_build_filename (g_get_user_data_dir (), "segue", "models", NULL);
  g_autofree char *folder = g_build_filename (models, "some-encoder", NULL);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  assert_text (segue_model_ref_resolve ("some-encoder", &error), folder);
  g_assert_no_error (error);
  assert_unresolved ("other-encoder", models);
  assert_unresolved ("other-encoder", "such as ntu-spml/distilhubert");
  assert_unresolved ("", "neither");
}

static void
test_addresses (void)
{
  clear_environment ();
  assert_text (segue_hub_endpoint (NULL), "https://huggingface.co");
  g_setenv ("HF_ENDPOINT", "http://127.0.0.1:8080/hub/", TRUE);
  assert_text (segue_hub_endpoint (NULL), "http://127.0.0.1:8080/hub");
  static const char *const bad[] = { "huggingface.co", "ftp://x",      "file:///x", "http://",
                                     "http://u:p@x",   "http://x?y=z", "http://x#y" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_setenv ("HF_ENDPOINT", bad[i], TRUE);
    g_autoptr (GError) error = NULL;
    g_assert_null (segue_hub_endpoint (&error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
    g_assert_null (strstr (error->message, "u:p"));
  }
  assert_text (segue_hub_file_url ("https://h", "a/b", "refs/pr/1", "x y/ü?#.json"),
               "https://h/a/b/resolve/refs%2Fpr%2F1/x%20y/%C3%BC%3F%23.json");
  g_assert_true (segue_hub_same_origin ("https://h/a", "https://H:443/b?c"));
  g_assert_false (segue_hub_same_origin ("https://h/a", "http://h/a"));
  g_assert_false (segue_hub_same_origin ("https://h/a", "https://h:444/a"));
  g_assert_false (segue_hub_same_origin ("https://h/a", "https://h.evil/a"));
  g_assert_false (segue_hub_same_origin ("https://h/a", "https://h@evil/a"));
  g_assert_true (segue_hub_may_carry_token ("https://h/"));
  g_assert_true (segue_hub_may_carry_token ("http://127.0.0.1:1/"));
  g_assert_false (segue_hub_may_carry_token ("http://h/"));
}

static void
test_redirects (void)
{
  assert_text (segue_hub_redirect ("https://h/a/b", "/c?d=e%2Ff", NULL), "https://h/c?d=e%2Ff");
  assert_text (segue_hub_redirect ("https://h/a/b", "https://cdn/x?s=a%2Bb&t=%3D", NULL),
               "https://cdn/x?s=a%2Bb&t=%3D");
  assert_text (segue_hub_redirect ("http://h/a", "https://h/a", NULL), "https://h/a");
  static const char *const bad[] = { "http://h/a", "file:///etc/passwd",
                                     "ftp://h/",   "https://u:p@h/",
                                     "//",         "https://" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *none = segue_hub_redirect ("https://h/a", bad[i], &error);
    g_assert_null (none);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE);
  }
}

static void
test_headers (void)
{
  assert_text (segue_hub_etag ("\"" COMMIT "\""), COMMIT);
  assert_text (segue_hub_etag (" W/\"" COMMIT "\" "), COMMIT);
  assert_text (segue_hub_etag (SHA256), SHA256);
  assert_text (segue_hub_etag ("ABCDEF1111111111111111111111111111111111"),
               "abcdef1111111111111111111111111111111111");
  static const char *const bad[] = {
    "", "\"", "\"\"", "W/", "../" COMMIT, COMMIT "1", "..11111111111111111111111111111111111111"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (segue_hub_etag (bad[i]));

  guint64 a = 0, b = 0;
  g_assert_true (segue_hub_content_range ("bytes 5-9/10", &a, &b));
  g_assert_cmpuint (a, ==, 5);
  g_assert_cmpuint (b, ==, 10);
  static const char *const ranges[] = { "",
                                        "bytes",
                                        "bytes */10",
                                        "bytes 5-10/10",
                                        "bytes 9-5/10",
                                        "bytes 5-9/*",
                                        "bytes -5-9/10",
                                        "items 5-9/10",
                                        "bytes 5-9/10x",
                                        "bytes 5-99999999999999999999/10" };
  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    g_assert_false (segue_hub_content_range (ranges[i], &a, &b));
  g_assert_true (segue_hub_size (" 12 ", &a));
  g_assert_cmpuint (a, ==, 12);
  static const char *const sizes[] = {
    "", "-1", "+1", "1.5", "1e3", "12a", "99999999999999999999"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    g_assert_false (segue_hub_size (sizes[i], &a));
}

int
main (int argc, char **argv)
{
  /* Not G_TEST_OPTION_ISOLATE_DIRS, which leaks. */
  g_autofree char *data = g_dir_make_tmp ("segue-hub-XXXXXX", NULL);
  g_setenv ("XDG_DATA_HOME", data, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hub/names", test_names);
  g_test_add_func ("/hub/folders", test_folders);
  g_test_add_func ("/hub/resolve", test_resolve);
  g_test_add_func ("/hub/installed", test_installed);
  g_test_add_func ("/hub/addresses", test_addresses);
  g_test_add_func ("/hub/redirects", test_redirects);
  g_test_add_func ("/hub/headers", test_headers);
  int status = g_test_run ();
  segue_file_remove_folder (data, NULL);
  return status;
}
