/* Writing records: slices that overlap in memory become one stretch of the file. */
#include "record-private.h"
#include "stretch.h"

#include <nettle/sha2.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>

static guint64
offset_of (GArray *stretches, const SegueItem *item, gsize *size)
{
  const SegueStretch *stretch = segue_stretches_get (stretches, item);
  *size = 0;
  if (!stretch)
    return 0;
  const guint8 *begin = g_bytes_get_data (item->bytes, size);
  return stretch->offset + (guint64) (begin - stretch->begin);
}

static GVariant *
describe_item (const SegueRecordContent *content, const SegueItem *item, GArray *stretches)
{
  gsize size;
  guint64 offset = offset_of (stretches, item, &size);
  const char *suffix = item->body->id + strlen (content->inputs[item->origin]->body->id);
  g_autoptr (GVariant) delta = segue_metadata_to_variant (item->metadata, TRUE);
  guint64 shape[SEGUE_MAX_RANK];
  for (guint i = 0; i < item->body->rank; i++)
    shape[i] = item->body->shape[i];
  GVariant *sizes =
    g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, shape, item->body->rank, sizeof *shape);
  return g_variant_new ("(sy@a{sv}uuy@atutt)", suffix, (guchar) item->body->kind, delta,
                        item->body->rate, item->body->channels, (guchar) item->body->dtype, sizes,
                        item->origin, offset, (guint64) size);
}

static GVariant *
describe (const SegueRecordContent *content, GArray *stretches)
{
  static const char *const none[] = { NULL };
  g_auto (GVariantBuilder) items = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a" SEGUE_RECORD_ITEM));
  g_auto (GVariantBuilder) counts = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usx)"));
  for (guint i = 0; content->counts && i < content->counts->len; i++) {
    const SegueCount *count = &g_array_index (content->counts, SegueCount, i);
    g_variant_builder_add (&counts, "(usx)", count->stage, count->name, count->n);
  }
  for (guint i = 0; i < content->n_items; i++)
    g_variant_builder_add_value (&items, describe_item (content, content->items[i], stretches));
  GVariant *header = g_variant_new (
    "(s^as^as(ius)@a(usx)@a" SEGUE_RECORD_ITEM ")", content->key, content->components,
    content->reads ? content->reads : none, content->failure ? content->failure->code : -1,
    content->failed, content->failure ? content->failure->message : "",
    g_variant_builder_end (&counts), g_variant_builder_end (&items));
  g_variant_ref_sink (header);
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
    return header;
  GVariant *swapped = g_variant_byteswap (header);
  g_variant_unref (header);
  return swapped;
}

static void
put (guint8 *at, guint64 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++)
    at[i] = (guint8) (value >> (8 * i));
}

void
segue_record_header_digest (const guint8 *fixed, const guint8 *header, gsize length,
                            guint8 digest[32])
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  sha256_update (&sha, 32, fixed);
  sha256_update (&sha, 32, fixed + 64);
  sha256_update (&sha, length, header);
  sha256_digest (&sha, SHA256_DIGEST_SIZE, digest);
}

static void
digest_payload (GArray *stretches, guint8 digest[32])
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  for (guint i = 0; i < stretches->len; i++) {
    const SegueStretch *stretch = &g_array_index (stretches, SegueStretch, i);
    sha256_update (&sha, (gsize) (stretch->end - stretch->begin), stretch->begin);
  }
  sha256_digest (&sha, SHA256_DIGEST_SIZE, digest);
}

gboolean
segue_record_write (const char *path, const SegueRecordContent *content, GError **error)
{
  guint64 total;
  g_autoptr (GArray) stretches = segue_stretches_find (content->items, content->n_items, &total);
  g_autoptr (GVariant) header = describe (content, stretches);
  gsize length = g_variant_get_size (header);
  if (length > SEGUE_RECORD_MAX_HEADER) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a song became too many items (%u) to be kept", content->n_items);
    return FALSE;
  }
  gsize padded = (SEGUE_RECORD_FIXED + length + 63) / 64 * 64 - SEGUE_RECORD_FIXED;
  g_autofree guint8 *start = g_malloc0 (SEGUE_RECORD_FIXED + padded);
  g_variant_store (header, start + SEGUE_RECORD_FIXED);
  memcpy (start, SEGUE_RECORD_MAGIC, 8);
  put (start + 8, SEGUE_RECORD_VERSION, 4);
  put (start + 12, length, 4);
  put (start + 16, SEGUE_RECORD_FIXED + padded, 8);
  put (start + 24, total, 8);
  digest_payload (stretches, start + 64);
  segue_record_header_digest (start, start + SEGUE_RECORD_FIXED, length, start + 32);

  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  if (!writer || !segue_file_writer_write (writer, start, SEGUE_RECORD_FIXED + padded, error))
    return FALSE;
  for (guint i = 0; i < stretches->len; i++) {
    const SegueStretch *stretch = &g_array_index (stretches, SegueStretch, i);
    gsize size = (gsize) (stretch->end - stretch->begin);
    if (!segue_file_writer_write (writer, stretch->begin, size, error))
      return FALSE;
  }
  return segue_file_writer_commit (writer, error);
}
