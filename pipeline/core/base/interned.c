#include "base/interned.h"

/* GLib looks a string up under its own lock, but drops the last reference outside it: a thread may
 * get a string that another is about to free. */
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
