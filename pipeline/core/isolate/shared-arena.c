/* One memory for all payloads of an answer, from both sides. */
#include "isolate/shared-arena.h"
#include "isolate/shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of small payloads, in bytes: enough for any type of element. Large ones are mapped, so they
 * begin at a page. */
#define ALIGNMENT 64

static gboolean
fail (const char *what, guint64 size, GError **error)
{
  g_autofree char *text = g_strdup_printf ("can't %s %" G_GUINT64_FORMAT " bytes in", what, size);
  return segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, text, "shared memory");
}

/* If this process may not write files of @size, its worker may not either, and fails when it
 * writes. */
static off_t
get_possible (guint64 size)
{
  struct rlimit file = { .rlim_cur = RLIM_INFINITY };
  getrlimit (RLIMIT_FSIZE, &file);
  return (off_t) MIN (size, (guint64) file.rlim_cur);
}

gboolean
segue_shared_arena_init (SegueSharedArena *arena, guint64 size, GError **error)
{
  *arena = (SegueSharedArena){ .fd = segue_shared_bytes_open (), .size = size };
  if (arena->fd >= 0 && ftruncate (arena->fd, get_possible (size)) == 0 &&
      fcntl (arena->fd, F_ADD_SEALS, F_SEAL_GROW) == 0)
    return TRUE;
  fail ("reserve room for an answer of", size, error);
  segue_shared_arena_clear (arena);
  return FALSE;
}

void
segue_shared_arena_clear (SegueSharedArena *arena)
{
  if (arena->fd >= 0)
    close (arena->fd);
  *arena = SEGUE_SHARED_ARENA_NONE;
}

gboolean
segue_shared_arena_reserve (SegueSharedArena *arena, guint64 size, guint64 *offset)
{
  guint64 unit = size < SEGUE_SHARED_BYTES_COPIED_BELOW ? ALIGNMENT : (guint64) getpagesize ();
  guint64 start = (arena->used + unit - 1) / unit * unit;
  if (start > arena->size || size > arena->size - start)
    return FALSE;
  *offset = start;
  arena->used = start + size;
  return TRUE;
}

gboolean
segue_shared_arena_put (SegueSharedArena *arena, gconstpointer data, gsize size, GError **error)
{
  guint64 offset;
  errno = ENOMEM;
  return (segue_shared_arena_reserve (arena, size, &offset) &&
          lseek (arena->fd, (off_t) offset, SEEK_SET) == (off_t) offset &&
          segue_shared_bytes_write (arena->fd, data, size)) ||
         fail ("store", size, error);
}

/* Checks what the worker left: the reserved size, with every page present, so that none has to be
 * allocated, or is missing, on reading. */
static gboolean
is_whole (const SegueSharedArena *arena, const struct stat *info)
{
  return info->st_size >= 0 && (guint64) info->st_size == arena->used &&
         (guint64) info->st_blocks >= (arena->used + 511) / 512;
}

gboolean
segue_shared_arena_seal (SegueSharedArena *arena, int *lacks)
{
  struct stat info;
  *lacks = 0;
  /* The first fails if the worker has it mapped for writing, the second if the worker has made it
   * smaller: the seal prevents growth. */
  if (fcntl (arena->fd, F_ADD_SEALS, F_SEAL_WRITE) == 0 &&
      ftruncate (arena->fd, (off_t) arena->used) == 0 &&
      fcntl (arena->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0 &&
      fstat (arena->fd, &info) == 0)
    return is_whole (arena, &info);
  *lacks = errno == EBUSY || errno == EPERM ? 0 : errno;
  return FALSE;
}
