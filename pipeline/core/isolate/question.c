/* Sending an item to a worker. */
#include "isolate/question.h"
#include "isolate/shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/dataset.h>
#include <segue/error.h>
#include <string.h>
#include <unistd.h>

/* An open file may be writable, as those of a server are; a worker gets it read-only. */
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
open_payload (SegueItem *item, GError **error)
{
  if (item->body->kind == SEGUE_KIND_FILE)
    return open_to_read (item, error);
  if (!item->bytes) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
      "‘%s’ of kind %s can't be passed to an isolated stage: it is neither a file nor has bytes",
      item->body->id, segue_kind_to_string (item->body->kind));
    return -1;
  }
  gsize size;
  gconstpointer data = g_bytes_get_data (item->bytes, &size);
  return segue_shared_bytes_new (data, size, error);
}

static GVariant *
question_describe (const SegueItem *item, gint64 epoch)
{
  g_auto (SegueItemForm) form = { 0 };
  g_autoptr (GVariant) outside = segue_metadata_to_variant (item->metadata, FALSE);
  segue_item_form_of (item, item, &form);
  form.origin = 0;
  return g_variant_new (SEGUE_FORMAT_ITEM, item->body->id, item->body->song, outside,
                        item->body->path ? item->body->path : "", epoch,
                        segue_item_form_to_variant (&form));
}

gboolean
segue_question_send (int socket, const SegueSharedArena *arena, SegueItem *item, gint64 epoch,
                     SegueWait *wait, SegueWire *wire, GError **error)
{
  *wire = SEGUE_WIRE_OK;
  int fd = open_payload (item, error);
  if (fd < 0)
    return FALSE;
  *wire = segue_message_send (socket, SEGUE_MESSAGE_ARENA,
                              g_variant_new (SEGUE_FORMAT_ARENA, arena->size), arena->fd, wait);
  if (*wire == SEGUE_WIRE_OK)
    *wire =
      segue_message_send (socket, SEGUE_MESSAGE_ITEM, question_describe (item, epoch), fd, wait);
  close (fd);
  return TRUE;
}

gboolean
segue_question_receive (int socket, SegueSharedArena *arena, SegueMessage *message, SegueWait *wait)
{
  g_auto (SegueMessage) room = { .fd = -1 };
  if (segue_message_receive (socket, &room, wait) != SEGUE_WIRE_OK ||
      room.type != SEGUE_MESSAGE_ARENA || room.fd < 0)
    return FALSE;
  arena->fd = room.fd;
  room.fd = -1;
  g_variant_get (room.body, SEGUE_FORMAT_ARENA, &arena->size);
  return segue_message_receive (socket, message, wait) == SEGUE_WIRE_OK;
}

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "invalid request to a worker: %s", what);
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

/* @item as it was before its chain, to which a form adds. */
static SegueItem *
make_base (SegueKind kind, const char *id, const char *song, GVariant *outside)
{
  SegueItem *item = segue_item_derive (kind, NULL, id);
  g_ref_string_release (item->body->song);
  item->body->song = g_ref_string_new (song);
  segue_item_set_metadata (item, outside);
  segue_metadata_disown (&item->metadata);
  return item;
}

SegueItem *
segue_question_read (SegueMessage *message, SegueReads *reads, gint64 *epoch, GError **error)
{
  const char *id, *song, *path, *why;
  g_autoptr (GVariant) outside = NULL, described = NULL;
  g_auto (SegueItemForm) form = { 0 };
  if (message->type != SEGUE_MESSAGE_ITEM) {
    refuse (error, "not an item");
    return NULL;
  }
  g_variant_get (message->body, "(&s&s@a{sv}^&ayx@" SEGUE_ITEM_FORM ")", &id, &song, &outside,
                 &path, epoch, &described);
  if (!segue_item_form_from_variant (described, &form, &why) ||
      !segue_item_form_check (&form, form.length, &why)) {
    refuse (error, why);
    return NULL;
  }
  if (!segue_metadata_is_valid (outside)) {
    refuse (error, "metadata of an unknown type");
    return NULL;
  }
  g_autoptr (SegueItem) base = make_base (form.kind, id, song, outside);
  g_autoptr (SegueItem) item = segue_item_form_join (&form, base);
  item->reads = segue_reads_ref (reads);
  item->body->path = *path ? g_ref_string_new (path) : NULL;
  if (!take_payload (item, message, form.length, error))
    return NULL;
  segue_item_seal (item);
  return g_steal_pointer (&item);
}
