/* Bytes as a file or as a folder, for targets that take a path.
 *
 * Both are in memory, one of each per process, so that a run uses no disk and leaves no files. */
#pragma once

#include <glib.h>

/** fuzz_fd: a descriptor, at its start, of a file with the content @data; not to be closed. */
int fuzz_fd (const void *data, gsize size);
/** fuzz_path: the path of that file. */
const char *fuzz_path (const void *data, gsize size);

/** fuzz_folder: an empty folder at first; removed with the process. */
const char *fuzz_folder (void);
/** fuzz_put: writes @data to file @name (with its folders) in fuzz_folder(); %NULL: removes it. */
void fuzz_put (const char *name, const void *data, gsize size);

/** FuzzText: borrowed bytes. */
typedef struct {
  const guint8 *data;
  gsize size;
} FuzzText;

/** fuzz_split: an input made of several texts: the first @n − 1 end with a NUL, the last is the
 * rest; missing ones are empty. */
void fuzz_split (const guint8 *data, gsize size, FuzzText *texts, guint n);

/** fuzz_check_error: checks segue's guarantees for errors: its domain, printable text. */
void fuzz_check_error (const GError *error);
