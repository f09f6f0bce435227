/* Numbers and GVariants as bytes in the store's files. */
#include "store/header.h"

guint64
segue_header_get (const guint8 *at, guint bytes)
{
  guint64 value = 0;
  for (guint i = 0; i < bytes; i++)
    value |= (guint64) at[i] << (8 * i);
  return value;
}

void
segue_header_put (guint8 *at, guint64 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++)
    at[i] = (guint8) (value >> (8 * i));
}

GVariant *
segue_header_swap (GVariant *header)
{
  g_autoptr (GVariant) own = g_variant_ref_sink (header);
  return G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_steal_pointer (&own) : g_variant_byteswap (own);
}

GVariant *
segue_header_parse (const char *type, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) raw =
    g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE));
  return g_variant_is_normal_form (raw) ? segue_header_swap (raw) : NULL;
}
