/* Records of the store: whatever the bytes are, the returned data is within them. */
#include "standalone.h"
#include "store/record-private.h"

#include <string.h>

static void
check (const SegueRecord *record, size_t size)
{
  g_assert_cmpuint (record->payload_offset + record->payload_length, ==, size);
  for (guint i = 0; i < record->items->len; i++) {
    const SegueItemForm *item = &g_array_index (record->items, SegueItemForm, i);
    g_assert_cmpuint (item->offset, >=, record->payload_offset);
    g_assert_cmpuint (item->offset, <=, size);
    g_assert_cmpuint (item->length, <=, size - item->offset);
    g_assert_cmpuint (item->rank, <=, SEGUE_MAX_RANK);
    gsize elements = 1;
    for (guint j = 0; j < item->rank; j++)
      elements *= item->shape[j];
    if (item->kind == SEGUE_KIND_TENSOR)
      g_assert_cmpuint (elements * segue_dtype_size (item->dtype), ==, item->length);
    if (item->kind == SEGUE_KIND_AUDIO)
      g_assert_cmpuint (item->length % (4 * (gsize) item->channels), ==, 0);
    g_autoptr (GVariant) copy = g_variant_ref (item->delta);
    g_assert_true (segue_metadata_is_valid (copy));
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (SegueRecord) record = segue_record_parse (data, size, size, NULL);
  if (record)
    check (record, size);
  if (size < SEGUE_RECORD_FIXED)
    return 0;

  /* The same with corrected sizes and checksum, to pass those checks. */
  g_autofree guint8 *fixed = g_memdup2 (data, size);
  gsize header = fixed[12] | fixed[13] << 8;
  header = MIN (header, size - SEGUE_RECORD_FIXED);
  gsize payload = (SEGUE_RECORD_FIXED + header + 63) / 64 * 64;
  if (payload > size)
    return 0;
  guint64 values[2] = { payload, size - payload };
  memcpy (fixed, SEGUE_RECORD_MAGIC, 8);
  memset (fixed + 8, 0, 24);
  fixed[8] = SEGUE_RECORD_VERSION;
  fixed[12] = (guint8) header;
  fixed[13] = (guint8) (header >> 8);
  for (guint i = 0; i < 8; i++) {
    fixed[16 + i] = (guint8) (values[0] >> (8 * i));
    fixed[24 + i] = (guint8) (values[1] >> (8 * i));
  }
  segue_record_header_digest (fixed, fixed + SEGUE_RECORD_FIXED, header, fixed + 32);
  g_autoptr (SegueRecord) repaired = segue_record_parse (fixed, size, size, NULL);
  if (repaired)
    check (repaired, size);
  return 0;
}
