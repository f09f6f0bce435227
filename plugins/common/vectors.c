#include "vectors.h"

#include <math.h>
#include <segue/error.h>
#include <segue/tensor.h>
#include <string.h>

static void
find_songs (Vectors *vectors)
{
  const char *last = NULL;
  for (guint i = 0; i < vectors->n; i++) {
    const SegueItem *entry = segue_dataset_get_entry (vectors->dataset, i);
    const char *song = segue_item_get_song (entry);
    if (!last || !g_str_equal (song, last)) {
      const VectorsSong next = { .entry = entry, .first = i };
      g_array_append_val (vectors->songs, next);
    }
    g_array_index (vectors->songs, VectorsSong, vectors->songs->len - 1).n++;
    last = song;
  }
}

/* (nullable): the vector of @item; a tensor of another type or rank is none. */
static const float *
get_vector (const SegueItem *item, gsize *width)
{
  guint rank;
  const gsize *shape = segue_item_get_shape (item, &rank);
  if (segue_item_get_dtype (item) != SEGUE_DTYPE_F32 || rank != 1)
    return NULL;
  *width = shape[0];
  return g_bytes_get_data (segue_item_get_bytes (item), NULL);
}

static gboolean
refuse (const SegueItem *item, const char *what, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", segue_item_get_id (item), what);
  return FALSE;
}

static gboolean
find_width (Vectors *vectors, SegueContext *context, GError **error)
{
  g_autoptr (SegueItem) item =
    segue_reader_get (vectors->reader, 0, segue_context_get_cancellable (context), error);
  if (!item)
    return FALSE;
  if (!get_vector (item, &vectors->width))
    return refuse (item,
                   "is not a vector of float32: songs are compared by one vector per segment; "
                   "in the stage `embed`, use another `pool` than `none`",
                   error);
  if (vectors->width > 0 && vectors->width <= VECTORS_MAX_WIDTH)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "vectors have %" G_GSIZE_FORMAT " numbers; a library takes 1 to %" G_GSIZE_FORMAT
               ": name fewer encoders in the stage `embed`",
               vectors->width, VECTORS_MAX_WIDTH);
  return FALSE;
}

Vectors *
vectors_open (SegueContext *context, const char *port, GError **error)
{
  g_autoptr (Vectors) vectors = g_new0 (Vectors, 1);
  vectors->songs = g_array_new (FALSE, FALSE, sizeof (VectorsSong));
  vectors->dataset = segue_dataset_ref (segue_context_get_input (context, port));
  vectors->n = segue_dataset_get_length (vectors->dataset);
  if (vectors->n == 0) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                         "there are no vectors: the stages before skipped all songs");
    return NULL;
  }
  if (vectors->n > VECTORS_MAX) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a library has at most %u segments, not %u" SEGUE_ADVICE (
                   "; use fewer of each song with ", "segment:count=3"),
                 VECTORS_MAX, vectors->n);
    return NULL;
  }
  vectors->reader = segue_reader_new (vectors->dataset, 0);
  find_songs (vectors);
  return find_width (vectors, context, error) ? g_steal_pointer (&vectors) : NULL;
}

void
vectors_free (Vectors *vectors)
{
  if (!vectors)
    return;
  g_clear_pointer (&vectors->reader, segue_reader_free);
  g_clear_pointer (&vectors->dataset, segue_dataset_unref);
  g_array_unref (vectors->songs);
  g_free (vectors);
}

const VectorsSong *
vectors_song (const Vectors *vectors, guint i)
{
  return &g_array_index (vectors->songs, VectorsSong, i);
}

gboolean
vectors_read (Vectors *vectors, guint i, float *out, SegueContext *context, GError **error)
{
  g_autoptr (SegueItem) item =
    segue_reader_get (vectors->reader, i, segue_context_get_cancellable (context), error);
  gsize width = 0;
  const float *vector = item ? get_vector (item, &width) : NULL;
  if (!item)
    return FALSE;
  if (!vector || width != vectors->width)
    return refuse (item, "has a vector of another size than the segments before it", error);
  memcpy (out, vector, width * sizeof *out);
  for (gsize j = 0; j < width; j++)
    if (!isfinite (out[j]))
      return refuse (item, "has a vector with a number that is not finite", error);
  return TRUE;
}
