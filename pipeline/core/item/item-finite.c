/* Whether all samples of an item are finite: one pass, several samples at a time. */
#include "item/item-private.h"

#include <string.h>

/* The bits of several elements in one word: without signs, only an element whose exponent is all ones
 * (NaN, infinite) carries into its sign bit when one is added to the exponent. */
typedef struct {
  guint64 magnitude, one, sign;
} Lanes;

static const Lanes of_f32 = { G_GUINT64_CONSTANT (0x7fffffff7fffffff),
                              G_GUINT64_CONSTANT (0x0080000000800000),
                              G_GUINT64_CONSTANT (0x8000000080000000) };
static const Lanes of_bf16 = { G_GUINT64_CONSTANT (0x7fff7fff7fff7fff),
                               G_GUINT64_CONSTANT (0x0080008000800080),
                               G_GUINT64_CONSTANT (0x8000800080008000) };
static const Lanes of_f64 = { G_GUINT64_CONSTANT (0x7fffffffffffffff),
                              G_GUINT64_CONSTANT (0x0010000000000000),
                              G_GUINT64_CONSTANT (0x8000000000000000) };

/* NULL: all values are finite. */
static const Lanes *
lanes_of (SegueDtype dtype)
{
  switch (dtype) {
  case SEGUE_DTYPE_F32:
    return &of_f32;
  case SEGUE_DTYPE_BF16:
    return &of_bf16;
  case SEGUE_DTYPE_F64:
    return &of_f64;
  case SEGUE_DTYPE_I32:
  case SEGUE_DTYPE_U8:
    break;
  }
  return NULL;
}

/* @data: of @size bytes, any alignment. */
static gboolean
are_finite (const Lanes *lanes, const guint8 *data, gsize size)
{
  const guint64 magnitude = lanes->magnitude, one = lanes->one;
  guint64 word, seen = 0;
  for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
    memcpy (&word, data, sizeof word);
    seen |= (word & magnitude) + one;
  }
  word = 0;
  memcpy (&word, data, size);
  seen |= (word & magnitude) + one;
  return (seen & lanes->sign) == 0;
}

gboolean
segue_item_is_finite (const SegueItem *item, gsize *at)
{
  gsize size, each = segue_dtype_size (item->body->dtype);
  const Lanes *lanes = lanes_of (item->body->dtype);
  if (!item->bytes || !lanes)
    return TRUE;
  const guint8 *data = g_bytes_get_data (item->bytes, &size);
  if (size == 0 || are_finite (lanes, data, size))
    return TRUE;
  for (*at = 0; are_finite (lanes, data + *at * each, each); (*at)++)
    ;
  return FALSE;
}
