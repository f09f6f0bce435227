/* Sealed memory, from both sides. */
#include "isolate/shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <segue/error.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* Some systems require the flag for memory that can't be executed; older ones reject it. */
int
segue_shared_bytes_open (void)
{
  const guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create ("segue-payload", flags | MFD_NOEXEC_SEAL);
  return fd < 0 && errno == EINVAL ? memfd_create ("segue-payload", flags) : fd;
}

gboolean
segue_shared_bytes_write (int fd, gconstpointer payload, gsize size)
{
  const guint8 *data = payload;
  while (size > 0) {
    gssize n = write (fd, data, MIN (size, 1 << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    data += n;
    size -= (gsize) n;
  }
  return TRUE;
}

int
segue_shared_bytes_new (gconstpointer data, gsize size, GError **error)
{
  int fd = segue_shared_bytes_open ();
  if (fd >= 0 && segue_shared_bytes_write (fd, data, size) &&
      fcntl (fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0)
    return fd;
  g_autofree char *what =
    g_strdup_printf ("can't put a payload of %" G_GSIZE_FORMAT " bytes into", size);
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, what, "shared memory");
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Pages that an untrusted sender never allocated would be allocated, or be missing, on reading;
 * huge pages may be missing at any time. */
static gboolean
is_sound (int fd, guint64 size)
{
  struct stat info;
  struct statfs home;
  int seals = fcntl (fd, F_GET_SEALS);
  return seals >= 0 && (seals & SEALS) == SEALS && fstat (fd, &info) == 0 && info.st_size >= 0 &&
         (guint64) info.st_size == size && (guint64) info.st_blocks >= (size + 511) / 512 &&
         fstatfs (fd, &home) == 0 && home.f_type == TMPFS_MAGIC;
}

typedef struct {
  gpointer address;
  gsize size;
} Mapping;

static void
unmap (gpointer data)
{
  Mapping *mapping = data;
  munmap (mapping->address, mapping->size);
  g_free (mapping);
}

/* A process may have only some ten thousand mappings, and small ones cost more than they save. */
static GBytes *
copy (int fd, guint64 offset, gsize size, int *lacks)
{
  g_autofree guint8 *data = g_try_malloc (size);
  gsize done = 0;
  gssize n = 1;
  while (data && done < size && (n > 0 || (n < 0 && errno == EINTR))) {
    n = pread (fd, data + done, size - done, (goffset) (offset + done));
    done += (gsize) MAX (n, 0);
  }
  if (data && done == size)
    return g_bytes_new_take (g_steal_pointer (&data), size);
  *lacks = data && n < 0 ? errno : ENOMEM;
  return NULL;
}

GBytes *
segue_shared_bytes_map_part (int fd, guint64 offset, gsize size, int *lacks)
{
  *lacks = 0;
  if (size == 0)
    return g_bytes_new (NULL, 0);
  if (size < SEGUE_SHARED_BYTES_COPIED_BELOW)
    return copy (fd, offset, size, lacks);
  gpointer address = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, (off_t) offset);
  if (address == MAP_FAILED) {
    *lacks = errno;
    return NULL;
  }
  Mapping *mapping = g_new (Mapping, 1);
  *mapping = (Mapping){ address, size };
  return g_bytes_new_with_free_func (address, size, unmap, mapping);
}

GBytes *
segue_shared_bytes_map (int fd, guint64 size, int *lacks)
{
  *lacks = 0;
  if (size > G_MAXSSIZE || !is_sound (fd, size))
    return NULL;
  return segue_shared_bytes_map_part (fd, 0, (gsize) size, lacks);
}
