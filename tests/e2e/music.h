/* Songs for tests: each artist has a sound of its own, each song a key of its own. */
#pragma once

#include <glib.h>

/** music_write_song: a mono 16-bit WAV of 16 kHz at @path, whose folder is made. */
void music_write_song (const char *path, guint artist, guint song, guint seconds);
/** music_song_name: (transfer full): "Artist <a>/Album <b>/Song <s>.wav", two albums an artist. */
char *music_song_name (guint artist, guint song);
/** music_write_library: songs of 31 to 40 s below @folder, under those names. */
void music_write_library (const char *folder, guint artists, guint songs);
