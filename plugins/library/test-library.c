/* Both stages on synthetic vectors: what they write, the same bytes for any number of threads, input that they refuse. */
#include "assert-text.h"
#include "space.h"

#include <segue/file.h>
#include <segue/nn/safetensors.h>
#include <segue/plugin.h>
#include <segue/random.h>
#include <segue/tensor.h>
#include <segue/testing.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

#define WIDTH    12
#define SEGMENTS 3

static SegueItem *
make_segment (const char *song, guint number, const char *label, const float *values, guint rank)
{
  g_autofree char *suffix = g_strdup_printf ("%04u", number);
  g_autoptr (SegueItem) file = segue_item_new_file (song, "/nowhere");
  g_autoptr (GBytes) bytes = g_bytes_new (values, WIDTH * sizeof (float));
  const gsize shape[] = { rank > 1 ? 1 : WIDTH, WIDTH };
  segue_item_set_string (file, SEGUE_META_SOURCE, "/nowhere/100%25.mp3");
  segue_item_set_string (file, "title", song);
  if (label)
    segue_item_set_string (file, SEGUE_META_LABEL, label);
  SegueItem *item =
    segue_item_new_tensor (SEGUE_KIND_TENSOR, file, suffix, bytes, SEGUE_DTYPE_F32, rank, shape);
  segue_item_set_double (item, SEGUE_META_START, 10.0 + 5.0 * number);
  return item;
}

/* (transfer full): songs of @n_labels labels, whose vectors differ by @label and a little by song; @spread 0: all are
 * equal. */
static GPtrArray *
make_songs (guint n_songs, guint n_labels, float spread)
{
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < n_songs * SEGMENTS; i++) {
    guint song = i / SEGMENTS, label = song % n_labels;
    float values[WIDTH];
    for (guint j = 0; j < WIDTH; j++)
      values[j] = 3.0F + spread * (float) (4.0 * segue_random_uniform (1, label * WIDTH + j) +
                                           segue_random_uniform (2, i * WIDTH + j));
    g_autofree char *id = g_strdup_printf ("%03u by Label %u.mp3", song, label);
    g_autofree char *name = g_strdup_printf ("Label %u", label);
    g_ptr_array_add (items, make_segment (id, i % SEGMENTS, name, values, 1));
  }
  return items;
}

static SegueHarness *
make_harness (const char *stage, GPtrArray *items)
{
  const char *config = g_str_equal (stage, "map") ? "{ play: nothing }" : "{}";
  SegueHarness *harness = segue_harness_new (segue_plugin_query (), stage, config);
  segue_harness_set_input (harness, "vectors", (SegueItem *const *) items->pdata, items->len);
  return harness;
}

