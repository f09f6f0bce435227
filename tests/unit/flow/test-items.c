/* Items, metadata and datasets in memory. */
#include "base/interned.h"
#include "fake.h"
#include "item/item-error.h"
#include "item/item-private.h"
#include "item/stretch.h"
#include "stage/builder.h"
#include "stage/chain.h"

#include <float.h>
#include <math.h>
#include <segue/file.h>
#include <string.h>

static SegueItem *
make_item (const char *id, const char *label)
{
  const float frames[4] = { 1, 2, 3, 4 };
  g_autoptr (GBytes) bytes = g_bytes_new (frames, sizeof frames);
  SegueItem *item = segue_item_new_audio (NULL, id, bytes, 8000, 2);
  if (label)
    segue_item_set_string (item, SEGUE_META_LABEL, label);
  return item;
}

/* The metadata of @item itself, or including inherited metadata. */
static void
assert_metadata (const SegueItem *item, gboolean own, const char *expected)
{
  g_autoptr (GVariant) values = segue_metadata_to_variant (item->metadata, own);
  g_autofree char *printed = g_variant_print (values, FALSE);
  g_assert_cmpstr (printed, ==, expected);
}

/* Segments share the metadata of their song, unless one of them overrides it. */
static void
test_metadata_shared (void)
{
  g_autoptr (SegueItem) song = segue_item_new_file ("a/b.mp3", "/music/a/b.mp3");
  segue_item_set_string (song, "label", "Mika");
  segue_item_set_string (song, "title", "Lollipop");
  segue_item_seal (song);
  g_autoptr (SegueItem) input = segue_item_copy_as_input (song, NULL, 0);
  g_autoptr (GBytes) frames = g_bytes_new_static ("\0\0\0\0", 4);
  g_autoptr (SegueItem) first = segue_item_new_audio (input, "1", frames, 8000, 1);
  g_autoptr (SegueItem) second = segue_item_new_audio (input, "2", frames, 8000, 1);
  segue_item_set_double (first, "start", 0.5);
  segue_item_set_string (first, "label", "Cher");
  segue_item_set_int (second, "number", 2);
  g_autoptr (SegueItem) part = segue_item_new_audio (first, "x", frames, 8000, 1);
  segue_item_set_string (part, "album", "Life");
  g_autoptr (SegueItem) entry = segue_item_copy_as_entry (part, &part->body->extent);
  g_autoptr (SegueItem) later = segue_item_copy (entry);
  segue_item_set_string (later, "title", "Believe");

  assert_metadata (song, TRUE, "{'label': <'Mika'>, 'title': <'Lollipop'>}");
  assert_metadata (input, TRUE, "{}");
  assert_metadata (input, FALSE, "{'label': <'Mika'>, 'title': <'Lollipop'>}");
  assert_metadata (first, TRUE, "{'label': <'Cher'>, 'start': <0.5>}");
  assert_metadata (first, FALSE, "{'label': <'Cher'>, 'start': <0.5>, 'title': <'Lollipop'>}");
  assert_metadata (second, TRUE, "{'number': <int64 2>}");
  assert_metadata (second, FALSE,
                   "{'label': <'Mika'>, 'number': <int64 2>, 'title': <'Lollipop'>}");
  assert_metadata (part, TRUE, "{'album': <'Life'>, 'label': <'Cher'>, 'start': <0.5>}");
  assert_metadata (entry, TRUE, "{}");
  assert_metadata (entry, FALSE,
                   "{'album': <'Life'>, 'label': <'Cher'>, 'start': <0.5>, 'title': <'Lollipop'>}");
  assert_metadata (later, TRUE, "{'title': <'Believe'>}");
  assert_metadata (later, FALSE,
                   "{'album': <'Life'>, 'label': <'Cher'>, 'start': <0.5>, 'title': <'Believe'>}");
}

