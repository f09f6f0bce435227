/* Tests of export: vectors as NPY files, one for each song. */
#include <segue/tensor.h>
#include <segue/testing.h>
#include <string.h>

#define WIDTH 3

const SeguePlugin *segue_plugin_query (void);

static void
add (GPtrArray *items, const char *song, const char *label, const char *set, guint n, gsize width)
{
  g_autoptr (SegueItem) whole = segue_item_new_file (song, "/nowhere");
  segue_item_set_string (whole, SEGUE_META_LABEL, label);
  segue_item_set_string (whole, SEGUE_META_SET, set);
  for (guint i = 0; i < n; i++) {
    g_autofree char *suffix = g_strdup_printf ("%04u", i);
    g_autofree float *values = g_new (float, width);
    for (gsize c = 0; c < width; c++)
      values[c] = (float) (10 * i + c) + (float) strlen (song);
    g_autoptr (GBytes) bytes = g_bytes_new (values, width * sizeof (float));
    SegueItem *item =
      segue_item_new_tensor (SEGUE_KIND_TENSOR, whole, suffix, bytes, SEGUE_DTYPE_F32, 1, &width);
    segue_item_set_double (item, SEGUE_META_START, i);
    segue_item_set_double (item, SEGUE_META_DURATION, 1);
    g_ptr_array_add (items, item);
  }
}

static SegueHarness *
run (GPtrArray *items, GError **error)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "export", "{ metadata: true }");
  segue_harness_set_input (harness, "items", (SegueItem *const *) items->pdata, items->len);
  return segue_harness_run (harness, error) ? g_steal_pointer (&harness) : NULL;
}

static char *
read_output (SegueHarness *harness, const char *file, gsize *length)
{
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (harness), "output", file, NULL);
  g_autoptr (GError) error = NULL;
  char *text;
  g_file_get_contents (path, &text, length, &error);
  g_assert_no_error (error);
  return text;
}

static void
test_files (void)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_autoptr (GError) error = NULL;
  add (items, "Mika/Life/One.mp3", "Mika", "train", 2, WIDTH);
  add (items, "Mika/Life/Two.mp3", "Mika", "train", 1, WIDTH);
  add (items, "Queen/Jazz/One.mp3", "Queen", "test", 3, WIDTH);
  g_autoptr (SegueHarness) harness = run (items, &error);
  g_assert_no_error (error);

  gsize length;
  g_autofree char *array = read_output (harness, "data/train/Mika/Life__One.npy", &length);
  static const char preamble[] =
    "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, "
    "'shape': (2, 3), }";
  g_assert_cmpuint (length, ==, 128 + 2 * WIDTH * sizeof (float));
  g_assert_cmpmem (array, sizeof preamble - 1, preamble, sizeof preamble - 1);
  g_assert_cmpint (array[127], ==, '\n');
  for (guint i = 0; i < 2; i++)
    g_assert_cmpmem (array + 128 + i * WIDTH * sizeof (float), WIDTH * sizeof (float),
                     g_bytes_get_data (segue_item_get_bytes (g_ptr_array_index (items, i)), NULL),
                     WIDTH * sizeof (float));

  g_autofree char *rows = read_output (harness, "data/train/metadata.jsonl", &length);
  g_auto (GStrv) lines = g_strsplit (rows, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4); /* 3, and what follows the last */
  g_assert_cmpstr (lines[1], ==,
                   "{\"file_name\":\"Mika/Life__One.npy\",\"label\":\"Mika\",\"song\":"
                   "\"Mika/Life/One.mp3\",\"start\":1.0,\"duration\":1.0,\"row\":1}");
  g_free (read_output (harness, "data/train/Mika/Life__Two.npy", &length));
  g_free (read_output (harness, "data/test/Queen/Jazz__One.npy", &length));
  g_assert_cmpuint (length, ==, 128 + 3 * WIDTH * sizeof (float));
  g_autofree char *card = read_output (harness, "README.md", &length);
  g_assert_nonnull (strstr (card, "np.load"));
  g_assert_nonnull (strstr (card, "| train | 3 |\n"));
  g_assert_null (strstr (card, "audiofolder"));
}

static void
test_shapes_differ (void)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_autoptr (GError) error = NULL;
  add (items, "a/b/c.mp3", "a", "train", 2, WIDTH);
  add (items, "a/b/c.mp3", "a", "train", 1, WIDTH + 1);
  g_autoptr (SegueHarness) harness = run (items, &error);
  g_assert_null (harness);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "differ in shape"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/export-vectors/files", test_files);
  g_test_add_func ("/export-vectors/shapes-differ", test_shapes_differ);
  return g_test_run ();
}
