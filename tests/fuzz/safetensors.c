/* safetensors files: whatever the bytes are, reported tensors are within them, without overlap. */
#include "standalone.h"

#include <segue/nn/safetensors.h>
#include <string.h>

static void
check (SegueSafetensors *file, size_t size)
{
  gsize n_tensors;
  guint64 total = 0;
  const SegueTensorInfo *tensors = segue_safetensors_list (file, &n_tensors);
  for (gsize i = 0; i < n_tensors; i++) {
    const SegueTensorInfo *tensor = &tensors[i];
    gsize n = 1;
    g_assert_cmpuint (tensor->n_dims, <=, SEGUE_SAFETENSORS_MAX_DIMENSIONS);
    for (guint d = 0; d < tensor->n_dims; d++)
      n *= tensor->shape[d];
    g_assert_cmpuint (n, ==, tensor->n_elements);
    if (tensor->dtype != SEGUE_SAFETENSORS_OTHER)
      g_assert_cmpuint (n * segue_safetensors_dtype_get_size (tensor->dtype), ==, tensor->n_bytes);
    g_assert_cmpuint (tensor->offset, <=, size);
    g_assert_cmpuint (tensor->n_bytes, <=, size - tensor->offset);
    g_assert_true (segue_safetensors_lookup (file, tensor->name) == tensor);
    total += tensor->n_bytes;

    g_autofree guint8 *raw = g_malloc (MAX (tensor->n_bytes, 1));
    g_autofree float *values = g_new (float, MAX (n, 1));
    g_assert_true (segue_safetensors_read (file, tensor, raw, NULL));
    (void) segue_safetensors_read_f32 (file, tensor->name, tensor->n_dims, tensor->shape, values,
                                       NULL);
  }
  g_assert_cmpuint (total, <=, size);
}

static void
try_open (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_bytes (bytes, "fuzz", &error);
  g_assert_true ((!file) == (error != NULL));
  if (file)
    check (file, size);
  else
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  try_open (data, size);
  if (size < 8)
    return 0;

  /* The same with a corrected header length, to pass that check: up to the last brace. */
  const guint8 *end = memrchr (data + 8, '}', size - 8);
  if (!end)
    return 0;
  g_autofree guint8 *fixed = g_memdup2 (data, size);
  guint64 length = GUINT64_TO_LE ((guint64) (end - data) - 7);
  memcpy (fixed, &length, sizeof length);
  try_open (fixed, size);
  return 0;
}
