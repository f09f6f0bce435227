/* Memory with guards. */
#include "guarded.h"

#include <stdlib.h>
#include <string.h>

#define GUARD ((gsize) 4096) /* bytes before and after, a multiple of the alignment */
#define ALIGN ((gsize) 64)

void
guarded_open (Guarded *memory, gsize bytes, guint8 content)
{
  gsize whole = (bytes + ALIGN - 1) / ALIGN * ALIGN + 2 * GUARD;
  *memory = (Guarded){ aligned_alloc (ALIGN, whole), bytes };
  g_assert (memory->block);
  memset (memory->block, GUARD_MARK, whole);
  memset (memory->block + GUARD, content, bytes);
}

gpointer
guarded_get (const Guarded *memory)
{
  return memory->block + GUARD;
}

gboolean
guarded_is_intact (const Guarded *memory)
{
  return guard_is_marked (memory->block, GUARD) &&
         guard_is_marked (memory->block + GUARD + memory->bytes, GUARD);
}

void
guarded_clear (Guarded *memory)
{
  free (memory->block);
  *memory = (Guarded){ NULL, 0 };
}

gboolean
guard_is_marked (gconstpointer data, gsize n)
{
  const guint8 *bytes = data;
  for (gsize i = 0; i < n; i++)
    if (bytes[i] != GUARD_MARK)
      return FALSE;
  return TRUE;
}
