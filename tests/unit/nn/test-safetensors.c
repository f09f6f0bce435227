/* safetensors files: round trips, conversions, and all kinds of false data in a file. */
#include <glib/gstdio.h>
#include <math.h>
#include <segue/error.h>
#include <segue/nn/safetensors.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of header text and `n_data` bytes of data. */
static GBytes *
make_file (const char *header, gsize n_data)
{
  GByteArray *file = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64) strlen (header));
  g_byte_array_append (file, (const guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header, (guint) strlen (header));
  for (gsize i = 0; i < n_data; i++) {
    guint8 byte = (guint8) i;
    g_byte_array_append (file, &byte, 1);
  }
  return g_byte_array_free_to_bytes (file);
}

static void
assert_refused (GBytes *bytes, const char *what)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSafetensors) file =
    segue_safetensors_open_bytes (bytes, "bad.safetensors", &error);
  g_assert_null (file);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "bad.safetensors"));
  if (what && !strstr (error->message, what)) {
    g_test_message ("‘%s’ does not say ‘%s’", error->message, what);
    g_test_fail ();
  }
}

static void
test_hostile_headers (void)
{
  /* header, bytes of data, required text of the message */
  static const struct {
    const char *header;
    gsize n_data;
    const char *what;
  } cases[] = {
    { "", 0, "begin" },
    { " {}", 0, "begin" },
    { "[]", 0, "begin" },
    { "{", 0, "JSON" },
    { "{} x", 0, "JSON" },
    { "{\"a\xff\":1}", 0, "JSON" },
    { "{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, "JSON" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
      2, "duplicate" },
    { "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
      "duplicate" },
    { "{\"a\":1}", 0, "object" },
    { "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype" },
    { "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "needs 1 bytes" },
    { "{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "needs 8 bytes" },
    { "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype" },
    { "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "shape" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "size" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1, "size" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]}}", 1, "size" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,1]}}", 1,
      "JSON" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"
      "\"data_offsets\":[0,1]}}",
      1, "dimensions" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "data_offsets" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "data_offsets" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "data_offsets" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]}}", 1, "data_offsets" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, "outside" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1, "outside" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9223372036854775806,"
      "9223372036854775807]}}",
      1, "outside" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "needs 4 bytes" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1, "needs 2 bytes" },
    /* 2^32 · 2^32 = 0 and 2^62 · 4 = 0 modulo 2^64 */
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
      "too large" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
      "too large" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "gap" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
      3, "gap" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
      3, "overlaps" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
      2, "overlaps" },
    { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 2, "follow" },
    { "{}", 1, "follow" },
    { "{\"__metadata__\":[]}", 0, "__metadata__" },
    { "{\"__metadata__\":{\"a\":1}}", 0, "strings" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) bytes = make_file (cases[i].header, cases[i].n_data);
    assert_refused (bytes, cases[i].what);
  }
}

/* Types that no model of segue needs are accepted; where one is needed, the error names it. */
static void
test_other_dtypes (void)
{
  g_autoptr (GBytes) bytes =
    make_file ("{\"a\":{\"dtype\":\"U16\",\"shape\":[1],\"data_offsets\":[0,2]},"
               "\"b\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[2,4]},"
               "\"c\":{\"dtype\":\"F8_E5M2\",\"shape\":[1],\"data_offsets\":[4,5]},"
               "\"d\":{\"dtype\":\"C64\",\"shape\":[],\"data_offsets\":[5,13]},"
               "\"e\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[13,15]},"
               "\"f\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[15,23]},"
               "\"g\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[23,31]}}",
               31);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_bytes (bytes, "odd", &error);
  g_assert_no_error (error);
  gsize n;
  const SegueTensorInfo *list = segue_safetensors_list (file, &n);
  g_assert_cmpuint (n, ==, 7);
  g_assert_cmpint (list[4].dtype, ==, SEGUE_SAFETENSORS_OTHER);
  g_assert_cmpuint (list[4].n_bytes, ==, 2);
  guint8 raw[2];
  g_assert_true (segue_safetensors_read (file, &list[4], raw, &error));
  g_assert_cmpuint (raw[0], ==, 13);
  float value;
  g_assert_true (segue_safetensors_read_f32 (file, "g", 0, NULL, &value, &error));
  const gsize shape[] = { 2 };
  float values[2];
  g_assert_false (segue_safetensors_read_f32 (file, "b", 1, shape, values, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "is F8_E4M3, but F32"));
}

