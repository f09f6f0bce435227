/* Emitted items → dataset; large payloads are spooled. */
#include "stage/builder.h"
#include "item/item-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Up to this size, payloads stay in memory: predictions and metrics never reach it. */
#define MEMORY_LIMIT (32 * 1024 * 1024)

struct _SegueBuilder {
  char *folder;
  GPtrArray *entries;
  gsize in_memory;
  SegueStorage *spool;
  int fd; /* the spool's */
  guint64 spooled;
};

SegueBuilder *
segue_builder_new (const char *folder)
{
  SegueBuilder *builder = g_new0 (SegueBuilder, 1);
  builder->folder = g_strdup (folder);
  builder->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  builder->fd = -1;
  return builder;
}

void
segue_builder_free (SegueBuilder *builder)
{
  if (!builder)
    return;
  g_ptr_array_unref (builder->entries);
  segue_storage_unref (builder->spool);
  g_free (builder->folder);
  g_free (builder);
}

guint
segue_builder_get_length (SegueBuilder *builder)
{
  return builder->entries->len;
}

static gboolean
open_spool (SegueBuilder *builder, GError **error)
{
  if (builder->spool)
    return TRUE;
  g_autofree char *path = g_build_filename (builder->folder, ".spool-XXXXXX", NULL);
  builder->fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (builder->fd < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't make a temporary file in", builder->folder);
  (void) g_unlink (path);
  builder->spool = segue_storage_new_fd (builder->fd);
  return TRUE;
}

static gboolean
write_spool (SegueBuilder *builder, GBytes *bytes, GError **error)
{
  gsize length;
  const guint8 *at = g_bytes_get_data (bytes, &length);
  while (length > 0) {
    gssize n = pwrite (builder->fd, at, MIN (length, (gsize) 1 << 30), (off_t) builder->spooled);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO,
                                         "can't write a temporary file in", builder->folder);
    at += n;
    length -= (gsize) n;
    builder->spooled += (guint64) n;
  }
  return TRUE;
}

/* A copy: a small slice must not keep its song in memory. NULL: it has to go to the spool. */
static GBytes *
copy_into_memory (SegueBuilder *builder, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  gpointer copy = size <= MEMORY_LIMIT - builder->in_memory ? g_try_malloc (MAX (size, 1)) : NULL;
  if (!copy)
    return NULL;
  if (size > 0)
    memcpy (copy, data, size);
  builder->in_memory += size;
  return g_bytes_new_take (copy, size);
}

gboolean
segue_builder_add (SegueBuilder *builder, SegueItem *item, GError **error)
{
  SegueExtent extent = { 0 };
  if (item->bytes) {
    extent.length = g_bytes_get_size (item->bytes);
    extent.memory = copy_into_memory (builder, item->bytes);
    if (!extent.memory) {
      extent.offset = builder->spooled;
      if (!open_spool (builder, error) || !write_spool (builder, item->bytes, error))
        return FALSE;
      extent.storage = builder->spool;
    }
  }
  g_ptr_array_add (builder->entries, segue_item_copy_as_output (item, &extent));
  g_clear_pointer (&extent.memory, g_bytes_unref);
  return TRUE;
}

SegueDataset *
segue_builder_finish (SegueBuilder *builder, GError **error)
{
  GPtrArray *entries = g_steal_pointer (&builder->entries);
  builder->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_autoptr (SegueDataset) dataset = segue_dataset_new (entries, NULL);
  for (guint i = 1; i < segue_dataset_get_length (dataset); i++) {
    const SegueItem *item = segue_dataset_get_entry (dataset, i);
    if (segue_item_compare (&(const SegueItem *){ segue_dataset_get_entry (dataset, i - 1) },
                            &item) == 0) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "two items have the id ‘%s’",
                   item->body->id);
      return NULL;
    }
  }
  return g_steal_pointer (&dataset);
}
