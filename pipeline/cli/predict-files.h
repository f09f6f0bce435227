/* Which files `segue predict` is to answer. */
#pragma once

#include <gio/gio.h>
#include <stdio.h>

/**
 * SeguePredictInput:
 * @arguments: files, folders, playlists (.m3u, .m3u8, .pls), `file:` URIs, patterns (`*.mp3`, where no
 *   file has that very name); `-`: a list
 * @extensions: (nullable): of files in folders that are songs, without the dot; %NULL: any
 * @list: where the list is read from: a file or folder a line
 * @separator: what ends a name in it: '\n' or '\0'
 */
typedef struct {
  char *const *arguments;
  const char *const *extensions;
  FILE *list;
  char separator;
} SeguePredictInput;

/** segue_predict_files: (transfer full) (element-type filename): in the order given, what is below a
 * folder or fits a pattern in byte order.  A name that is not there, a pattern that nothing fits, and a
 * folder below that can't be read, stay in the list: they get their answer, an error, in their place. */
GPtrArray *segue_predict_files (const SeguePredictInput *input, GError **error);
