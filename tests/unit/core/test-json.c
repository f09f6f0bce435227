/* Untrusted JSON: its cost is known before it is parsed. */
#include <glib/gstdio.h>
#include <malloc.h>
#include <segue/error.h>
#include <segue/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024)

static gsize used, most; /* bytes allocated by jansson, with malloc's overhead */

static void *
count_malloc (size_t size)
{
  void *memory = malloc (size);
  used += memory ? malloc_usable_size (memory) + sizeof (gsize) : 0;
  most = MAX (most, used);
  return memory;
}

static void
count_free (void *memory)
{
  used -= memory ? malloc_usable_size (memory) + sizeof (gsize) : 0;
  free (memory);
}

/* "@before @part,@part,… @after", @n parts. */
static GString *
repeat (const char *before, const char *part, guint n, const char *after)
{
  GString *text = g_string_sized_new (strlen (part) * n + n + 64);
  g_string_append (text, before);
  for (guint i = 0; i < n; i++)
    g_string_append (g_string_append (text, i > 0 ? "," : ""), part);
  g_string_append (text, after);
  return text;
}

/* An object of @n members with different keys. */
static GString *
many_keys (guint n, const char *value)
{
  GString *text = g_string_new ("{");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s\"%x\":%s", i > 0 ? "," : "", i, value);
  return g_string_append_c (text, '}');
}

static json_t *
parse (GString *text, SegueJsonKind kind, GError **error)
{
  most = used = 0;
  return segue_json_parse (text->str, (gssize) text->len, "b.json", kind, NULL, error);
}

/* Whether accepted or refused, no kind of document needs more than 64 MiB. */
static void
assert_bounded (GString *text, SegueJsonKind kind)
{
  g_autoptr (GError) error = NULL;
  json_t *root = parse (text, kind, &error);
  if (root)
    g_assert_no_error (error);
  else
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  if (most > 0 && text->len + most > 64 * MIB)
    g_error ("%" G_GSIZE_FORMAT " bytes of text and %" G_GSIZE_FORMAT " of memory", text->len,
             most);
  json_decref (root);
  g_assert_cmpuint (used, ==, 0);
}

static void
test_memory (void)
{
  json_set_alloc_funcs (count_malloc, count_free);
  for (guint kind = SEGUE_JSON_WEIGHTS; kind <= SEGUE_JSON_SERVED; kind += 2) {
    /* Up to the limits of the kind and beyond. */
    for (guint n = 1000; n <= 625000; n *= 5) {
      static const char *const parts[] = { "{}",         "[]",       "0",      "1.5",
                                           "\"\"",       "{\"\":0}", "[[[]]]", "\"\\u00e4\"",
                                           "{\"a\":{}}", "null" };
      for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
        GString *text = repeat ("{\"a\":[", parts[i], n, "]}");
        assert_bounded (text, kind);
        g_string_free (text, TRUE);
      }
    }
    for (guint n = 1000; n <= 250000; n *= 5) {
      GString *text = many_keys (n, n % 3 ? "{}" : "0");
      assert_bounded (text, kind);
      g_string_free (text, TRUE);
    }
  }
  json_set_alloc_funcs (malloc, free);
}

static void
refuse (GString *text, SegueJsonKind kind, const char *part)
{
  g_autoptr (GError) error = NULL;
  json_set_alloc_funcs (count_malloc, count_free);
  g_assert_null (parse (text, kind, &error));
  json_set_alloc_funcs (malloc, free);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  if (!strstr (error->message, part) || strchr (error->message, '\n'))
    g_error ("“%s” is not in: %s", part, error->message);
  g_assert_cmpuint (most, <, 4 * MIB);
  g_string_free (text, TRUE);
}

static void
test_limits (void)
{
  /* Refused before anything is allocated; position and limit are reported. */
  refuse (repeat ("{\"a\":[\n", "{}", 2780000, "]}"), SEGUE_JSON_SETTINGS,
          "the document needs more than 40 MiB of memory (limit for settings)");
  refuse (repeat ("{\"a\":[\n", "{}", 3000000, "]}"), SEGUE_JSON_SETTINGS,
          "more than 8388608 bytes");
  refuse (repeat ("", "[", 1000000, ""), SEGUE_JSON_WEIGHTS, ":1:");
  GString *deep = g_string_new (NULL);
  for (guint i = 0; i < 33; i++)
    g_string_append (deep, "[");
  refuse (deep, SEGUE_JSON_SETTINGS, "b.json:1:33: brackets are nested more than 32 deep");
  refuse (repeat ("[\"", "xxxxxxxxxxxxxxx", 100000, "\"]"), SEGUE_JSON_SETTINGS,
          ":1:2: a string is longer than 1048576 bytes");
  g_autofree char *digits = g_strnfill (2000, '1');
  refuse (repeat ("[\n", digits, 1, "]"), SEGUE_JSON_METRICS,
          ":2:1: a number is longer than 1024 characters");
  refuse (g_string_new ("{\"a\": 1, \"a\": 2}"), SEGUE_JSON_SETTINGS, "duplicate");
  refuse (g_string_new ("{\"a\": \"\\"), SEGUE_JSON_SETTINGS, ":1:");
  refuse (g_string_new ("{\"a\": \"\xff\"}"), SEGUE_JSON_SETTINGS, ":1:");
  refuse (g_string_new (""), SEGUE_JSON_SETTINGS, "not valid JSON");
  refuse (g_string_new ("7"), SEGUE_JSON_SETTINGS, "not valid JSON");
}

