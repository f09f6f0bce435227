/* Reading records: nothing in them is trusted before it is checked. */
#include "base/sha256.h"
#include "store/header.h"
#include "store/record-private.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

void
segue_record_free (SegueRecord *record)
{
  if (!record)
    return;
  g_free (record->key);
  g_strfreev (record->components);
  g_strfreev (record->reads);
  g_clear_error (&record->failure);
  g_clear_pointer (&record->counts, g_array_unref);
  g_clear_pointer (&record->items, g_array_unref);
  g_free (record);
}

static gboolean
damaged (GError **error, const char *what)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "damaged record: %s", what);
  return FALSE;
}

/* Sizes in the fixed part: header and payload are within the file, in this order. */
static gboolean
check_fixed (const guint8 *data, guint64 file_size, gsize *header, guint64 *payload, GError **error)
{
  if (file_size < SEGUE_RECORD_FIXED || memcmp (data, SEGUE_RECORD_MAGIC, 8) != 0)
    return damaged (error, "it does not begin with the signature of a record");
  if (segue_header_get (data + 8, 4) != SEGUE_RECORD_VERSION)
    return damaged (error, "it has another format version");
  *header = segue_header_get (data + 12, 4);
  *payload = segue_header_get (data + 16, 8);
  guint64 length = segue_header_get (data + 24, 8);
  if (*header > SEGUE_RECORD_MAX_HEADER || *payload % 64 != 0 ||
      *payload < SEGUE_RECORD_FIXED + *header || *payload > file_size)
    return damaged (error, "its header has an invalid size");
  if (length != file_size - *payload)
    return damaged (error, "its size is wrong");
  return TRUE;
}

static gboolean
parse_item (GVariant *value, const SegueRecord *record, SegueItemForm *item, GError **error)
{
  const char *why;
  if (!segue_item_form_from_variant (value, item, &why) ||
      !segue_item_form_check (item, record->payload_length, &why))
    return damaged (error, why);
  if (item->origin < 0)
    return damaged (error, "an item with an invalid origin");
  if (!segue_kind_has_bytes (item->kind) && item->kind != SEGUE_KIND_FILE)
    return damaged (error, "an item of an invalid kind");
  if (item->kind == SEGUE_KIND_FILE && *item->suffix != '\0')
    return damaged (error, "a file that derives from another");
  item->offset += record->payload_offset;
  return TRUE;
}

static void
clear_count (gpointer data)
{
  g_free (((SegueCount *) data)->name);
}

static void
parse_counts (SegueRecord *record, GVariant *counts)
{
  GVariantIter iter;
  SegueCount count;
  record->counts = g_array_new (FALSE, FALSE, sizeof (SegueCount));
  g_array_set_clear_func (record->counts, clear_count);
  g_variant_iter_init (&iter, counts);
  while (g_variant_iter_next (&iter, "(usx)", &count.stage, &count.name, &count.n))
    g_array_append_val (record->counts, count);
}

static gboolean
parse_header (SegueRecord *record, GVariant *header, GError **error)
{
  gint32 code;
  g_autofree char *message = NULL;
  g_autoptr (GVariant) counts = NULL;
  g_autoptr (GVariant) items = NULL;
  g_variant_get (header, "(s^as^as(ius)@a(usx)@a" SEGUE_ITEM_FORM ")", &record->key,
                 &record->components, &record->reads, &code, &record->failed, &message, &counts,
                 &items);
  if (!segue_sha256_is_valid (record->key))
    return damaged (error, "its key is invalid");
  if (code != -1 && code != SEGUE_ERROR_DATA && code != SEGUE_ERROR_UNSUPPORTED)
    return damaged (error, "a failure of a kind that is not cached");
  if (code != -1)
    record->failure = g_error_new_literal (SEGUE_ERROR, code, message);
  parse_counts (record, counts);
  gsize n = g_variant_n_children (items);
  if (n > G_MAXUINT || (n > 0 && (record->failure || record->reads[0])))
    return damaged (error, "it has unexpected items");
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) value = g_variant_get_child_value (items, i);
    SegueItemForm item;
    gboolean ok = parse_item (value, record, &item, error);
    g_array_append_val (record->items, item);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

