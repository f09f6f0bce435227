/* An item on its way to a worker. */
#include "question.h"
#include "shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <string.h>
#include <unistd.h>

/* An open file may be one that its owner writes to, as a server does; a worker gets it to read. */
static int
open_to_read (SegueItem *item, GError **error)
{
  int fd = segue_item_open (item, error);
  if (fd < 0 || (fcntl (fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
    return fd;
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int reading = open (path, O_RDONLY | O_CLOEXEC);
  if (reading < 0)
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't open for reading only",
                                item->body->id);
  close (fd);
  return reading;
}

/* The item's file, or its bytes as shared memory; -1 with @error. */
static int
open_payload (SegueItem *item, guint64 *length, GError **error)
{
  *length = 0;
  if (item->body->kind == SEGUE_KIND_FILE)
    return open_to_read (item, error);
  if (!item->bytes) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
      "‘%s’ of kind %s can't be given to an isolated stage: it is neither a file nor has "
      "bytes that a process could be handed",
      item->body->id, segue_kind_to_string (item->body->kind));
    return -1;
  }
  gsize size;
  gconstpointer data = g_bytes_get_data (item->bytes, &size);
  *length = size;
  return segue_shared_bytes_new (data, size, error);
}

static GVariant *
describe (const SegueItem *item, guint64 length, gint64 epoch)
{
  guint64 shape[SEGUE_MAX_RANK];
  for (guint i = 0; i < item->body->rank; i++)
    shape[i] = item->body->shape[i];
  g_autoptr (GVariant) own = segue_metadata_to_variant (item->metadata, TRUE);
  g_autoptr (GVariant) all = segue_metadata_to_variant (item->metadata, FALSE);
  return g_variant_new (
    SEGUE_FORMAT_ITEM, (guint32) item->body->kind, item->body->id, item->body->song, all, own,
    item->body->path ? item->body->path : "", item->body->rate, item->body->channels,
    (guint32) item->body->dtype,
    g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, shape, item->body->rank, sizeof *shape),
    length, epoch);
}

gboolean
segue_question_send (int socket, SegueItem *item, gint64 epoch, SegueWait *wait, SegueWire *wire,
                     GError **error)
{
  guint64 length;
  *wire = SEGUE_WIRE_OK;
  int fd = open_payload (item, &length, error);
  if (fd < 0)
    return FALSE;
  *wire = segue_message_send (socket, SEGUE_MESSAGE_ITEM, describe (item, length, epoch), fd, wait);
  close (fd);
  return TRUE;
}

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "a worker was asked nonsense: %s", what);
  return FALSE;
}

static gboolean
take_payload (SegueItem *item, SegueMessage *message, guint64 length, GError **error)
{
  int lacks;
  if (message->fd < 0)
    return refuse (error, "an item without a payload");
  if (item->body->kind == SEGUE_KIND_FILE) {
    item->body->file = segue_open_file_new (message->fd);
    message->fd = -1;
    return TRUE;
  }
  item->bytes = segue_shared_bytes_map (message->fd, length, &lacks);
  return item->bytes || refuse (error, "a payload that can't be mapped");
}

static void
set_all (SegueItem *item, GVariant *values)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;
  g_variant_iter_init (&iter, values);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    segue_metadata_set (&item->metadata, key, value);
}

SegueItem *
segue_question_read (SegueMessage *message, SegueReads *reads, gint64 *epoch, GError **error)
{
  guint32 kind, dtype;
  guint64 length;
  const char *id, *song, *path;
  g_autoptr (GVariant) all = NULL, own = NULL, shape = NULL;
  gsize rank;
  if (message->type != SEGUE_MESSAGE_ITEM) {
    refuse (error, "no item");
    return NULL;
  }
  guint32 rate, channels;
  g_variant_get (message->body, "(u&s&s@a{sv}@a{sv}^&ayuuu@attx)", &kind, &id, &song, &all, &own,
                 &path, &rate, &channels, &dtype, &shape, &length, epoch);
  const guint64 *sizes = g_variant_get_fixed_array (shape, &rank, sizeof *sizes);
  if (kind > SEGUE_KIND_METRICS || dtype > SEGUE_DTYPE_U8 || rank > SEGUE_MAX_RANK ||
      !segue_metadata_is_valid (all) || !segue_metadata_is_valid (own)) {
    refuse (error, "an item that can't be");
    return NULL;
  }
  gsize dimensions[SEGUE_MAX_RANK];
  for (gsize i = 0; i < rank; i++)
    dimensions[i] = (gsize) sizes[i];
  g_autoptr (SegueItem) item = segue_item_derive (kind, NULL, id);
  g_ref_string_release (item->body->song);
  item->body->song = g_ref_string_new (song);
  set_all (item, all);
  segue_metadata_disown (&item->metadata);
  set_all (item, own);
  item->reads = segue_reads_ref (reads);
  item->body->path = *path ? g_ref_string_new (path) : NULL;
  item->body->rate = rate;
  item->body->channels = channels;
  item->body->dtype = dtype;
  segue_item_set_shape (item, (guint) rank, dimensions);
  if (!take_payload (item, message, length, error))
    return NULL;
  segue_item_seal (item);
  return g_steal_pointer (&item);
}
