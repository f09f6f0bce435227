#include "base/interned.h"

/* GLib finds a string under a lock of its own, but lets go of the last reference outside of it: of two
 * threads, one may be handed what the other is just about to free. */
static GMutex lock;

GRefString *
segue_interned_new (const char *text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  return g_ref_string_new_intern (text);
}

void
segue_interned_release (GRefString *text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_ref_string_release (text);
}
