/* Records: written data is read back, slices share their buffer, false data is detected. */
#include "store/record-private.h"

#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const components[] = { "type a\n", "type b\n", NULL };

typedef struct {
  char *folder, *path;
  SegueItem *song;
  GPtrArray *items;
} Fixture;

static void
add_slice (Fixture *fixture, GBytes *song, gsize at, gsize samples)
{
  g_autofree char *suffix = g_strdup_printf ("%04u", fixture->items->len);
  g_autoptr (GBytes) slice = g_bytes_new_from_bytes (song, at * 4, samples * 4);
  SegueItem *item = segue_item_new_audio (fixture->song, suffix, slice, 16000, 1);
  segue_item_set_double (item, SEGUE_META_START, (double) at / 16000);
  g_ptr_array_add (fixture->items, item);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("segue-record-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "record", NULL);
  g_autoptr (SegueItem) source = segue_item_new_file ("a/song.mp3", "/music/a/song.mp3");
  segue_item_set_string (source, SEGUE_META_LABEL, "Anna");
  fixture->song = segue_item_copy_as_input (source, NULL, 0);
  fixture->items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_ptr_array_unref (fixture->items);
  segue_item_unref (fixture->song);
  g_assert_true (segue_file_remove_folder (fixture->folder, NULL));
  g_free (fixture->folder);
  g_free (fixture->path);
}

static GBytes *
make_song (guint n, float first)
{
  float *frames = g_new (float, n);
  for (guint i = 0; i < n; i++)
    frames[i] = first + (float) i;
  return g_bytes_new_take (frames, n * sizeof (float));
}

static SegueRecordContent
content_of (Fixture *fixture)
{
  return (SegueRecordContent){ .key = KEY,
                               .components = components,
                               .items = (SegueItem *const *) fixture->items->pdata,
                               .n_items = fixture->items->len,
                               .inputs = &fixture->song,
                               .n_inputs = 1 };
}

static SegueRecord *
write_and_read (Fixture *fixture, const SegueRecordContent *content)
{
  g_autoptr (GError) error = NULL;
  segue_record_write (fixture->path, content, &error);
  g_assert_no_error (error);
  SegueRecord *record = segue_record_read (fixture->path, KEY, TRUE, NULL, &error);
  g_assert_no_error (error);
  return record;
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) song = make_song (1000, 0);
  add_slice (fixture, song, 100, 50);
  add_slice (fixture, song, 120, 50);
  g_autoptr (GBytes) values = make_song (6, 7);
  SegueItem *tensor = segue_item_new_tensor (SEGUE_KIND_TENSOR, fixture->song, "mel", values,
                                             SEGUE_DTYPE_F32, 3, (const gsize[]){ 1, 2, 3 });
  segue_item_set_string (tensor, "window", "hann");
  segue_item_set_int (tensor, "bins", 2);
  g_ptr_array_add (fixture->items, tensor);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_ptr_array_add (fixture->items, segue_item_new_audio (fixture->song, "empty", nothing, 1, 2));

  SegueRecordContent content = content_of (fixture);
  g_autoptr (SegueRecord) record = write_and_read (fixture, &content);
  g_assert_true (g_strv_equal ((const char *const *) record->components, components));
  g_assert_cmpuint (record->items->len, ==, 4);
  g_assert_cmpuint (record->payload_length, ==, (70 + 6) * sizeof (float));
  const SegueItemForm *first = &g_array_index (record->items, SegueItemForm, 0);
  const SegueItemForm *second = &g_array_index (record->items, SegueItemForm, 1);
  const SegueItemForm *third = &g_array_index (record->items, SegueItemForm, 2);
  g_assert_cmpstr (first->suffix, ==, "#0000");
  g_assert_cmpuint (first->rate, ==, 16000);
  g_assert_cmpuint (second->offset - first->offset, ==, 20 * sizeof (float));
  g_assert_cmpint (third->kind, ==, SEGUE_KIND_TENSOR);
  g_assert_cmpuint (third->rank, ==, 3);
  g_assert_cmpuint (third->shape[2], ==, 3);

  /* Metadata of the source is not in it: only metadata set since. */
  g_autofree char *delta = g_variant_print (third->delta, FALSE);
  g_assert_cmpstr (delta, ==, "{'bins': <int64 2>, 'window': <'hann'>}");
  SegueStorage *storage = segue_storage_new_path (fixture->path);
  SegueExtent extent = { .storage = storage,
                         .offset = second->offset,
                         .length = (gsize) second->length };
  g_autoptr (GBytes) bytes = segue_extent_read (&extent, NULL);
  g_assert_true (
    g_bytes_equal (bytes, ((SegueItem *) g_ptr_array_index (fixture->items, 1))->bytes));
  segue_storage_unref (storage);
}