SegueRecord *
segue_record_parse (const guint8 *data, gsize size, guint64 file_size, GError **error)
{
  gsize length;
  guint64 payload;
  guint8 digest[32];
  if (size < SEGUE_RECORD_FIXED || size > file_size) {
    damaged (error, "it is truncated");
    return NULL;
  }
  if (!check_fixed (data, file_size, &length, &payload, error))
    return NULL;
  if (size - SEGUE_RECORD_FIXED < length) {
    damaged (error, "it is truncated");
    return NULL;
  }
  segue_record_header_digest (data, data + SEGUE_RECORD_FIXED, length, digest);
  if (memcmp (digest, data + 32, sizeof digest) != 0) {
    damaged (error, "its header's checksum is wrong");
    return NULL;
  }
  g_autoptr (GVariant) header =
    segue_header_parse (SEGUE_RECORD_TYPE, data + SEGUE_RECORD_FIXED, length);
  if (!header) {
    damaged (error, "its header is malformed");
    return NULL;
  }

  g_autoptr (SegueRecord) record = g_new0 (SegueRecord, 1);
  record->items = g_array_new (FALSE, TRUE, sizeof (SegueItemForm));
  g_array_set_clear_func (record->items, (GDestroyNotify) segue_item_form_clear);
  record->payload_offset = payload;
  record->payload_length = file_size - payload;
  memcpy (record->payload_digest, data + 64, sizeof record->payload_digest);
  return parse_header (record, header, error) ? g_steal_pointer (&record) : NULL;
}

static gboolean
check_payload (int fd, const char *path, const SegueRecord *record, GCancellable *cancellable,
               GError **error)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  guint8 buffer[CHUNK];
  for (guint64 at = 0; at < record->payload_length;) {
    gsize n = (gsize) MIN (record->payload_length - at, CHUNK);
    if (g_cancellable_is_cancelled (cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    if (!segue_pread_all (fd, buffer, n, record->payload_offset + at, path, error))
      return FALSE;
    sha256_update (&sha, n, buffer);
    at += n;
  }
  guint8 digest[SHA256_DIGEST_SIZE];
  sha256_digest (&sha, SHA256_DIGEST_SIZE, digest);
  return memcmp (digest, record->payload_digest, sizeof digest) == 0 ||
         damaged (error, "its payload's checksum is wrong");
}

static SegueRecord *
read_open (int fd, const char *path, const char *key, gboolean verify, GCancellable *cancellable,
           GError **error)
{
  struct stat st;
  guint8 fixed[SEGUE_RECORD_FIXED];
  gsize length;
  guint64 payload;
  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode) || st.st_size < SEGUE_RECORD_FIXED) {
    damaged (error, "it is truncated");
    return NULL;
  }
  guint64 size = (guint64) st.st_size;
  if (!segue_pread_all (fd, fixed, sizeof fixed, 0, path, error) ||
      !check_fixed (fixed, size, &length, &payload, error))
    return NULL;
  g_autofree guint8 *data = g_try_malloc (SEGUE_RECORD_FIXED + length);
  if (!data) {
    damaged (error, "its header does not fit into memory");
    return NULL;
  }
  if (!segue_pread_all (fd, data, SEGUE_RECORD_FIXED + length, 0, path, error))
    return NULL;
  g_autoptr (SegueRecord) record =
    segue_record_parse (data, SEGUE_RECORD_FIXED + length, size, error);
  if (!record)
    return NULL;
  if (strcmp (record->key, key) != 0) {
    damaged (error, "it belongs to another key");
    return NULL;
  }
  if (verify && !check_payload (fd, path, record, cancellable, error))
    return NULL;
  return g_steal_pointer (&record);
}

SegueRecord *
segue_record_read (const char *path, const char *key, gboolean verify, GCancellable *cancellable,
                   GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open", path);
    return NULL;
  }
  SegueRecord *record = read_open (fd, path, key, verify, cancellable, error);
  close (fd);
  return record;
}
