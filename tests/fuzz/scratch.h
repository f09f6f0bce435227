/* Bytes as a file or as a folder, for targets whose way in is a path.
 *
 * Both lie in memory and there is one of each per process, so that a run costs no disk and leaves
 * nothing behind. */
#pragma once

#include <glib.h>

/** fuzz_fd: a descriptor, at its start, of a file that holds @data; not to be closed. */
int fuzz_fd (const void *data, gsize size);
/** fuzz_path: the path of that file. */
const char *fuzz_path (const void *data, gsize size);

/** fuzz_folder: an empty folder at first; goes with the process. */
const char *fuzz_folder (void);
/** fuzz_put: file @name (with its folders) in fuzz_folder() holds @data; %NULL: there is none. */
void fuzz_put (const char *name, const void *data, gsize size);

/** FuzzText: borrowed bytes. */
typedef struct {
  const guint8 *data;
  gsize size;
} FuzzText;

/** fuzz_split: an input made of several texts: the first @n − 1 end with a NUL, the last takes the
 * rest; what is missing is empty. */
void fuzz_split (const guint8 *data, gsize size, FuzzText *texts, guint n);

/** fuzz_check_error: as segue promises its errors: of its domain, text that can be shown. */
void fuzz_check_error (const GError *error);