/* The bytes of a record are a function of its content, not of addresses. */
static void
test_same_bytes (Fixture *fixture, gconstpointer data)
{
  g_autofree char *expected = NULL;
  gsize expected_size = 0;
  for (guint i = 0; i < 8; i++) {
    /* The order of two buffers in memory depends on earlier allocations. */
    g_autofree void *gap = g_malloc (4096 * (i + 1));
    g_autoptr (GBytes) one = i % 2 ? make_song (400, 0) : NULL;
    g_autoptr (GBytes) two = make_song (400, 1000);
    if (!one)
      one = make_song (400, 0);
    g_ptr_array_set_size (fixture->items, 0);
    add_slice (fixture, two, 10, 100);
    add_slice (fixture, one, 0, 100);
    add_slice (fixture, two, 50, 100);
    add_slice (fixture, one, 100, 100);
    SegueRecordContent content = content_of (fixture);
    g_autoptr (SegueRecord) record = write_and_read (fixture, &content);
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true (g_file_get_contents (fixture->path, &bytes, &size, NULL));
    if (!expected) {
      expected = g_steal_pointer (&bytes);
      expected_size = size;
      continue;
    }
    g_assert_cmpmem (bytes, size, expected, expected_size);
  }
}

static void
test_failure (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) failure = g_error_new (SEGUE_ERROR, SEGUE_ERROR_DATA, "too short");
  SegueRecordContent content = content_of (fixture);
  content.failure = failure;
  content.failed = 1;
  g_autoptr (SegueRecord) record = write_and_read (fixture, &content);
  g_assert_error (record->failure, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_cmpstr (record->failure->message, ==, "too short");
  g_assert_cmpuint (record->failed, ==, 1);
}

