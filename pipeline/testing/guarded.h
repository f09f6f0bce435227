/* Memory for one call, with guards before and after it (internal). */
#pragma once

#include <glib.h>

/* The content of guards, and of memory that a call has to write, or must not. */
#define GUARD_MARK 0xa5

typedef struct {
  guint8 *block;
  gsize bytes;
} Guarded;

/** guarded_open: @bytes, aligned to 64 bytes, filled with @content. */
void guarded_open (Guarded *memory, gsize bytes, guint8 content);
/** guarded_get: (transfer none): the bytes. */
gpointer guarded_get (const Guarded *memory);
/** guarded_is_intact: whether both guards are as they were. */
gboolean guarded_is_intact (const Guarded *memory);
void guarded_clear (Guarded *memory);

/** guard_is_marked: whether all of @n bytes at @data are marks. */
gboolean guard_is_marked (gconstpointer data, gsize n);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Guarded, guarded_clear)
