/* Sealed memory, from both sides. */
#include "shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <segue/error.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define COPIED_BELOW (1024 * 1024)
#define SEALS        (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* Where the system insists on memory that can't be executed it has to be asked for so; where it is
 * older it does not know the word. */
static int
open_memory (void)
{
  const guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create ("segue-payload", flags | MFD_NOEXEC_SEAL);
  return fd < 0 && errno == EINVAL ? memfd_create ("segue-payload", flags) : fd;
}

static gboolean
write_all (int fd, const guint8 *data, gsize size)
{
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
  int fd = open_memory ();
  if (fd >= 0 && write_all (fd, data, size) && fcntl (fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0)
    return fd;
  g_autofree char *what =
    g_strdup_printf ("can't put a payload of %" G_GSIZE_FORMAT " bytes into", size);
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, what, "shared memory");
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Pages that a stranger promised and never made would be made, or be missing, when they are read;
 * huge ones may be missing at any time. */
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

/* A process may have some ten thousand mappings only, and small ones cost more than they save. */
static GBytes *
copy (int fd, gsize size, int *lacks)
{
  g_autofree guint8 *data = g_try_malloc (size);
  gsize done = 0;
  gssize n = 1;
  while (data && done < size && (n > 0 || (n < 0 && errno == EINTR))) {
    n = pread (fd, data + done, size - done, (goffset) done);
    done += (gsize) MAX (n, 0);
  }
  if (data && done == size)
    return g_bytes_new_take (g_steal_pointer (&data), size);
  *lacks = data && n < 0 ? errno : ENOMEM;
  return NULL;
}

GBytes *
segue_shared_bytes_map (int fd, guint64 size, int *lacks)
{
  *lacks = 0;
  if (size > G_MAXSSIZE || !is_sound (fd, size))
    return NULL;
  if (size == 0)
    return g_bytes_new (NULL, 0);
  if (size < COPIED_BELOW)
    return copy (fd, (gsize) size, lacks);
  gpointer address = mmap (NULL, (gsize) size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (address == MAP_FAILED) {
    *lacks = errno;
    return NULL;
  }
  Mapping *mapping = g_new (Mapping, 1);
  *mapping = (Mapping){ address, (gsize) size };
  return g_bytes_new_with_free_func (address, (gsize) size, unmap, mapping);
}