static void
test_cut_off (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) song = make_song (64, 0);
  add_slice (fixture, song, 0, 64);
  SegueRecordContent content = content_of (fixture);
  g_autoptr (SegueRecord) record = write_and_read (fixture, &content);
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (fixture->path, &bytes, &size, NULL));
  for (gsize length = 0; length < size; length++) {
    g_autoptr (GError) error = NULL;
    g_autofree guint8 *cut = g_memdup2 (bytes, MAX (length, 1));
    g_assert_null (segue_record_parse (cut, length, length, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
  /* One bit anywhere: in the header it is found at once, in the payload when that is checked. Only
   * the padding between the two has no meaning. */
  for (gsize at = 0; at < size; at++) {
    g_autoptr (GError) error = NULL;
    bytes[at] ^= 4;
    g_assert_true (g_file_set_contents (fixture->path, bytes, (gssize) size, NULL));
    bytes[at] ^= 4;
    g_autoptr (SegueRecord) bad = segue_record_read (fixture->path, KEY, TRUE, NULL, &error);
    guint header = (guint8) bytes[12] | (guint) (guint8) bytes[13] << 8;
    gboolean padding = at >= SEGUE_RECORD_FIXED + header && at < record->payload_offset;
    g_assert_true (bad ? padding : error != NULL);
  }
}

/* A valid checksum proves nothing about the sizes that a header claims. */
static void
test_lies (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *item;
    gboolean good;
  } cases[] = {
    { "('#1', 2, {}, 16000, 1, 0, [], 0, 0, 256)", TRUE },
    { "('#1', 2, {}, 16000, 1, 0, [], 0, 256, 0)", TRUE },
    { "('#1', 2, {}, 16000, 1, 0, [], 0, 4, 256)", FALSE },
    { "('#1', 2, {}, 16000, 1, 0, [], 0, 18446744073709551612, 8)", FALSE },
    { "('#1', 2, {}, 16000, 1, 0, [], 0, 0, 18446744073709551612)", FALSE },
    { "('#1', 2, {}, 0, 1, 0, [], 0, 0, 256)", FALSE },
    { "('#1', 2, {}, 16000, 0, 0, [], 0, 0, 256)", FALSE },
    { "('#1', 2, {}, 16000, 1073741824, 0, [], 0, 0, 0)", FALSE },
    { "('#1', 2, {}, 16000, 3, 0, [], 0, 0, 256)", FALSE },
    { "('1', 2, {}, 16000, 1, 0, [], 0, 0, 256)", FALSE },
    { "('#1', 2, {'x': <[1]>}, 16000, 1, 0, [], 0, 0, 256)", FALSE },
    { "('#1', 3, {}, 0, 0, 0, [8, 8], 0, 0, 256)", TRUE },
    { "('#1', 3, {}, 0, 0, 0, [8, 9], 0, 0, 256)", FALSE },
    { "('#1', 3, {}, 0, 0, 9, [8, 8], 0, 0, 256)", FALSE },
    { "('#1', 3, {}, 0, 0, 0, [1, 1, 1, 1, 1, 1, 64], 0, 0, 256)", FALSE },
    { "('#1', 3, {}, 0, 0, 0, [4294967296, 4294967296, 4294967296], 0, 0, 0)", FALSE },
    { "('#1', 3, {}, 0, 0, 0, [4611686018427387905, 64], 0, 0, 256)", FALSE },
    { "('#1', 4, {}, 0, 0, 0, [], 0, 0, 256)", FALSE },
    { "('#1', 99, {}, 0, 0, 0, [], 0, 0, 256)", FALSE },
    { "('', 1, {}, 0, 0, 0, [], 0, 0, 0)", TRUE },
    { "('#1', 1, {}, 0, 0, 0, [], 0, 0, 0)", FALSE },
    { "('', 1, {}, 0, 0, 0, [], 0, 0, 256)", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text =
      g_strdup_printf ("('" KEY "', [], [], (-1, 0, ''), [], [%s])", cases[i].item);
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) header =
      g_variant_parse (G_VARIANT_TYPE (SEGUE_RECORD_TYPE), text, NULL, NULL, &error);
    g_assert_no_error (error);
    gsize length = g_variant_get_size (header);
    gsize payload = (SEGUE_RECORD_FIXED + length + 63) / 64 * 64;
    g_autofree guint8 *bytes = g_malloc0 (payload + 256);
    memcpy (bytes, SEGUE_RECORD_MAGIC, 8);
    bytes[8] = SEGUE_RECORD_VERSION;
    bytes[12] = (guint8) length;
    bytes[13] = (guint8) (length >> 8);
    bytes[16] = (guint8) payload;
    bytes[17] = (guint8) (payload >> 8);
    bytes[25] = 1;
    g_variant_store (header, bytes + SEGUE_RECORD_FIXED);
    segue_record_header_digest (bytes, bytes + SEGUE_RECORD_FIXED, length, bytes + 32);
    g_autoptr (SegueRecord) record =
      segue_record_parse (bytes, payload + 256, payload + 256, &error);
    g_test_message ("%s: %s", cases[i].item, error ? error->message : "fine");
    g_assert_true ((record != NULL) == cases[i].good);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/record/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("round-trip", test_round_trip);
  ADD ("same-bytes", test_same_bytes);
  ADD ("failure", test_failure);
  ADD ("cut-off", test_cut_off);
  ADD ("lies", test_lies);
  return g_test_run ();
}
