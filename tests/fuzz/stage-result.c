/* Results of stages in the store: whatever the bytes are, the returned data is within them, and none of its files
 * is outside of its folder. */
#include "scratch.h"
#include "standalone.h"
#include "store/result-private.h"
#include "store/tree.h"

#include <nettle/sha2.h>
#include <string.h>

static void
check_item (const SegueResult *result, const SegueResultItem *stored)
{
  const SegueItemForm *item = &stored->form;
  g_assert_true (segue_metadata_is_valid (item->delta));
  g_assert_cmpuint (item->rank, <=, SEGUE_MAX_RANK);
  if (stored->passed)
    return;
  g_assert_cmpuint (item->offset, <=, result->n_bytes);
  g_assert_cmpuint (item->length, <=, result->n_bytes - item->offset);
  gsize elements = 1;
  for (guint i = 0; i < item->rank; i++)
    elements *= item->shape[i];
  if (item->kind == SEGUE_KIND_TENSOR || item->kind == SEGUE_KIND_PREDICTIONS)
    g_assert_cmpuint (elements * segue_dtype_size (item->dtype), ==, item->length);
  if (item->kind == SEGUE_KIND_AUDIO)
    g_assert_cmpuint (item->length % (4 * (gsize) item->channels), ==, 0);
}

static void
check_file (const SegueTreeFile *file)
{
  g_autofree char *path = g_build_filename ("/root", file->name, NULL);
  g_autofree char *real = g_canonicalize_filename (path, "/");
  g_assert_cmpstr (path, ==, real);
  g_assert_true (g_str_has_prefix (real, "/root/"));
}

static void
parse (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueResult) result = segue_result_parse (data, size, &error);
  if (!result) {
    fuzz_check_error (error);
    return;
  }
  for (guint i = 0; i < result->items->len; i++)
    check_item (result, &g_array_index (result->items, SegueResultItem, i));
  for (guint i = 0; i < result->files->len; i++)
    check_file (g_ptr_array_index (result->files, i));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  parse (data, size);
  if (size < SEGUE_RESULT_FIXED)
    return 0;

  /* The same with corrected length and checksum, to pass those checks. */
  g_autofree guint8 *fixed = g_memdup2 (data, size);
  guint32 numbers[2] = { GUINT32_TO_LE (SEGUE_RESULT_VERSION),
                         GUINT32_TO_LE ((guint32) (size - SEGUE_RESULT_FIXED)) };
  struct sha256_ctx sha;
  memcpy (fixed, SEGUE_RESULT_MAGIC, 8);
  memcpy (fixed + 8, numbers, sizeof numbers);
  sha256_init (&sha);
  sha256_update (&sha, size - SEGUE_RESULT_FIXED, fixed + SEGUE_RESULT_FIXED);
  sha256_digest (&sha, SHA256_DIGEST_SIZE, fixed + 16);
  parse (fixed, size);
  return 0;
}
