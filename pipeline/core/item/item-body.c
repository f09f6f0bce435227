/* The body that an item shares with its copies. */
#include "item/item-private.h"

#include <string.h>
#include <unistd.h>

struct _SegueOpenFile {
  int fd;
};

SegueOpenFile *
segue_open_file_new (int fd)
{
  SegueOpenFile *file = g_atomic_rc_box_new (SegueOpenFile);
  file->fd = fd;
  return file;
}

int
segue_open_file_get_fd (const SegueOpenFile *file)
{
  return file->fd;
}

static void
clear_open_file (gpointer data)
{
  close (((SegueOpenFile *) data)->fd);
}

SegueItemBody *
segue_item_body_new (SegueKind kind, const char *id, GRefString *song)
{
  gsize size = strlen (id) + 1;
  SegueItemBody *body = g_malloc0 (sizeof (SegueItemBody) + size);
  g_atomic_ref_count_init (&body->refs);
  body->kind = kind;
  body->song = g_ref_string_acquire (song);
  memcpy (body->id, id, size);
  return body;
}

void
segue_item_body_unref (SegueItemBody *body)
{
  if (!g_atomic_ref_count_dec (&body->refs))
    return;
  g_ref_string_release (body->song);
  g_clear_pointer (&body->key, g_ref_string_release);
  g_clear_pointer (&body->extent.memory, g_bytes_unref);
  segue_storage_unref (body->extent.storage);
  g_clear_pointer (&body->path, g_ref_string_release);
  if (body->file)
    g_atomic_rc_box_release_full (body->file, clear_open_file);
  g_free (body->shape);
  g_free (body);
}

static void
set_extent (SegueItemBody *body, const SegueExtent *extent)
{
  body->extent = *extent;
  if (extent->storage)
    segue_storage_ref (extent->storage);
  if (extent->memory)
    g_bytes_ref (extent->memory);
}

SegueItemBody *
segue_item_body_copy (const SegueItemBody *body, const SegueExtent *extent)
{
  SegueItemBody *copy = segue_item_body_new (body->kind, body->id, body->song);
  copy->dtype = body->dtype;
  copy->rank = body->rank;
  copy->rate = body->rate;
  copy->channels = body->channels;
  copy->key_index = body->key_index;
  copy->key = body->key ? g_ref_string_acquire (body->key) : NULL;
  set_extent (copy, extent);
  copy->path = body->path ? g_ref_string_acquire (body->path) : NULL;
  copy->file = body->file ? g_atomic_rc_box_acquire (body->file) : NULL;
  copy->shape = g_memdup2 (body->shape, body->rank * sizeof *body->shape);
  return copy;
}
