/* An untrusted library, as `segue similar` and `segue serve` read it: whatever library.json, songs.jsonl and the header
 * of library.safetensors contain, songs that can be searched or an error.
 *
 * The input contains those three in this order; see fuzz_split(). Of the vectors only the header is given: each number
 * that it declares has the bytes of 0.5f. */
#include "scratch.h"
#include "standalone.h"

#include <math.h>
#include <segue/host/library.h>
#include <segue/host/segue.h>
#include <segue/plugin.h>
#include <segue/tensor.h>
#include <string.h>

#define WIDTH    4
#define SEGMENTS 3
/* The maximum size of the numbers that a header may declare here; more is like a file that is too short. */
#define MAX_VALUES ((gsize) 64 * 1024)

/* Stands for all stages that turn a song into vectors. */
static gboolean
process (gpointer instance, SegueItem *song, SegueContext *context, GError **error)
{
  for (guint i = 0; i < SEGMENTS; i++) {
    const gsize shape[] = { WIDTH };
    float values[WIDTH] = { 1.0f, (float) i, -1.0f, 0.5f };
    char suffix[] = { (char) ('0' + i), '\0' };
    g_autoptr (GBytes) bytes = g_bytes_new (values, sizeof values);
    SegueItem *vector =
      segue_item_new_tensor (SEGUE_KIND_TENSOR, song, suffix, bytes, SEGUE_DTYPE_F32, 1, shape);
    segue_item_set_double (vector, SEGUE_META_START, 10.0 * i);
    segue_item_set_double (vector, SEGUE_META_DURATION, 10);
    if (!segue_context_emit (context, vector, error))
      return FALSE;
  }
  return TRUE;
}

static const SeguePort *const songs[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Files."), NULL };
static const SeguePort *const vectors[] = { SEGUE_PORT ("vectors", SEGUE_KIND_TENSOR, "Vectors."),
                                            NULL };
static const SegueStageType encode =
  SEGUE_INIT (SegueStageType, .name = "encode", .summary = "For this test", .doc = "For this test.",
              .result_version = 1, .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE,
              .inputs = songs, .outputs = vectors, .process = process);
static const SegueStageType *const stages[] = { &encode, NULL };
static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "fuzz", .version = "1", .licence = "MIT", .stages = stages);

/* The largest number in the header: the end of the values, in most files. */
static gsize
find_largest (const FuzzText *header)
{
  guint64 largest = 0, number = 0;
  for (gsize i = 0; i < header->size; i++) {
    number = g_ascii_isdigit (header->data[i]) ? number * 10 + (header->data[i] - '0') : 0;
    largest = MAX (largest, number);
  }
  return (gsize) MIN (largest, MAX_VALUES);
}

static void
put_vectors (const FuzzText *header)
{
  static const float half = 0.5f; /* a vector of four has length 1 */
  gsize n = find_largest (header) / sizeof half, begin = 8 + header->size;
  g_autofree guint8 *file = g_malloc (begin + n * sizeof half);
  guint64 length = GUINT64_TO_LE ((guint64) header->size);
  memcpy (file, &length, sizeof length);
  memcpy (file + 8, header->data, header->size);
  for (gsize i = 0; i < n; i++)
    memcpy (file + begin + i * sizeof half, &half, sizeof half);
  fuzz_put ("library.safetensors", file, begin + n * sizeof half);
}

static void
find (SegueLibrary *library, double at)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueLibraryAnswer) answer =
    segue_library_find (library, fuzz_path ("song", 4), at, 2, NULL, &error);
  if (!answer) {
    fuzz_check_error (error);
    return;
  }
  g_assert_cmpuint (answer->n_matches, <=, 2);
  g_assert_cmpuint (answer->n_matches + answer->n_same, >, 0);
  for (guint i = 0; i < answer->n_matches; i++) {
    g_assert_nonnull (answer->matches[i].song->id);
    g_assert_true (isfinite (answer->matches[i].similarity));
    g_assert_cmpfloat (answer->matches[i].start, >=, 0);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static SegueRegistry *registry;
  if (!registry) {
    registry = segue_registry_new ();
    g_assert_true (segue_registry_add (registry, &plugin, NULL, NULL));
  }
  FuzzText texts[3];
  fuzz_split (data, size, texts, G_N_ELEMENTS (texts));
  fuzz_put ("library.json", texts[0].data, texts[0].size);
  fuzz_put ("songs.jsonl", texts[1].data, texts[1].size);
  put_vectors (&texts[2]);

  g_autoptr (GError) error = NULL;
  g_autoptr (SegueLibrary) library = segue_library_open (registry, fuzz_folder (), 1, &error);
  if (!library) {
    fuzz_check_error (error);
    return 0;
  }
  g_assert_cmpuint (segue_library_get_length (library), >, 0);
  find (library, NAN);
  find (library, 12);
  return 0;
}
