/* A file in memory for libsndfile: what it writes becomes bytes. */
#pragma once

#include <glib.h>
#include <sndfile.h>

/** MemoryFile: @bytes: the content so far; @at: where the next byte is read or written. */
typedef struct {
  GByteArray *bytes;
  sf_count_t at;
} MemoryFile;

/** memory_file_open: a new file for writing; @file: zeroed; %NULL: the reason is in sf_strerror
 * (NULL). */
SNDFILE *memory_file_open (MemoryFile *file, SF_INFO *info);
/** memory_file_steal: (transfer full): the bytes, after sf_close (). */
GBytes *memory_file_steal (MemoryFile *file);
/** memory_file_clear: accepts a file that was never opened. */
void memory_file_clear (MemoryFile *file);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MemoryFile, memory_file_clear)
