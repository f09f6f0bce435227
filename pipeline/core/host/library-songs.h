/* songs.jsonl of a library: its songs, in the order of their segments (internal). */
#pragma once

#include <segue/host/library.h>

/** SegueLibraryEntry: @first, @n: its rows among the vectors; @n ≥ 1. */
typedef struct {
  SegueLibrarySong song;
  gsize first, n;
} SegueLibraryEntry;

/** segue_library_songs_read: (transfer full): #SegueLibraryEntry array of the untrusted file at @path; %SEGUE_ERROR_DATA
 * unless it has @n_songs songs with @n_segments segments in all. */
GArray *segue_library_songs_read (const char *path, gsize n_songs, gsize n_segments,
                                  GError **error);