/* Twenty thousand labels fit into settings, ten thousand tensors into weights. */
static void
test_real (void)
{
  g_autoptr (GError) error = NULL;
  GString *labels = many_keys (20000, "\"An artist with quite a long name\"");
  json_t *root = parse (labels, SEGUE_JSON_SETTINGS, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (json_object_size (root), ==, 20000);
  json_decref (root);
  g_string_free (labels, TRUE);
  GString *tensors =
    many_keys (10000, "{\"dtype\":\"F32\",\"shape\":[1024,1024],\"data_offsets\":[0,4194304]}");
  root = parse (tensors, SEGUE_JSON_WEIGHTS, &error);
  g_assert_no_error (error);
  json_decref (root);
  g_string_free (tensors, TRUE);
}

/* A skipped value costs nothing, at any position; the key's text as a value is not such a key. */
static void
test_unread (void)
{
  g_autoptr (GError) error = NULL;
  GString *matrix = repeat ("{\"x\": \"confusion\", \"test\": {\"confusion\" : {\"segments\": [",
                            "[1,2]", 800000, "]}, \"y\": [\"confusion\", 1]}, \"confusion\": 5}");
  json_t *root = parse (matrix, SEGUE_JSON_METRICS, &error), *test = json_object_get (root, "test");
  g_assert_no_error (error);
  g_assert_true (json_is_null (json_object_get (test, "confusion")));
  g_assert_cmpuint (json_array_size (json_object_get (test, "y")), ==, 2);
  g_assert_cmpint (json_integer_value (json_object_get (root, "confusion")), ==, 5);
  /* The text belongs to the caller, and stays unchanged. */
  g_assert_nonnull (strstr (matrix->str, "[1,2]"));
  json_decref (root);
  g_string_free (matrix, TRUE);
}

static void
test_cancel (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (segue_json_parse ("{}", -1, "a", SEGUE_JSON_SUMMARY, cancellable, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_files (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-json-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "a.json", NULL);
  g_autofree char *link = g_build_filename (folder, "link.json", NULL);
  g_autofree char *fifo = g_build_filename (folder, "fifo.json", NULL);
  g_autofree char *none = g_build_filename (folder, "none.json", NULL);
  GError *error = NULL;
  g_assert_true (g_file_set_contents (file, "{\"a\": 1}", -1, NULL));
  g_assert_cmpint (symlink ("a.json", link), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);

  json_t *root = segue_json_read (link, SEGUE_JSON_SUMMARY, SEGUE_JSON_FOLLOW_LINK, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (json_object_size (root), ==, 1);
  json_decref (root);
  g_assert_null (segue_json_read (link, SEGUE_JSON_SUMMARY, SEGUE_JSON_FLAGS_NONE, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_null (segue_json_read (none, SEGUE_JSON_SUMMARY, SEGUE_JSON_OPTIONAL, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (segue_json_read (none, SEGUE_JSON_SUMMARY, SEGUE_JSON_FLAGS_NONE, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_clear_error (&error);
  g_assert_null (segue_json_read (fifo, SEGUE_JSON_SUMMARY, SEGUE_JSON_OPTIONAL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (file, "[1]", -1, NULL));
  g_assert_null (segue_json_read (file, SEGUE_JSON_SUMMARY, SEGUE_JSON_FLAGS_NONE, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_remove (file);
  g_remove (link);
  g_remove (fifo);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/memory", test_memory);
  g_test_add_func ("/json/limits", test_limits);
  g_test_add_func ("/json/real", test_real);
  g_test_add_func ("/json/unread", test_unread);
  g_test_add_func ("/json/cancel", test_cancel);
  g_test_add_func ("/json/files", test_files);
  return g_test_run ();
}