/* Every prefix of a good file is refused, and so is every longer one; and a false length. */
static void
test_lengths (void)
{
  static const char header[] =
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}   ";
  g_autoptr (GBytes) good = make_file (header, 8);
  gsize length = g_bytes_get_size (good);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_bytes (good, "good", NULL);
  g_assert_nonnull (file);

  for (gsize n = 0; n < length; n++) {
    g_autoptr (GBytes) cut = g_bytes_new (g_bytes_get_data (good, NULL), n);
    assert_refused (cut, NULL);
  }
  static const guint64 lies[] = { 100000001, G_MAXUINT64, G_MAXINT64, 1u << 20 };
  for (gsize i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (good, NULL), length);
    guint64 lie = GUINT64_TO_LE (lies[i]);
    memcpy (copy, &lie, sizeof lie);
    g_autoptr (GBytes) bytes = g_bytes_new (copy, length);
    assert_refused (bytes, "header");
  }
}

/* Any single byte of a good file changed: refused or read, never out of bounds (for
 * AddressSanitizer). */
static void
test_mutations (void)
{
  static const char header[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                               "\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
                               "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}";
  g_autoptr (GBytes) good = make_file (header, 16);
  gsize length = g_bytes_get_size (good), n_tensors;
  guint n_good = 0;
  for (gsize at = 0; at < length; at++) {
    for (guint bit = 0; bit < 8; bit++) {
      guint8 *copy = g_memdup2 (g_bytes_get_data (good, NULL), length);
      copy[at] ^= (guint8) (1u << bit);
      g_autoptr (GBytes) bytes = g_bytes_new_take (copy, length);
      g_autoptr (SegueSafetensors) file = segue_safetensors_open_bytes (bytes, "mutant", NULL);
      if (!file)
        continue;
      n_good++;
      const SegueTensorInfo *info = segue_safetensors_list (file, &n_tensors);
      for (gsize i = 0; i < n_tensors; i++) {
        g_autofree guint8 *data = g_malloc (info[i].n_bytes);
        g_assert_true (segue_safetensors_read (file, &info[i], data, NULL));
      }
    }
  }
  g_assert_cmpuint (n_good, >, 16 * 8); /* at least those in the data */
}

static void
test_empty (void)
{
  static const char *const headers[] = { "{}", "{\"__metadata__\":{}}", "{}     " };
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++) {
    g_autoptr (GBytes) bytes = make_file (headers[i], 0);
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueSafetensors) file = segue_safetensors_open_bytes (bytes, "empty", &error);
    gsize n_tensors = 9;
    g_assert_no_error (error);
    segue_safetensors_list (file, &n_tensors);
    g_assert_cmpuint (n_tensors, ==, 0);
    g_assert_null (segue_safetensors_lookup (file, "a"));
  }
}

/* Tensors of no elements may share an offset with their neighbours. */
static void
test_zero_sized (void)
{
  g_autoptr (GBytes) bytes =
    make_file ("{\"z\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[0,0]},"
               "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
               "\"y\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[4,4]}}",
               4);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_bytes (bytes, "zero", &error);
  gsize shape[] = { 0, 5 };
  float nothing;
  g_assert_no_error (error);
  g_assert_true (segue_safetensors_read_f32 (file, "z", 2, shape, &nothing, &error));
  g_assert_no_error (error);
}

static char *
new_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("segue-safetensors-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_folder (const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_unlink (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0); /* nothing temporary is left */
}

