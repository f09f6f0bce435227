/* Rows of float32 in a file that grows from front to back.  A small file beside it says how many rows are
 * surely on disk and what their SHA-256 is, so that an interrupted run loses little, and takes nothing
 * for a row that was damaged since. */
#pragma once

#include <nettle/sha2.h>
#include <segue/context.h>

/**
 * TrainRows:
 * @fd: -1: not open
 * @row_bytes: of one row
 * @n_synced: rows that are on disk and what they were when they were written
 */
typedef struct {
  char *path;
  char *count_path;
  int fd;
  gsize row_bytes;
  guint n_synced;
  struct sha256_ctx sha; /* of all rows so far */
} TrainRows;

/** train_rows_open: @rows: zeroed, with row_bytes.  Rows at @path that an earlier run left are read
 * through and counted where there are at most @max, a multiple of @batch or just @max of them; damaged
 * ones are told of and not counted. */
gboolean train_rows_open (TrainRows *rows, const char *path, guint max, guint batch,
                          SegueContext *context, GError **error);
void train_rows_clear (TrainRows *rows);

/** train_rows_append: @n rows that stand at row @first, behind all others. */
gboolean train_rows_append (TrainRows *rows, const float *values, guint first, guint n,
                            GError **error);
/** train_rows_sync: has all rows, which are @n, on disk, and says so. */
gboolean train_rows_sync (TrainRows *rows, guint n, GError **error);
