/* Names, addresses and headers of a model server: values that pass the checks can't lead outside of the cache, to
 * another protocol, or to an overflow of a number.
 *
 * The input is a name, a file, and a header's value. */
#include "base/hub-cache.h"
#include "hub-url.h"
#include "scratch.h"
#include "standalone.h"

#include <string.h>

/* Whether @below stays in @root when the system resolves it. */
static void
check_below (const char *root, const char *below)
{
  g_autofree char *path = g_build_filename (root, below, NULL);
  g_autofree char *real = g_canonicalize_filename (path, "/");
  g_autofree char *with_slash = g_strconcat (root, "/", NULL);
  g_assert_true (g_str_has_prefix (real, with_slash));
  g_assert_cmpuint (strlen (real), ==, strlen (path));
}

static void
check_names (const char *text, const char *file)
{
  g_auto (SegueHubName) name = { 0 };
  if (segue_hub_name_parse (text, &name)) {
    g_autofree char *folder = segue_hub_repo_folder ("/cache", name.repo);
    check_below ("/cache", folder + strlen ("/cache/"));
    check_below ("/cache/refs", name.revision);
    g_autofree char *url =
      segue_hub_file_url ("https://example.org", name.repo, name.revision, "config.json");
    g_assert_true (segue_hub_same_origin (url, "https://example.org"));
  }
  if (segue_hub_is_file (file)) {
    check_below ("/cache/snapshots/0", file);
    g_autofree char *url = segue_hub_file_url ("https://example.org", "a/b", "main", file);
    g_assert_true (segue_hub_same_origin (url, "https://example.org"));
  }
}

static void
check_headers (const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *etag = segue_hub_etag (value);
  guint64 start, total;
  if (etag)
    g_assert_true (strspn (etag, "0123456789abcdef") == strlen (etag) && strlen (etag) >= 40);
  if (segue_hub_size (value, &total))
    g_assert_cmpuint (total, <, G_MAXINT64);
  if (segue_hub_content_range (value, &start, &total))
    g_assert_true (start < total && total < G_MAXINT64);
  g_autofree char *target = segue_hub_redirect ("https://example.org/a", value, &error);
  if (target)
    g_assert_true (g_str_has_prefix (target, "https://"));
  else
    fuzz_check_error (error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzText texts[3];
  fuzz_split (data, size, texts, 3);
  g_autofree char *name = g_strndup ((const char *) texts[0].data, texts[0].size);
  g_autofree char *file = g_strndup ((const char *) texts[1].data, texts[1].size);
  g_autofree char *value = g_strndup ((const char *) texts[2].data, texts[2].size);
  check_names (name, file);
  check_headers (value);
  return 0;
}
