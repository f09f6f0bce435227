/* A main for fuzz targets, for builds without a fuzzing engine:
 *
 *   fuzz-NAME FILE|FOLDER…                 runs each file once, as the tests do
 *   fuzz-NAME --mutate N FILE|FOLDER…      and N changed forms of each, the same ones every time
 *
 * With clang, `-fsanitize=fuzzer` replaces this file. */
#include "standalone.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static guint64
next_random (guint64 *state)
{
  /* splitmix64 */
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Flips bits, overwrites with special values, removes or duplicates a range: one to eight times. */
static void
mutate (GByteArray *data, guint64 *state)
{
  static const guint8 telling[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, 0x20, 0x22, 0x7b };
  for (guint64 n = 1 + next_random (state) % 8; n > 0 && data->len > 0; n--) {
    guint at = (guint) (next_random (state) % data->len);
    switch (next_random (state) % 5) {
    case 0:
      data->data[at] ^= (guint8) (1u << (next_random (state) % 8));
      break;
    case 1:
      data->data[at] = telling[next_random (state) % G_N_ELEMENTS (telling)];
      break;
    case 2:
      memset (data->data + at, telling[next_random (state) % G_N_ELEMENTS (telling)],
              MIN (8, data->len - at));
      break;
    case 3:
      g_byte_array_set_size (data, at);
      break;
    default: {
      guint length = MIN (64, data->len - at);
      g_autofree guint8 *stretch = g_memdup2 (data->data + at, length);
      g_byte_array_append (data, stretch, length);
    }
    }
  }
}

/* A copy of exactly this size, so that a sanitizer detects the first byte read past it. */
static void
run_exact (const guint8 *data, gsize size)
{
  g_autofree guint8 *exact = g_malloc (size ? size : 1);
  if (size)
    memcpy (exact, data, size);
  LLVMFuzzerTestOneInput (exact, size);
}

static guint
run_path (const char *path, guint64 mutations)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint n = 0;
  const char *name;
  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree char *below = g_build_filename (path, name, NULL);
    n += run_path (below, mutations);
  }
  if (folder)
    return n;
  g_autofree char *text = NULL;
  gsize size;
  if (!g_file_get_contents (path, &text, &size, NULL))
    return 0;
  run_exact ((const guint8 *) text, size);
  guint64 state = size;
  for (guint64 i = 0; i < mutations; i++) {
    g_autoptr (GByteArray) data = g_byte_array_new ();
    g_byte_array_append (data, (const guint8 *) text, (guint) size);
    mutate (data, &state);
    run_exact (data->data, data->len);
  }
  return 1;
}

int
main (int argc, char **argv)
{
  int first = 1;
  guint64 mutations = 0;
  if (argc > 2 && g_str_equal (argv[1], "--mutate")) {
    mutations = g_ascii_strtoull (argv[2], NULL, 10);
    first = 3;
  }
  guint n = 0;
  for (int i = first; i < argc; i++)
    n += run_path (argv[i], mutations);
  printf ("%u inputs\n", n);
  return n > 0 ? 0 : 1;
}
