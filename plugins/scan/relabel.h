/* A table that gives songs other labels: CSV with the columns `song` and `label`. */
#pragma once

#include <glib.h>

/**
 * relabel_load: (transfer full): song's id → label (NFC; empty: leave the song out)
 *
 * RFC 4180: fields may stand in double quotes, hold commas and line breaks there, and `""` for a
 * quote; a first line `song,label` is skipped, a byte order mark too.  Errors carry `file:line`.
 */
GHashTable *relabel_load (const char *path, GError **error);
