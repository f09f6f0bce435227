/* Writing the Hugging Face cache. */
#include "hub-store.h"
#include "base/hub-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_PAUSE 200000             /* µs between tries */
#define SPARE_ROOM (64 * 1024 * 1024) /* bytes that stay free for others */
#define CHUNK      (1024 * 1024)

gboolean
segue_hub_store_open (SegueHubStore *store, const char *repo, GError **error)
{
  store->cache = segue_hub_cache_folder ();
  store->folder = segue_hub_repo_folder (store->cache, repo);
  store->name = g_path_get_basename (store->folder);
  static const char *const parts[] = { "blobs", "refs", "snapshots" };
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree char *path = g_build_filename (store->folder, parts[i], NULL);
    if (!segue_file_make_folder (path, error))
      return FALSE;
  }
  return TRUE;
}

void
segue_hub_store_clear (SegueHubStore *store)
{
  g_clear_pointer (&store->cache, g_free);
  g_clear_pointer (&store->name, g_free);
  g_clear_pointer (&store->folder, g_free);
}

static char *
blob_path (SegueHubStore *store, const char *etag, const char *suffix)
{
  g_autofree char *name = g_strconcat (etag, suffix, NULL);
  return g_build_filename (store->folder, "blobs", name, NULL);
}

/* The same lock as in Hugging Face's own programs. */
static int
open_lock (SegueHubStore *store, const char *etag, char **path, GError **error)
{
  g_autofree char *folder = g_build_filename (store->cache, ".locks", store->name, NULL);
  g_autofree char *name = g_strconcat (etag, ".lock", NULL);
  *path = g_build_filename (folder, name, NULL);
  if (!segue_file_make_folder (folder, error))
    return -1;
  int fd = open (*path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0)
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't open", *path);
  return fd;
}

int
segue_hub_store_lock (SegueHubStore *store, const char *etag, void (*waiting) (gpointer),
                      gpointer data, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = NULL;
  int fd = open_lock (store, etag, &path, error);
  gboolean told = FALSE;
  while (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) != 0) {
    int err = errno;
    gboolean cancelled = g_cancellable_is_cancelled (cancellable);
    if ((err != EWOULDBLOCK && err != EINTR) || cancelled) {
      close (fd);
      if (cancelled)
        g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      else
        segue_set_error_from_errno (error, err, SEGUE_ERROR_IO, "can't lock", path);
      return -1;
    }
    if (!told && waiting)
      waiting (data);
    told = TRUE;
    g_usleep (LOCK_PAUSE);
  }
  return fd;
}

gboolean
segue_hub_store_has_blob (SegueHubStore *store, const char *etag, guint64 size)
{
  g_autofree char *path = blob_path (store, etag, NULL);
  struct stat info;
  return stat (path, &info) == 0 && S_ISREG (info.st_mode) && (guint64) info.st_size == size;
}

int
segue_hub_store_open_partial (SegueHubStore *store, const char *etag, GError **error)
{
  g_autofree char *path = blob_path (store, etag, ".incomplete");
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0)
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't write", path);
  return fd;
}

gboolean
segue_hub_store_check_room (SegueHubStore *store, guint64 size, GError **error)
{
  struct statvfs info;
  if (statvfs (store->folder, &info) != 0)
    return TRUE; /* writing will report it */
  guint64 room = (guint64) info.f_bavail * info.f_frsize;
  if (size <= G_MAXUINT64 - SPARE_ROOM && room >= size + SPARE_ROOM)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (store->folder);
  g_autofree char *needed = g_format_size (size);
  g_autofree char *there = g_format_size (room);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
               "not enough space in ‘%s’ for another %s (%s free); free some, or set HF_HUB_CACHE "
               "to a folder on another disk",
               shown, needed, there);
  return FALSE;
}

gboolean
segue_hub_store_verify (int fd, const char *etag, gboolean *same, GCancellable *cancellable,
                        GError **error)
{
  struct stat info;
  if (fstat (fd, &info) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read back", etag);
  gboolean is_git = strlen (etag) == 40;
  g_autoptr (GChecksum) sum = g_checksum_new (is_git ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256);
  if (is_git) {
    /* git hashes a header, with its final zero, and then the bytes. */
    g_autofree char *header = g_strdup_printf ("blob %" G_GINT64_FORMAT, (gint64) info.st_size);
    g_checksum_update (sum, (const guchar *) header, (gssize) strlen (header) + 1);
  }
  g_autofree guchar *chunk = g_malloc (CHUNK);
  for (off_t at = 0; at < info.st_size;) {
    gssize n = pread (fd, chunk, CHUNK, at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return segue_set_error_from_errno (error, n < 0 ? errno : EIO, SEGUE_ERROR_IO,
                                         "can't read back", etag);
    if (g_cancellable_is_cancelled (cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    g_checksum_update (sum, chunk, n);
    at += n;
  }
  *same = g_str_equal (g_checksum_get_string (sum), etag);
  return TRUE;
}

static void
sync_folder (const char *folder)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void) fsync (fd); /* some file systems don't support it, and then don't need it */
  close (fd);
}

gboolean
segue_hub_store_keep (SegueHubStore *store, const char *etag, int fd, GError **error)
{
  g_autofree char *from = blob_path (store, etag, ".incomplete");
  g_autofree char *to = blob_path (store, etag, NULL);
  if (fsync (fd) != 0 || rename (from, to) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't write", to);
  g_autofree char *folder = g_path_get_dirname (to);
  sync_folder (folder);
  return TRUE;
}

void
segue_hub_store_drop (SegueHubStore *store, const char *etag)
{
  g_autofree char *path = blob_path (store, etag, ".incomplete");
  (void) unlink (path);
}

gboolean
segue_hub_store_link (SegueHubStore *store, const char *commit, const char *file, const char *etag,
                      GError **error)
{
  g_autofree char *path = g_build_filename (store->folder, "snapshots", commit, file, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  if (!segue_file_make_folder (folder, error))
    return FALSE;
  /* Relative, so that the whole cache can be moved. */
  GString *target = g_string_new ("../../");
  for (const char *p = file; *p; p++)
    if (*p == '/')
      g_string_append (target, "../");
  g_string_append_printf (target, "blobs/%s", etag);
  g_autofree char *text = g_string_free (target, FALSE);
  g_autofree char *there = g_file_read_link (path, NULL);
  return g_strcmp0 (there, text) == 0 || segue_file_link (path, text, error);
}

gboolean
segue_hub_store_set_ref (SegueHubStore *store, const char *revision, const char *commit,
                         GError **error)
{
  if (segue_hub_is_commit (revision))
    return TRUE;
  g_autofree char *path = g_build_filename (store->folder, "refs", revision, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  return segue_file_make_folder (folder, error) && segue_file_write (path, commit, -1, error);
}
