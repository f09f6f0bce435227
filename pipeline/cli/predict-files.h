/* The files for `segue predict`. */
#pragma once

#include <gio/gio.h>
#include <stdio.h>

/**
 * SeguePredictInput:
 * @arguments: files, folders, playlists (.m3u, .m3u8, .pls), `file:` URIs, patterns (`*.mp3`, if no
 *   file has exactly that name); `-`: a list
 * @extensions: (nullable): of files in folders that are songs, without the dot; %NULL: any
 * @list: where the list is read from: one file or folder per line
 * @separator: the end of a name in it: '\n' or '\0'
 */
typedef struct {
  char *const *arguments;
  const char *const *extensions;
  FILE *list;
  char separator;
} SeguePredictInput;

/** segue_predict_files: (transfer full) (element-type filename): in the order given; files below a
 * folder or matching a pattern in byte order. A missing file, a pattern without a match, and a
 * subfolder that can't be read stay in the list: their answer is an error, in their place. */
GPtrArray *segue_predict_files (const SeguePredictInput *input, GError **error);
