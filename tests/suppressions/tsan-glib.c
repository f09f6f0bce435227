/* What a thread sanitizer has to be told about GLib.
 *
 * Debian's GLib is built without it: its mutexes are futexes and its reference counts are atomics
 * that
 * the sanitizer does not see, so that everything guarded by them looks like a race.  Linked into a
 * program, these functions take the place of GLib's for all calls from instrumented code, do the
 * same, and say what it means.  For builds with -Db_sanitize=thread only. */
#include <dlfcn.h>
#include <gio/gio.h>
#include <glib.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

#undef g_mutex_lock
#undef g_mutex_unlock
#undef g_mutex_trylock

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock) (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean ok = REAL (g_mutex_trylock) (mutex);
  if (ok)
    __tsan_acquire (mutex);
  return ok;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_mutex_unlock) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

/* A last reference sees all that went before it. */

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  __tsan_release (box);
  __tsan_acquire (box);
  REAL (g_atomic_rc_box_release_full) (box, clear);
}

gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  __tsan_release (count);
  gboolean last = REAL (g_atomic_ref_count_dec) (count);
  __tsan_acquire (count);
  return last;
}

void
g_bytes_unref (GBytes *bytes)
{
  __tsan_release (bytes);
  __tsan_acquire (bytes);
  REAL (g_bytes_unref) (bytes);
}

void
g_variant_unref (GVariant *value)
{
  __tsan_release (value);
  __tsan_acquire (value);
  REAL (g_variant_unref) (value);
}

void
g_ref_string_release (char *string)
{
  __tsan_release (string);
  __tsan_acquire (string);
  REAL (g_ref_string_release) (string);
}

void
g_cancellable_cancel (GCancellable *cancellable)
{
  __tsan_release (cancellable);
  REAL (g_cancellable_cancel) (cancellable);
}

gboolean
g_cancellable_is_cancelled (GCancellable *cancellable)
{
  gboolean cancelled = REAL (g_cancellable_is_cancelled) (cancellable);
  __tsan_acquire (cancellable);
  return cancelled;
}
