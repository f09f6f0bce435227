/* library.safetensors: the vectors of a library, and how a vector is projected to them (internal). */
#pragma once

#include <gio/gio.h>

/**
 * SegueLibraryVectors:
 * @n: rows; @size: numbers in one; @width: numbers in a vector before the projection
 * @starts: [@n], s
 */
typedef struct {
  gsize n, size, width;
  float *mean, *deviation; /* [width] */
  float *projection;       /* [size, width] */
  double *starts;
  int fd;
  guint64 offset; /* of the rows in the file */
  char *path;
} SegueLibraryVectors;

/** segue_library_vectors_open: the untrusted file at @path, with @n rows; @vectors: zeroed. %SEGUE_ERROR_DATA. */
gboolean segue_library_vectors_open (SegueLibraryVectors *vectors, const char *path, gsize n,
                                     GError **error);
void segue_library_vectors_clear (SegueLibraryVectors *vectors);

/** segue_library_vectors_read: @n rows from row @first on; any number, also one that is not finite. */
gboolean segue_library_vectors_read (const SegueLibraryVectors *vectors, gsize first, gsize n,
                                     float *out, GError **error);

/** segue_library_vectors_project: @x [width] to @z [size], of length 1, or 0. */
void segue_library_vectors_project (const SegueLibraryVectors *vectors, const float *x, float *z);

/** segue_library_dot: the product of two rows. */
float segue_library_dot (gsize n, const float *a, const float *b);
