/* The vectors of a library: one per segment, read one by one from a stage's input. */
#pragma once

#include <segue/collect.h>

/* The largest library: its projected vectors take 512 MiB. */
#define VECTORS_MAX       ((guint) 1 << 20)
#define VECTORS_MAX_WIDTH ((gsize) 4096)

/** VectorsSong: @entry: borrowed: a segment without its payload; @first, @n: its segments. */
typedef struct {
  const SegueItem *entry;
  guint first, n;
} VectorsSong;

/**
 * Vectors:
 * @songs: #VectorsSong, in the order of their ids; at least one
 * @n: segments of all songs
 * @width: numbers in a vector
 */
typedef struct {
  GArray *songs;
  guint n;
  gsize width;
  SegueDataset *dataset;
  SegueReader *reader;
} Vectors;

/** vectors_open: the input @port. %SEGUE_ERROR_NO_INPUT: it has no items; %SEGUE_ERROR_DATA: they are no vectors. */
Vectors *vectors_open (SegueContext *context, const char *port, GError **error);
/** vectors_free: accepts %NULL. */
void vectors_free (Vectors *vectors);

/** vectors_song: (transfer none). */
const VectorsSong *vectors_song (const Vectors *vectors, guint i);

/** vectors_read: segment @i to @out [width]. %SEGUE_ERROR_DATA if it has another size, or a number that is not
 * finite. */
gboolean vectors_read (Vectors *vectors, guint i, float *out, SegueContext *context,
                       GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Vectors, vectors_free)
