#include "memory-file.h"

#include <stdio.h>
#include <string.h>

/* Sizes in memory are guints. */
#define MAX_BYTES ((sf_count_t) G_MAXINT)

static sf_count_t
get_length (void *data)
{
  return ((MemoryFile *) data)->bytes->len;
}

static sf_count_t
seek (sf_count_t offset, int whence, void *data)
{
  MemoryFile *file = data;
  if (whence == SEEK_CUR)
    offset += file->at;
  else if (whence == SEEK_END)
    offset += file->bytes->len;
  file->at = CLAMP (offset, 0, (sf_count_t) file->bytes->len);
  return file->at;
}

static sf_count_t
read_bytes (void *target, sf_count_t count, void *data)
{
  MemoryFile *file = data;
  sf_count_t n = MIN (count, (sf_count_t) file->bytes->len - file->at);
  memcpy (target, file->bytes->data + file->at, (gsize) n);
  file->at += n;
  return n;
}

static sf_count_t
write_bytes (const void *source, sf_count_t count, void *data)
{
  MemoryFile *file = data;
  sf_count_t end = file->at + count;
  if (count < 0 || end > MAX_BYTES)
    return 0;
  if (end > (sf_count_t) file->bytes->len)
    g_byte_array_set_size (file->bytes, (guint) end);
  memcpy (file->bytes->data + file->at, source, (gsize) count);
  file->at = end;
  return count;
}

static sf_count_t
tell (void *data)
{
  return ((MemoryFile *) data)->at;
}

SNDFILE *
memory_file_open (MemoryFile *file, SF_INFO *info)
{
  static SF_VIRTUAL_IO io = { get_length, seek, read_bytes, write_bytes, tell };
  file->bytes = g_byte_array_new ();
  file->at = 0;
  return sf_open_virtual (&io, SFM_WRITE, info, file);
}

GBytes *
memory_file_steal (MemoryFile *file)
{
  return g_byte_array_free_to_bytes (g_steal_pointer (&file->bytes));
}

void
memory_file_clear (MemoryFile *file)
{
  g_clear_pointer (&file->bytes, g_byte_array_unref);
}
