#include "run/run-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/host/segue.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME     ".running"
#define MAX_TEXT 256
#define START    22 /* of /proc/PID/stat: when the process began */

/* Reads into @text, of @size bytes; FALSE: there is no such file, or it is empty. */
static gboolean
read_small (int fd, char *text, gsize size)
{
  gssize n = fd >= 0 ? pread (fd, text, size - 1, 0) : -1;
  text[MAX (n, 0)] = '\0';
  return n > 0;
}

static gboolean
read_proc (const char *path, char *text, gsize size)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean ok = read_small (fd, text, size);
  if (fd >= 0)
    close (fd);
  text[strcspn (text, "\n")] = '\0';
  return ok;
}

/* (transfer full) (nullable): `BOOT PID START`: unique to this process, now and later. */
static char *
name_process (guint64 pid)
{
  char boot[64], stat[1024];
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GUINT64_FORMAT "/stat", pid);
  if (!read_proc ("/proc/sys/kernel/random/boot_id", boot, sizeof boot) ||
      !read_proc (path, stat, sizeof stat))
    return NULL;
  /* The second field is the program's name in brackets, and may contain anything. */
  const char *rest = strrchr (stat, ')');
  g_auto (GStrv) fields = rest ? g_strsplit (rest + 1, " ", -1) : NULL;
  /* @rest begins with the space before the third field. */
  if (!fields || g_strv_length (fields) <= START - 2)
    return NULL;
  return g_strdup_printf ("%s %" G_GUINT64_FORMAT " %s", boot, pid, fields[START - 2]);
}

void
segue_run_lock_take (SegueRunLock *lock, const char *folder)
{
  lock->path = g_build_filename (folder, NAME, NULL);
  lock->fd = open (lock->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (lock->fd < 0)
    return;
  /* If this file system has no locks, the process's name has to suffice. */
  (void) flock (lock->fd, LOCK_EX | LOCK_NB);
  g_autofree char *process = name_process ((guint64) getpid ());
  gsize n = process ? strlen (process) : 0;
  if (n > 0 && write (lock->fd, process, n) != (gssize) n)
    g_debug ("can't write ‘%s’: %s", lock->path, g_strerror (errno));
}

void
segue_run_lock_release (SegueRunLock *lock)
{
  if (lock->path && lock->fd >= 0) {
    (void) g_unlink (lock->path);
    close (lock->fd);
  }
  g_clear_pointer (&lock->path, g_free);
}

gboolean
segue_run_lock_is_of_process (const char *text)
{
  char boot[64];
  guint64 pid = 0;
  g_auto (GStrv) words = g_strsplit (text, " ", 0);
  if (g_strv_length (words) != 3 ||
      !g_ascii_string_to_unsigned (words[1], 10, 1, G_MAXINT32, &pid, NULL))
    return FALSE;
  /* Another machine's processes are not visible here: the run may be active. */
  if (read_proc ("/proc/sys/kernel/random/boot_id", boot, sizeof boot) &&
      !g_str_equal (boot, words[0]))
    return TRUE;
  g_autofree char *there = name_process (pid);
  return g_strcmp0 (there, text) == 0;
}

gboolean
segue_run_is_at_work (int folder)
{
  char text[MAX_TEXT];
  struct stat info;
  int fd = openat (folder, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  gboolean at_work = fd >= 0 && fstat (fd, &info) == 0 && S_ISREG (info.st_mode);
  /* Closing it releases the lock. */
  if (at_work && flock (fd, LOCK_SH | LOCK_NB) == 0)
    at_work = FALSE;
  else if (at_work && errno != EWOULDBLOCK)
    at_work = read_small (fd, text, sizeof text) && segue_run_lock_is_of_process (text);
  if (fd >= 0)
    close (fd);
  return at_work;
}
