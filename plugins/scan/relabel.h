/* A table that assigns other labels to songs: CSV with the columns `song` and `label`. */
#pragma once

#include <glib.h>

/**
 * relabel_load: (transfer full): song's id → label (NFC; empty: skip the song)
 *
 * RFC 4180: fields may be in double quotes and then contain commas, line breaks, and `""` for a
 * quote; a first line `song,label` is skipped, as is a byte order mark. Errors carry `file:line`.
 */
GHashTable *relabel_load (const char *path, GError **error);
