/* Writing records: slices that overlap in memory become one stretch of the file. */
#include "item/stretch.h"
#include "store/header.h"
#include "store/record-private.h"

#include <nettle/sha2.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>

/* (transfer full): %NULL: it derives from another item. */
static GVariant *
describe_item (const SegueRecordContent *content, const SegueItem *item, GArray *stretches)
{
  g_auto (SegueItemForm) form = { 0 };
  const SegueStretch *stretch = segue_stretches_get (stretches, item);
  if (item->origin >= content->n_inputs ||
      !segue_item_form_of (item, content->inputs[item->origin], &form))
    return NULL;
  if (stretch) {
    const guint8 *begin = g_bytes_get_data (item->bytes, NULL);
    form.offset = stretch->offset + (guint64) (begin - stretch->begin);
  }
  return segue_item_form_to_variant (&form);
}

static GVariant *
record_describe (const SegueRecordContent *content, GArray *stretches, GError **error)
{
  static const char *const none[] = { NULL };
  g_auto (GVariantBuilder) items = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a" SEGUE_ITEM_FORM));
  g_auto (GVariantBuilder) counts = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usx)"));
  for (guint i = 0; content->counts && i < content->counts->len; i++) {
    const SegueCount *count = &g_array_index (content->counts, SegueCount, i);
    g_variant_builder_add (&counts, "(usx)", count->stage, count->name, count->n);
  }
  for (guint i = 0; i < content->n_items; i++) {
    GVariant *item = describe_item (content, content->items[i], stretches);
    if (!item) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                   "‘%s’ does not derive from an input of its song", content->items[i]->body->id);
      return NULL;
    }
    g_variant_builder_add_value (&items, item);
  }
  return segue_header_swap (g_variant_new (
    "(s^as^as(ius)@a(usx)@a" SEGUE_ITEM_FORM ")", content->key, content->components,
    content->reads ? content->reads : none, content->failure ? content->failure->code : -1,
    content->failed, content->failure ? content->failure->message : "",
    g_variant_builder_end (&counts), g_variant_builder_end (&items)));
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
  g_autoptr (GVariant) header = record_describe (content, stretches, error);
  if (!header)
    return FALSE;
  gsize length = g_variant_get_size (header);
  if (length > SEGUE_RECORD_MAX_HEADER) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a song has too many items (%u) to be cached", content->n_items);
    return FALSE;
  }
  gsize padded = (SEGUE_RECORD_FIXED + length + 63) / 64 * 64 - SEGUE_RECORD_FIXED;
  g_autofree guint8 *start = g_malloc0 (SEGUE_RECORD_FIXED + padded);
  g_variant_store (header, start + SEGUE_RECORD_FIXED);
  memcpy (start, SEGUE_RECORD_MAGIC, 8);
  segue_header_put (start + 8, SEGUE_RECORD_VERSION, 4);
  segue_header_put (start + 12, length, 4);
  segue_header_put (start + 16, SEGUE_RECORD_FIXED + padded, 8);
  segue_header_put (start + 24, total, 8);
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