static char *
read_file (SegueHarness *harness, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (harness), "output", name, NULL);
  char *text = segue_file_read (path, 1 << 24, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
test_library (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = make_songs (9, 3, 1.0F);
  g_autoptr (SegueHarness) harness = make_harness ("library", items);
  g_assert_true (segue_harness_run (harness, &error));
  g_autofree char *head = read_file (harness, "library/library.json");
  g_autofree char *songs = read_file (harness, "library/songs.jsonl");
  assert_has (head, "\"songs\": 9");
  assert_has (head, "\"segments\": 27");
  g_assert_true (g_str_has_prefix (songs,
                                   "{\"id\":\"000 by Label 0.mp3\",\"segments\":3,"
                                   "\"source\":\"/nowhere/100%25.mp3\",\"label\":\"Label 0\","));

  g_autofree char *path = g_build_filename (segue_harness_get_folder (harness), "output",
                                            "library/library.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  const SegueTensorInfo *info = segue_safetensors_lookup (file, "vectors");
  g_assert_cmpuint (info->shape[0], ==, 27);
  g_assert_cmpuint (info->shape[1], ==, WIDTH);
  g_autofree float *rows = g_new (float, info->n_elements);
  g_assert_true (segue_safetensors_read_f32 (file, "vectors", 2, info->shape, rows, &error));
  for (gsize i = 0; i < 27; i++) {
    double square = 0;
    for (gsize j = 0; j < WIDTH; j++)
      square += (double) rows[i * WIDTH + j] * (double) rows[i * WIDTH + j];
    g_assert_cmpfloat_with_epsilon (square, 1, 1e-5);
  }
}

/* Reads a tensor of float32 whose size is known. */
static void
read_tensor (SegueSafetensors *file, const char *name, gsize rows, gsize columns, float *out)
{
  g_autoptr (GError) error = NULL;
  const gsize shape[] = { rows, columns };
  gboolean ok = columns > 0 ? segue_safetensors_read_f32 (file, name, 2, shape, out, &error)
                            : segue_safetensors_read_f32 (file, name, 1, shape, out, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

/* Component @k of @item, as README.md defines it. */
static double
project (const SegueItem *item, const float *mean, const float *deviation, const float *row)
{
  const float *x = g_bytes_get_data (segue_item_get_bytes (item), NULL);
  double sum = 0;
  for (guint c = 0; c < WIDTH; c++)
    sum += (double) ((x[c] - mean[c]) / deviation[c]) * (double) row[c];
  return sum;
}

/* Rows of the projection are orthogonal; the variance of a component is 1 / ‖row‖²: the root of that along the row's
 * direction. Vectors are the projected segments, of length 1. */
static void
test_projection (void)
{
  enum { N = 60 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = make_songs (N / SEGMENTS, 4, 1.0F);
  g_autoptr (SegueHarness) harness = make_harness ("library", items);
  g_assert_true (segue_harness_run (harness, &error));
  g_autofree char *path = g_build_filename (segue_harness_get_folder (harness), "output",
                                            "library/library.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  float mean[WIDTH], deviation[WIDTH], projection[WIDTH * WIDTH], vectors[N * WIDTH];
  double z[N][WIDTH];
  read_tensor (file, "mean", WIDTH, 0, mean);
  read_tensor (file, "deviation", WIDTH, 0, deviation);
  read_tensor (file, "projection", WIDTH, WIDTH, projection);
  read_tensor (file, "vectors", N, WIDTH, vectors);
  for (guint k = 0; k < WIDTH; k++) {
    double variance = 0, square = 0;
    for (guint i = 0; i < N; i++) {
      z[i][k] = project (g_ptr_array_index (items, i), mean, deviation, projection + k * WIDTH);
      variance += z[i][k] * z[i][k] / N;
    }
    for (guint c = 0; c < WIDTH; c++)
      square += (double) projection[k * WIDTH + c] * (double) projection[k * WIDTH + c];
    g_assert_cmpfloat_with_epsilon (variance * square, 1, 1e-3);
    for (guint l = 0; l < k; l++) {
      double product = 0;
      for (guint c = 0; c < WIDTH; c++)
        product += (double) projection[k * WIDTH + c] * (double) projection[l * WIDTH + c];
      g_assert_cmpfloat_with_epsilon (product, 0, 1e-4 * square);
    }
  }
  for (guint i = 0; i < N; i++) {
    double length = 0;
    for (guint k = 0; k < WIDTH; k++)
      length += z[i][k] * z[i][k];
    for (guint k = 0; k < WIDTH; k++)
      g_assert_cmpfloat_with_epsilon ((double) vectors[i * WIDTH + k], z[i][k] / sqrt (length),
                                      1e-4);
  }
}

static void
assert_same_files (const char *stage, const char *name, GPtrArray *items)
{
  g_autofree char *first = NULL;
  for (guint threads = 1; threads <= 8; threads = threads == 1 ? 2 : 4 * threads) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness = make_harness (stage, items);
    segue_harness_set_threads (harness, threads);
    g_assert_true (segue_harness_run (harness, &error));
    g_autofree char *text = read_file (harness, name);
    if (first)
      g_assert_cmpstr (text, ==, first);
    else
      first = g_steal_pointer (&text);
  }
}

static void
test_map (void)
{
  g_autoptr (GPtrArray) items = make_songs (60, 4, 1.0F);
  assert_same_files ("map", "map/data.js", items);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = make_harness ("map", items);
  g_assert_true (segue_harness_run (harness, &error));
  g_autofree char *page = read_file (harness, "map/index.html");
  g_autofree char *data = read_file (harness, "map/data.js");
  assert_has (page, "<script src=\"data.js\"></script>");
  g_assert_true (g_str_has_prefix (data, "window.segueMap={\"labels\":[\n[\"Label 0\",15],\n"));
  g_assert_cmpint (segue_harness_get_count (harness, "songs"), ==, 60);
}

/* One song, few songs, songs that sound all the same. */
static void
test_degenerate (void)
{
  static const struct {
    guint n, labels;
    float spread;
  } cases[] = { { 1, 1, 1.0F }, { 2, 1, 1.0F }, { 3, 3, 1.0F }, { 40, 2, 0.0F }, { 1, 1, 0.0F } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) items = make_songs (cases[i].n, cases[i].labels, cases[i].spread);
    static const char *const stages[] = { "library", "map" };
    for (gsize s = 0; s < G_N_ELEMENTS (stages); s++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueHarness) harness = make_harness (stages[s], items);
      segue_harness_run (harness, &error);
      g_assert_no_error (error);
    }
  }
}

static void
assert_refused (GPtrArray *items, const char *says)
{
  static const char *const stages[] = { "library", "map" };
  for (gsize s = 0; s < G_N_ELEMENTS (stages); s++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness = make_harness (stages[s], items);
    g_assert_false (segue_harness_run (harness, &error));
    assert_has (error->message, says);
  }
}

static void
test_refused (void)
{
  float values[WIDTH] = { 1, 2, 3 };
  g_autoptr (GPtrArray) frames = make_songs (2, 1, 1.0F);
  g_ptr_array_set_size (frames, 0);
  g_ptr_array_add (frames, make_segment ("a.mp3", 0, NULL, values, 2));
  assert_refused (frames, "`pool`");

  g_autoptr (GPtrArray) none = make_songs (1, 1, 1.0F);
  g_ptr_array_set_size (none, 0);
  assert_refused (none, "there are no vectors");
}

/* Names are text in the page's data, whatever is in them. */
static void
test_names (void)
{
  static const char *const hostile = "</script><script>alert(1)</script>\"\\ \u2028 \u202e 방탄";
  float values[WIDTH] = { 1, 2, 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = make_songs (1, 1, 1.0F);
  g_ptr_array_add (items, make_segment (hostile, 0, hostile, values, 1));
  g_autoptr (SegueHarness) harness = make_harness ("map", items);
  g_assert_true (segue_harness_run (harness, &error));
  g_autofree char *data = read_file (harness, "map/data.js");
  for (const char *p = data; *p; p++)
    g_assert_true (*p == '\n' || g_ascii_isprint (*p));
  assert_has (data, "alert(1)");
  assert_has (data, "\\u2028");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/library/files", test_library);
  g_test_add_func ("/library/projection", test_projection);
  g_test_add_func ("/library/map", test_map);
  g_test_add_func ("/library/degenerate", test_degenerate);
  g_test_add_func ("/library/refused", test_refused);
  g_test_add_func ("/library/names", test_names);
  return g_test_run ();
}
