/* Rows of float32 in a file that grows from front to back. A small file next to it records how many rows are
 * certainly on disk and their SHA-256, so that an interrupted run loses little, and rows damaged since are not
 * used. */
#pragma once

#include <nettle/sha2.h>
#include <segue/context.h>

/**
 * TrainRows:
 * @fd: -1: not open
 * @row_bytes: of one row
 * @n_synced: rows that are on disk with verified content
 */
typedef struct {
  char *path;
  char *count_path;
  int fd;
  gsize row_bytes;
  guint n_synced;
  struct sha256_ctx sha; /* of all rows so far */
} TrainRows;

/** train_rows_open: @rows: zeroed, with row_bytes. Rows of an earlier run at @path are read and counted where
 * there are at most @max: a multiple of @batch, or exactly @max; damaged ones are logged and not counted. */
gboolean train_rows_open (TrainRows *rows, const char *path, guint max, guint batch,
                          SegueContext *context, GError **error);
void train_rows_clear (TrainRows *rows);

/** train_rows_append: appends @n rows at row @first, after all others. */
gboolean train_rows_append (TrainRows *rows, const float *values, guint first, guint n,
                            GError **error);
/** train_rows_sync: writes all @n rows to disk, and records that. */
gboolean train_rows_sync (TrainRows *rows, guint n, GError **error);
