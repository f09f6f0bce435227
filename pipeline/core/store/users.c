/* Locks of a cache's users. */
#include "store/users.h"
#include "base/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "users"
#define GATE   "gate"
#define RUN    "run-"
#define PAUSE  2000                 /* µs between tries to get a lock */
#define WAIT   (5 * G_USEC_PER_SEC) /* µs: the holder may be suspended, or untrusted */

struct _SegueUsers {
  GMutex lock;
  int folder, gate, run; /* -1: none */
  char *name;            /* of the file at @run */
  guint inside;          /* threads for which the gate is held open */
  gboolean shut;         /* another process holds the gate: the last wait timed out */
  gint64 since;          /* ns: when this user began, as others see it */
};

static gint64
mtime_of (const struct stat *st)
{
  return (gint64) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* FALSE with errno; EWOULDBLOCK: another process still holds it. */
static gboolean
lock_within (int fd, int operation, gint64 wait, GCancellable *cancellable)
{
  gint64 end = g_get_monotonic_time () + wait;
  while (flock (fd, operation | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return FALSE;
    if (g_get_monotonic_time () > end || g_cancellable_is_cancelled (cancellable)) {
      errno = EWOULDBLOCK;
      return FALSE;
    }
    g_usleep (PAUSE);
  }
  return TRUE;
}

static int
open_regular_at (int folder, const char *name, int flags)
{
  struct stat st;
  int fd = openat (folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (fd < 0)
    return -1;
  int err = fstat (fd, &st) != 0 ? errno : S_ISREG (st.st_mode) ? 0 : EINVAL;
  if (err == 0)
    return fd;
  close (fd);
  errno = err;
  return -1;
}

/* A lock needs no write permission, so a user who may open the gate can block all runs. In a private
 * cache only users who may write to the cache can open the locks. */
static void
restrict_folder (int folder)
{
  struct stat cache, st;
  if (fstatat (folder, "..", &cache, 0) != 0 || fstat (folder, &st) != 0 ||
      cache.st_uid != geteuid () || st.st_uid != geteuid ())
    return;
  mode_t mode = 07700;
  if ((cache.st_mode & S_IWGRP) && cache.st_gid == st.st_gid)
    mode |= S_IRWXG;
  if (cache.st_mode & S_IWOTH)
    mode |= S_IRWXO;
  if (st.st_mode & 07777 & ~mode)
    (void) fchmod (folder, st.st_mode & mode);
}

/* A lock needs no write permission where the file exists. */
static int
open_gate (int folder)
{
  int fd = open_regular_at (folder, GATE, O_RDWR | O_CREAT);
  return fd >= 0 ? fd : open_regular_at (folder, GATE, O_RDONLY);
}

/* Closing it releases the lock even where the file system fails to unlock. Where it can't be opened
 * again, there are no locks from now on. */
static void
let_go_of_gate (SegueUsers *users)
{
  if (users->gate < 0 || flock (users->gate, LOCK_UN) == 0)
    return;
  close (users->gate);
  users->gate = open_gate (users->folder);
}

static gboolean
is_exhausted (int err)
{
  return err == EMFILE || err == ENFILE || err == ENOMEM;
}

static gboolean
set_busy (GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                       "another process holds the lock ‘users/gate’ of the cache, and no file can "
                       "be created next to it; is a ‘segue cache gc’ suspended?");
  return FALSE;
}

/* The gate is held open, so that no sweep removes the file before it is locked; where that failed, the
 * number of links shows whether one did. */
static gboolean
sign_in (SegueUsers *users)
{
  struct stat st;
  users->name = g_strdup_printf (RUN "%08x%08x", g_random_int (), g_random_int ());
  users->run = open_regular_at (users->folder, users->name, O_RDWR | O_CREAT | O_EXCL);
  if (users->run < 0)
    return FALSE;
  int err =
    lock_within (users->run, LOCK_EX, WAIT, NULL) && fstat (users->run, &st) == 0 ? 0 : errno;
  if (err == 0 && st.st_nlink > 0) {
    users->since = mtime_of (&st);
    return TRUE;
  }
  (void) unlinkat (users->folder, users->name, 0);
  close (users->run);
  users->run = -1;
  errno = err != 0 ? err : ENOENT;
  return FALSE;
}

static gboolean
join (SegueUsers *users, const char *cache, GError **error)
{
  g_autofree char *path = g_build_filename (cache, FOLDER, NULL);
  if (mkdir (path, 0777) != 0 && errno != EEXIST)
    return !is_exhausted (errno) ||
           segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't make the folder", path);
  users->folder = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (users->folder >= 0)
    restrict_folder (users->folder);
  users->gate = users->folder >= 0 ? open_gate (users->folder) : -1;
  if (users->gate < 0)
    return !is_exhausted (errno) ||
           segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't open", path);
  if (!lock_within (users->gate, LOCK_SH, WAIT, NULL)) {
    users->shut = errno == EWOULDBLOCK;
    if (!users->shut) { /* No locks here. */
      close (users->gate);
      users->gate = -1;
      return TRUE;
    }
  }
  if (sign_in (users))
    let_go_of_gate (users);
  else if (users->shut)
    return set_busy (error);
  else if (errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOSPC ||
           errno == EDQUOT)
    users->inside = 1;
  else
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't make a file in", path);
  return TRUE;
}

SegueUsers *
segue_users_join (const char *cache, GError **error)
{
  g_autoptr (SegueUsers) users = g_new0 (SegueUsers, 1);
  g_mutex_init (&users->lock);
  users->folder = users->gate = users->run = -1;
  return join (users, cache, error) ? g_steal_pointer (&users) : NULL;
}

void
segue_users_quit (SegueUsers *users)
{
  if (!users)
    return;
  if (users->run >= 0) {
    (void) unlinkat (users->folder, users->name, 0);
    close (users->run);
  }
  if (users->gate >= 0)
    close (users->gate);
  if (users->folder >= 0)
    close (users->folder);
  g_mutex_clear (&users->lock);
  g_free (users->name);
  g_free (users);
}

gboolean
segue_users_hold_gate (SegueUsers *users)
{
  return users->gate >= 0 && users->run < 0;
}

/* After a clock was set back, new stamps look older than this run. */
static void
follow_clock (SegueUsers *users)
{
  gint64 now = g_get_real_time () * 1000;
  if (users->run < 0 || now >= users->since)
    return;
  struct timespec time = { .tv_sec = now / 1000000000, .tv_nsec = now % 1000000000 };
  const struct timespec times[2] = { time, time };
  if (futimens (users->run, times) == 0)
    users->since = now;
}

gboolean
segue_users_is_shut (SegueUsers *users)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&users->lock);
  return users->shut;
}