static void
test_metadata (void)
{
  g_autoptr (SegueItem) item = make_item ("song", "Anna");
  segue_item_set_double (item, "z", 0.5);
  segue_item_set_int (item, "a", -3);
  segue_item_set_string (item, "odd", "\xff text");
  g_assert_cmpstr (segue_item_get_string (item, "odd"), ==, "\xef\xbf\xbd text");
  g_assert_cmpfloat (segue_item_get_double (item, "z", 7), ==, 0.5);
  g_assert_cmpfloat (segue_item_get_double (item, "a", 7), ==, 7);
  g_assert_cmpint (segue_item_get_int (item, "a", 7), ==, -3);
  g_assert_null (segue_item_get_string (item, "z"));
  g_assert_cmpstr (segue_item_get_string (item, SEGUE_META_SONG), ==, "song");
  segue_item_set_int (item, "a", 4);

  g_autoptr (SegueItem) part =
    segue_item_new_audio (item, "01", segue_item_get_bytes (item), 8000, 2);
  segue_item_set_string (part, SEGUE_META_LABEL, "Ben");
  g_assert_cmpstr (segue_item_get_id (part), ==, "song#01");
  g_assert_cmpstr (segue_item_get_song (part), ==, "song");
  g_assert_cmpint (segue_item_get_int (part, "a", 0), ==, 4);
  g_assert_cmpstr (segue_item_get_string (item, SEGUE_META_LABEL), ==, "Anna");
  g_autoptr (GVariant) all = segue_item_get_metadata (part);
  g_autofree char *printed = g_variant_print (all, FALSE);
  g_assert_cmpstr (printed, ==,
                   "{'a': <int64 4>, 'label': <'Ben'>, 'odd': <'\xef\xbf\xbd text'>, 'z': <0.5>}");
  g_autoptr (SegueItem) copy = make_item ("copy", NULL);
  segue_item_set_metadata (copy, all);
  g_assert_cmpstr (segue_item_get_string (copy, SEGUE_META_LABEL), ==, "Ben");
}

/* Metadata that a chain reads: only keys from outside, present or missing. */
static void
test_reads (void)
{
  g_autoptr (SegueItem) item = make_item ("song", "Anna");
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (SegueItem) input = segue_item_copy_as_input (item, reads, 0);
  g_autoptr (SegueItem) part =
    segue_item_new_audio (input, "1", segue_item_get_bytes (item), 8000, 2);
  segue_item_set_double (part, SEGUE_META_START, 1);
  segue_item_get_double (part, SEGUE_META_START, 0);
  segue_item_get_string (part, SEGUE_META_LABEL);
  segue_item_get_string (input, "missing");
  g_auto (GStrv) names = segue_reads_list (reads);
  g_assert_cmpuint (g_strv_length (names), ==, 2);
  g_assert_cmpstr (names[0], ==, SEGUE_META_LABEL);
  g_assert_cmpstr (names[1], ==, "missing");
}

static void
test_dataset (void)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  static const char *const ids[] = { "c", "a", "b", "d" };
  static const char *const labels[] = { "Émile", "Ben", "Anna", NULL };
  for (guint i = 0; i < 4; i++)
    g_ptr_array_add (items, make_item (ids[i], labels[i]));
  g_autoptr (SegueDataset) dataset =
    segue_dataset_new_from_items ((SegueItem *const *) items->pdata, items->len);
  g_auto (GStrv) found = segue_dataset_get_labels (dataset);
  g_assert_true (
    g_strv_equal ((const char *const *) found, (const char *[]){ "Anna", "Ben", "Émile", NULL }));
  g_assert_cmpstr (segue_item_get_id (segue_dataset_get_entry (dataset, 0)), ==, "a");

  const char *values[] = { "train", NULL, "test", "train" };
  g_autoptr (SegueDataset) split = segue_dataset_annotate (dataset, SEGUE_META_SET, values);
  g_assert_cmpuint (segue_dataset_get_length (split), ==, 3);
  g_assert_null (segue_item_get_string (segue_dataset_get_entry (dataset, 0), SEGUE_META_SET));
  g_autoptr (SegueDataset) train = segue_dataset_select (split, SEGUE_META_SET, "train");
  g_assert_cmpuint (segue_dataset_get_length (train), ==, 2);
  g_assert_cmpstr (segue_item_get_id (segue_dataset_get_entry (train, 1)), ==, "d");
  g_autoptr (SegueDataset) none = segue_dataset_select (split, SEGUE_META_SET, "validation");
  g_assert_cmpuint (segue_dataset_get_length (none), ==, 0);
  g_assert_false (segue_dataset_is_live (train));
  g_assert_null (segue_dataset_get_preparation (train));
  g_autoptr (SegueReader) reader = segue_reader_new (train, 3);
  g_autoptr (SegueItem) item = segue_reader_get (reader, 1, NULL, NULL);
  gsize n;
  g_assert_cmpfloat (segue_item_get_frames (item, &n)[3], ==, 4);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpstr (segue_item_get_string (item, SEGUE_META_SET), ==, "train");
}

