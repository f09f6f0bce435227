/* Lists of songs: one name per line, or playlists (M3U, PLS). */
#pragma once

#include <gio/gio.h>
#include <stdio.h>

/**
 * SeguePredictList:
 * @stream: where it is read from
 * @separator: the end of a name: '\n' or '\0'; only names that end with '\0' are taken literally
 * @folder: (nullable): base of relative names; %NULL: the current folder
 * @playlist: lines that begin with # are comments, also without `#EXTM3U` at the top
 */
typedef struct {
  FILE *stream;
  char separator;
  const char *folder;
  gboolean playlist;
} SeguePredictList;

/** SeguePredictListFunc: called for each name, in order; %FALSE with @error ends the list. */
typedef gboolean (*SeguePredictListFunc) (gpointer data, const char *name, GError **error);

/**
 * segue_predict_list_read:
 *
 * Byte order marks, the line ends of other systems, empty lines and a playlist's comments are
 * skipped. A name is tried literally, as a `file:` URI, relative to the list, with backslashes, in
 * Latin-1, in the other normal form of Unicode, and percent-encoded: the first that exists is used.
 * If none exists, the name does not change.
 */
gboolean segue_predict_list_read (const SeguePredictList *list, SeguePredictListFunc func,
                                  gpointer data, GError **error);

/** segue_predict_is_playlist: whether the file @name is a playlist by its ending. */
gboolean segue_predict_is_playlist (const char *name);
/** segue_predict_path_from_uri: (transfer full): @name, or the path that it is a `file:` URI of. */
char *segue_predict_path_from_uri (const char *name);