gboolean
segue_users_enter (SegueUsers *users)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&users->lock);
  follow_clock (users);
  if (users->gate >= 0 && users->inside == 0) {
    /* After one timeout, do not wait again. */
    users->shut = !lock_within (users->gate, LOCK_SH, users->shut ? 0 : WAIT, NULL);
    if (users->shut)
      return FALSE;
  }
  users->inside++;
  return TRUE;
}

void
segue_users_leave (SegueUsers *users)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&users->lock);
  if (--users->inside == 0)
    let_go_of_gate (users);
}

int
segue_users_close_gate (int cache, GCancellable *cancellable, GError **error)
{
  (void) mkdirat (cache, FOLDER, 0777);
  int folder = segue_beneath_open_folder (cache, FOLDER);
  if (folder >= 0)
    restrict_folder (folder);
  int gate = folder >= 0 ? open_gate (folder) : -1;
  int err = errno;
  if (folder >= 0)
    close (folder);
  if (gate < 0) {
    segue_set_error_from_errno (error, err, SEGUE_ERROR_CANNOT_CREATE, "can't use",
                                "users/gate of the cache");
    return -1;
  }
  if (lock_within (gate, LOCK_EX, WAIT, cancellable))
    return gate;
  err = errno;
  close (gate);
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  else if (err == EWOULDBLOCK)
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                         "another process holds the lock ‘users/gate’ of the cache: a run that can "
                         "only read the cache, or a suspended one; nothing more was removed");
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                 "the cache is on a file system without locks (%s), so segue can't detect whether "
                 "a run is using it; remove its folder by hand when no run is active",
                 g_strerror (err));
  return -1;
}

/* Whether a process holds it; @since: when that process began. */
static gboolean
look_at_user (int folder, const char *name, gboolean sweep, gint64 *since)
{
  struct stat st;
  int fd = open_regular_at (folder, name, O_RDONLY);
  /* A file without permission to open belongs to another user. */
  if (fd < 0)
    return errno == EACCES || is_exhausted (errno);
  gboolean live = flock (fd, (sweep ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (live && fstat (fd, &st) == 0)
    *since = mtime_of (&st);
  if (!live && sweep)
    (void) unlinkat (folder, name, 0);
  close (fd);
  return live;
}

SegueLiveUsers
segue_users_list (int cache, gboolean sweep)
{
  SegueLiveUsers live = { .since = G_MAXINT64 };
  int fd = segue_beneath_open_folder (cache, FOLDER);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  while (folder && (errno = 0, entry = readdir (folder))) {
    gint64 since = G_MININT64;
    if (!g_str_has_prefix (entry->d_name, RUN) || !look_at_user (fd, entry->d_name, sweep, &since))
      continue;
    live.n++;
    live.since = MIN (live.since, since);
  }
  /* Users that can't be listed may use everything. */
  if (errno != 0 && errno != ENOENT) {
    live.n++;
    live.since = G_MININT64;
  }
  if (folder)
    closedir (folder);
  else if (fd >= 0)
    close (fd);
  return live;
}