/* More than stays in memory: the rest is read back from a spool without a name. */
static void
test_spool (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-spool-XXXXXX", NULL);
  g_autoptr (SegueBuilder) builder = segue_builder_new (folder);
  g_autoptr (GError) error = NULL;
  const gsize n = 3 * 1024 * 1024;
  for (guint i = 0; i < 6; i++) {
    float *frames = g_new (float, n);
    for (gsize j = 0; j < n; j++)
      frames[j] = (float) (i + j % 1000);
    g_autoptr (GBytes) bytes = g_bytes_new_take (frames, n * sizeof (float));
    g_autofree char *id = g_strdup_printf ("%u", 5 - i);
    g_autoptr (SegueItem) item = segue_item_new_audio (NULL, id, bytes, 8000, 1);
    g_assert_true (segue_builder_add (builder, item, NULL));
  }
  g_autoptr (SegueDataset) dataset = segue_builder_finish (builder, &error);
  g_assert_no_error (error);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
  g_autoptr (SegueReader) reader = segue_reader_new (dataset, 0);
  for (guint i = 0; i < 6; i++) {
    gsize length;
    g_autoptr (SegueItem) item = segue_reader_get (reader, 5 - i, NULL, &error);
    g_assert_no_error (error);
    const float *frames = segue_item_get_frames (item, &length);
    g_assert_cmpuint (length, ==, n);
    for (gsize j = 0; j < n; j += 997)
      g_assert_cmpfloat (frames[j], ==, (float) (i + j % 1000));
  }

  g_autoptr (SegueItem) same = make_item ("same", NULL);
  g_assert_true (segue_builder_add (builder, same, NULL));
  g_assert_true (segue_builder_add (builder, same, NULL));
  g_assert_null (segue_builder_finish (builder, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_true (segue_file_remove_folder (folder, NULL));
}

/* A separate chain, as in a predictor. */
static void
test_chain (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/one.song", "the first song");
  flow_fixture_write (&fixture, "a/X.song", "the second song");
  static const char *const names[] = { "fake-decode", "fake-segment" };
  const SegueGraphStage *stages[2];
  for (guint i = 0; i < 2; i++) {
    stages[i] = segue_graph_stage_new (fixture.registry,
                                       segue_registry_find_stage (fixture.registry, names[i]),
                                       names[i], NULL, ".", &error);
    g_assert_no_error (error);
  }
  SegueScope scope = { .registry = fixture.registry };
  SegueChain *chain = segue_chain_new (&scope, stages, 2);
  g_autofree char *good = g_build_filename (fixture.music, "a", "one.song", NULL);
  g_autofree char *bad = g_build_filename (fixture.music, "a", "X.song", NULL);
  g_assert_null (segue_chain_carry_file (chain, bad, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_true (segue_chain_get_failed (chain) == stages[1]);
  g_clear_error (&error);
  g_autoptr (GPtrArray) items = segue_chain_carry_file (chain, good, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (items->len, ==, 3);
  g_assert_cmpstr (segue_item_get_id (g_ptr_array_index (items, 2)), ==, "one.song#0002");
  g_cancellable_cancel (fixture.cancellable);
  g_assert_null (segue_chain_carry_file (chain, good, fixture.cancellable, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  segue_chain_free (chain);
  for (guint i = 0; i < 2; i++)
    segue_graph_stage_free ((SegueGraphStage *) stages[i]);
}

static void
assert_named (const char *message, const char *expected)
{
  g_autoptr (GError) error = g_error_new_literal (SEGUE_ERROR, SEGUE_ERROR_TIMEOUT, message);
  g_autoptr (GError) named = segue_error_name_item (error, "a/b", "/music/a/b", "c");
  g_assert_error (named, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
  g_assert_cmpstr (named->message, ==, expected);
}

/* By one name, once, whatever its name in a stage. */
static void
test_named_errors (void)
{
  assert_named ("‘a/b’ is empty", "‘c’ is empty");
  assert_named ("can't read ‘/music/a/b’: no", "can't read ‘c’: no");
  assert_named ("‘a/b#0003’ and ‘a/b’", "‘c#0003’ and ‘c’");
  assert_named ("is a/b damaged", "‘c’: is a/b damaged");
  assert_named ("‘a/bc’ is another", "‘c’: ‘a/bc’ is another");
  assert_named ("‘", "‘c’: ‘");
  assert_named ("", "‘c’: ");
  assert_named ("‘a/b’ \xff", "‘c’ \xef\xbf\xbd");
}

static gpointer
intern_and_release (gpointer unused)
{
  for (guint i = 0; i < 100000; i++) {
    GRefString *text = segue_interned_new ("label");
    g_assert_cmpstr (text, ==, "label");
    segue_interned_release (text);
  }
  return NULL;
}

/* The last reference is dropped while another thread requests the same string. */
static void
test_interned (void)
{
  GThread *threads[4];
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("intern", intern_and_release, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* A song in as many adjacent slices as one may have, in no order of addresses: a search over all ranges for each
 * slice would exceed this test's time. */
static void
test_adjacent_slices (void)
{
  const guint n = 400000, step = 7919; /* a prime: each slice once */
  const gsize size = 4 * sizeof (float);
  g_autoptr (GBytes) song = g_bytes_new_take (g_malloc0 (n * size), n * size);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < n; i++) {
    guint place = (guint) ((guint64) i * step % n);
    g_autoptr (GBytes) slice = g_bytes_new_from_bytes (song, place * size, size);
    g_ptr_array_add (items, segue_item_new_audio (NULL, "slice", slice, 8000, 2));
  }
  guint64 total;
  g_autoptr (GArray) stretches =
    segue_stretches_find ((SegueItem *const *) items->pdata, n, &total);
  g_assert_cmpuint (total, ==, n * size);
  g_assert_cmpuint (stretches->len, ==, n);
  for (guint i = 0; i < n; i++) {
    const SegueStretch *stretch = segue_stretches_get (stretches, items->pdata[i]);
    g_assert_nonnull (stretch);
    g_assert_cmpuint (stretch->first, ==, i);
    g_assert_cmpuint (stretch->offset, ==, i * size);
  }
  g_autoptr (SegueItem) stranger = make_item ("other", NULL);
  g_assert_null (segue_stretches_get (stretches, stranger));
}

/* At any position of any buffer, for any type that has such values, and for no other. */
static void
test_finite (void)
{
  static const guint32 bad[] = { 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001 };
  static const guint32 good[] = { 0, 0x80000000, 0x7f7fffff, 0xff7fffff, 1, 0x3f800000 };
  for (gsize n = 0; n < 40; n++)
    for (gsize i = 0; i < n; i++)
      for (guint k = 0; k < G_N_ELEMENTS (bad) + G_N_ELEMENTS (good); k++) {
        gboolean is_bad = k < G_N_ELEMENTS (bad);
        guint32 value = is_bad ? bad[k] : good[k - G_N_ELEMENTS (bad)], wide[40];
        guint16 narrow[40];
        gsize at = G_MAXSIZE, shape[] = { n };
        for (gsize j = 0; j < n; j++)
          wide[j] = j == i ? value : good[j % G_N_ELEMENTS (good)];
        for (gsize j = 0; j < n; j++)
          narrow[j] = j == i && value != 0x7f800001 ? (guint16) (value >> 16)
                      : j == i                      ? 0x7f81
                                                    : 0x7f7f;
        g_autoptr (GBytes) floats = g_bytes_new (wide, n * sizeof *wide);
        g_autoptr (GBytes) halves = g_bytes_new (narrow, n * sizeof *narrow);
        g_autoptr (SegueItem) audio = segue_item_new_audio (NULL, "a", floats, 1, 1);
        g_autoptr (SegueItem) bf16 =
          segue_item_new_tensor (SEGUE_KIND_TENSOR, NULL, "a", halves, SEGUE_DTYPE_BF16, 1, shape);
        g_autoptr (SegueItem) whole =
          segue_item_new_tensor (SEGUE_KIND_TENSOR, NULL, "a", floats, SEGUE_DTYPE_I32, 1, shape);
        g_assert_true (segue_item_is_finite (audio, &at) == !is_bad);
        g_assert_cmpuint (at, ==, is_bad ? i : G_MAXSIZE);
        at = G_MAXSIZE;
        g_assert_true (segue_item_is_finite (bf16, &at) == !is_bad);
        g_assert_cmpuint (at, ==, is_bad ? i : G_MAXSIZE);
        g_assert_true (segue_item_is_finite (whole, &at));
      }
}

static void
test_finite_doubles (void)
{
  static const double odd[] = { (double) NAN, (double) INFINITY, (double) -INFINITY };
  for (gsize i = 0; i < 5; i++)
    for (guint k = 0; k < G_N_ELEMENTS (odd); k++) {
      double values[5] = { 0, -0.0, DBL_MAX, -DBL_MAX, DBL_TRUE_MIN };
      gsize at = G_MAXSIZE;
      const gsize shape[] = { 5 };
      values[i] = odd[k];
      g_autoptr (GBytes) bytes = g_bytes_new (values, sizeof values);
      g_autoptr (SegueItem) item =
        segue_item_new_tensor (SEGUE_KIND_TENSOR, NULL, "a", bytes, SEGUE_DTYPE_F64, 1, shape);
      g_assert_false (segue_item_is_finite (item, &at));
      g_assert_cmpuint (at, ==, i);
    }
}

/* Sizes are part of an item's form; values are checked when they are read. */
static void
test_predictions (void)
{
  static const struct {
    SegueDtype dtype;
    guint rank;
    gsize shape[2];
    const char *why;
  } forms[] = {
    { SEGUE_DTYPE_F64, 2, { 2, 4 }, NULL },
    { SEGUE_DTYPE_F64, 2, { 4, 2 }, "without labels" },
    { SEGUE_DTYPE_F64, 1, { 8, 0 }, "not a float64 tensor of two dimensions" },
    { SEGUE_DTYPE_F32, 2, { 4, 4 }, "not a float64 tensor of two dimensions" },
    { SEGUE_DTYPE_F64, 2, { 0, 4 }, "without segments" },
  };
  static const double good[] = { 0, 10, 0.25, 0.75, 10, 10, 1, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    const char *why = "";
    g_autoptr (GBytes) bytes = g_bytes_new (good, forms[i].shape[0] > 0 ? sizeof good : 0);
    g_autoptr (SegueItem) item = segue_item_new_tensor (
      SEGUE_KIND_PREDICTIONS, NULL, "a", bytes, forms[i].dtype, forms[i].rank, forms[i].shape);
    g_assert_true (segue_item_check_sizes (item, &why) == (!forms[i].why));
    g_assert_true (!forms[i].why || strstr (why, forms[i].why));
  }
  for (guint i = 0; i <= G_N_ELEMENTS (good); i++) {
    double values[G_N_ELEMENTS (good)];
    const gsize shape[] = { 2, 4 };
    guint n_segments, n_labels;
    g_autoptr (GError) error = NULL;
    memcpy (values, good, sizeof good);
    if (i < G_N_ELEMENTS (good))
      values[i] = i % 3 == 0 ? -1e-9 : (double) (i % 3 == 1 ? NAN : INFINITY);
    g_autoptr (GBytes) bytes = g_bytes_new (values, sizeof values);
    g_autoptr (SegueItem) item =
      segue_item_new_tensor (SEGUE_KIND_PREDICTIONS, NULL, "a", bytes, SEGUE_DTYPE_F64, 2, shape);
    const double *rows = segue_item_get_predictions (item, &n_segments, &n_labels, &error);
    g_assert_true ((rows != NULL) == (i == G_N_ELEMENTS (good)));
    g_assert_cmpuint (n_segments, ==, 2);
    g_assert_cmpuint (n_labels, ==, 2);
    if (!rows)
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/items/metadata", test_metadata);
  g_test_add_func ("/items/metadata-shared", test_metadata_shared);
  g_test_add_func ("/items/reads", test_reads);
  g_test_add_func ("/items/dataset", test_dataset);
  g_test_add_func ("/items/spool", test_spool);
  g_test_add_func ("/items/chain", test_chain);
  g_test_add_func ("/items/named-errors", test_named_errors);
  g_test_add_func ("/items/interned", test_interned);
  g_test_add_func ("/items/finite", test_finite);
  g_test_add_func ("/items/finite/doubles", test_finite_doubles);
  g_test_add_func ("/items/predictions", test_predictions);
  g_test_add_func ("/items/adjacent-slices", test_adjacent_slices);
  return g_test_run ();
}
