/* Songs for tests: each artist has its own sound, each song its own key. */
#pragma once

#include <glib.h>

/** music_write_song: a mono 16-bit WAV of 16 kHz at @path, whose folder is created. */
void music_write_song (const char *path, guint artist, guint song, guint seconds);
/** music_song_name: (transfer full): "Artist <a>/Album <b>/Song <s>.wav", two albums per artist. */
char *music_song_name (guint artist, guint song);
/** music_write_library: songs of 31 to 40 s below @folder, under those names. */
void music_write_library (const char *folder, guint artists, guint songs);
