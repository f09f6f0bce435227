/* Lists of songs: names in lines, or what players save (M3U, PLS). */
#pragma once

#include <gio/gio.h>
#include <stdio.h>

/**
 * SeguePredictList:
 * @stream: where it is read from
 * @separator: what ends a name: '\n' or '\0'; only names that end with '\0' are taken as they are
 * @folder: (nullable): what relative names are relative to; %NULL: the current folder
 * @playlist: lines that begin with # are comments, also without `#EXTM3U` at the top
 */
typedef struct {
  FILE *stream;
  char separator;
  const char *folder;
  gboolean playlist;
} SeguePredictList;

/** SeguePredictListFunc: for each name, in order; %FALSE with @error ends the list. */
typedef gboolean (*SeguePredictListFunc) (gpointer data, const char *name, GError **error);

/**
 * segue_predict_list_read:
 *
 * Byte order marks, the line ends of other systems, empty lines and a playlist's comments are passed
 * over.  A name is found as it stands, as a `file:` URI, relative to the list, with backslashes, in
 * Latin-1, in the other normal form of Unicode, or percent-encoded: whichever is there.  One that is
 * not there stays as it stands.
 */
gboolean segue_predict_list_read (const SeguePredictList *list, SeguePredictListFunc func,
                                  gpointer data, GError **error);

/** segue_predict_is_playlist: whether the file @name is a playlist by its ending. */
gboolean segue_predict_is_playlist (const char *name);
/** segue_predict_path_from_uri: (transfer full): @name, or the path that it is a `file:` URI of. */
char *segue_predict_path_from_uri (const char *name);