static void
write_some (const char *path, gboolean backwards)
{
  static const float weight[] = { 1.5f, -2.0f, 3.25f, 0.0f, 1e-30f, 65504.0f };
  static const guint8 flags[] = { 1, 0, 1 };
  static const gint64 steps = 77;
  gsize shape[] = { 2, 3 }, three = 3;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  for (guint i = 0; i < 4; i++) {
    switch (backwards ? 3 - i : i) {
    case 0:
      segue_safetensors_writer_add_f32 (writer, "b.weight", 2, shape, weight);
      break;
    case 1:
      segue_safetensors_writer_take_f32 (writer, "a", 1, &three,
                                         g_memdup2 (weight, 3 * sizeof *weight));
      break;
    case 2:
      segue_safetensors_writer_add (writer, "flags", SEGUE_SAFETENSORS_BOOL, 1, &three, flags);
      break;
    default:
      segue_safetensors_writer_add (writer, "steps", SEGUE_SAFETENSORS_I64, 0, NULL, &steps);
      segue_safetensors_writer_set_metadata (writer, "über", "\"ja\"");
      break;
    }
  }
  g_assert_true (segue_safetensors_writer_write (writer, path, &error));
  g_assert_no_error (error);
}

static void
test_round_trip (void)
{
  g_autofree char *folder = new_folder ();
  g_autofree char *path = g_build_filename (folder, "m.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  write_some (path, FALSE);

  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (segue_safetensors_get_metadata (file, "format"), ==, "pt");
  g_assert_cmpstr (segue_safetensors_get_metadata (file, "über"), ==, "\"ja\"");
  g_assert_null (segue_safetensors_get_metadata (file, "none"));

  static const char *const names[] = { "a", "b.weight", "flags", "steps" };
  gsize n_tensors;
  const SegueTensorInfo *info = segue_safetensors_list (file, &n_tensors);
  g_assert_cmpuint (n_tensors, ==, 4);
  for (gsize i = 0; i < 4; i++) {
    g_assert_cmpstr (info[i].name, ==, names[i]);
    g_assert_true (segue_safetensors_lookup (file, names[i]) == &info[i]);
    g_assert_cmpuint (info[i].offset % segue_safetensors_dtype_get_size (info[i].dtype), ==, 0);
  }
  g_assert_cmpint (info[3].dtype, ==, SEGUE_SAFETENSORS_I64);
  g_assert_cmpuint (info[3].n_dims, ==, 0);

  gint64 steps = 0;
  g_assert_true (segue_safetensors_read (file, &info[3], &steps, &error));
  g_assert_cmpint (steps, ==, 77);
  float weight[6];
  gsize shape[] = { 2, 3 };
  g_assert_true (segue_safetensors_read_f32 (file, "b.weight", 2, shape, weight, &error));
  g_assert_cmpfloat ((double) weight[2], ==, 3.25);
  g_assert_cmpfloat ((double) weight[5], ==, 65504.0);
  remove_folder (folder, "m.safetensors");
}

/* The order in which tensors were added doesn't matter; another file is replaced completely. */
static void
test_same_bytes (void)
{
  g_autofree char *folder = new_folder ();
  g_autofree char *path = g_build_filename (folder, "m.safetensors", NULL);
  g_autofree char *first = NULL, *second = NULL;
  gsize n_first, n_second;
  write_some (path, FALSE);
  g_assert_true (g_file_get_contents (path, &first, &n_first, NULL));
  write_some (path, TRUE);
  g_assert_true (g_file_get_contents (path, &second, &n_second, NULL));
  g_assert_cmpmem (first, n_first, second, n_second);
  remove_folder (folder, "m.safetensors");
}

static void
assert_no_f32 (SegueSafetensors *file, const char *name, guint n_dims, const gsize *shape,
               const char *what)
{
  g_autoptr (GError) error = NULL;
  float out[8] = { 42.0f };
  g_assert_false (segue_safetensors_read_f32 (file, name, n_dims, shape, out, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, what));
  g_assert_cmpfloat ((double) out[0], ==, 42.0);
}

static void
test_wrong_reads (void)
{
  g_autofree char *folder = new_folder ();
  g_autofree char *path = g_build_filename (folder, "m.safetensors", NULL);
  gsize shape[] = { 3, 2 }, six = 6, three = 3;
  write_some (path, FALSE);
  {
    g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, NULL);
    assert_no_f32 (file, "none", 1, &three, "none");
    assert_no_f32 (file, "b.weight", 2, shape, "[2, 3]");
    assert_no_f32 (file, "b.weight", 1, &six, "[6]");
    assert_no_f32 (file, "flags", 1, &three, "BOOL");

    g_autoptr (GError) error = NULL;
    float out[6];
    gsize right[] = { 2, 3 };
    g_assert_cmpint (truncate (path, 200), ==, 0);
    g_assert_false (segue_safetensors_read_f32 (file, "b.weight", 2, right, out, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
  }
  remove_folder (folder, "m.safetensors");
}

static void
test_conversions (void)
{
  static const struct {
    guint16 half;
    double value;
  } halves[] = { { 0x0000, 0.0 },           { 0x3C00, 1.0 },
                 { 0xC000, -2.0 },          { 0x7BFF, 65504 },
                 { 0x0400, 0x1p-14 },       { 0x0001, 0x1p-24 },
                 { 0x83FF, -0x1.FF8p-15 },  { 0x7C00, (double) INFINITY },
                 { 0x3555, 0.333251953125 } };
  g_autofree char *folder = new_folder ();
  g_autofree char *path = g_build_filename (folder, "m.safetensors", NULL);
  guint16 f16[G_N_ELEMENTS (halves) + 1], bf16[] = { 0x3F80, 0xC049 };
  double f64[] = { 1.0 / 3.0, -1e300 };
  gsize n_f16 = G_N_ELEMENTS (f16), two = 2;
  float out[G_N_ELEMENTS (f16)];

  for (gsize i = 0; i < G_N_ELEMENTS (halves); i++)
    f16[i] = halves[i].half;
  f16[n_f16 - 1] = 0x7E00; /* NaN */
  {
    g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
    segue_safetensors_writer_add (writer, "f16", SEGUE_SAFETENSORS_F16, 1, &n_f16, f16);
    segue_safetensors_writer_add (writer, "bf16", SEGUE_SAFETENSORS_BF16, 1, &two, bf16);
    segue_safetensors_writer_add (writer, "f64", SEGUE_SAFETENSORS_F64, 1, &two, f64);
    g_assert_true (segue_safetensors_writer_write (writer, path, NULL));
  }
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, NULL);
  g_assert_true (segue_safetensors_read_f32 (file, "f16", 1, &n_f16, out, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (halves); i++)
    g_assert_cmpfloat ((double) out[i], ==, halves[i].value);
  g_assert_true (isnan (out[n_f16 - 1]));
  g_assert_true (segue_safetensors_read_f32 (file, "bf16", 1, &two, out, NULL));
  g_assert_cmpfloat ((double) out[0], ==, 1.0);
  g_assert_cmpfloat ((double) out[1], ==, -3.140625);
  g_assert_true (segue_safetensors_read_f32 (file, "f64", 1, &two, out, NULL));
  g_assert_cmpfloat ((double) out[0], ==, (double) (float) (1.0 / 3.0));
  g_assert_true (isinf (out[1]));
  remove_folder (folder, "m.safetensors");
}

/* Paths that don't exist, are not files, or can't be created. */
static void
test_paths (void)
{
  g_autofree char *folder = new_folder ();
  g_autofree char *path = g_build_filename (folder, "pipe", NULL);
  g_autofree char *deep = g_build_filename (folder, "none", "m.safetensors", NULL);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  GError *error = NULL;

  g_assert_null (segue_safetensors_open (path, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_assert_nonnull (strstr (error->message, path));
  g_clear_error (&error);
  g_assert_null (segue_safetensors_open (folder, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_null (segue_safetensors_open (path, &error)); /* and doesn't block */
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_false (segue_safetensors_writer_write (writer, deep, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  remove_folder (folder, "pipe");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors/other-dtypes", test_other_dtypes);
  g_test_add_func ("/nn/safetensors/hostile-headers", test_hostile_headers);
  g_test_add_func ("/nn/safetensors/lengths", test_lengths);
  g_test_add_func ("/nn/safetensors/mutations", test_mutations);
  g_test_add_func ("/nn/safetensors/empty", test_empty);
  g_test_add_func ("/nn/safetensors/zero-sized", test_zero_sized);
  g_test_add_func ("/nn/safetensors/round-trip", test_round_trip);
  g_test_add_func ("/nn/safetensors/same-bytes", test_same_bytes);
  g_test_add_func ("/nn/safetensors/wrong-reads", test_wrong_reads);
  g_test_add_func ("/nn/safetensors/conversions", test_conversions);
  g_test_add_func ("/nn/safetensors/paths", test_paths);
  return g_test_run ();
}
