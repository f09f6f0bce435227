#include "convert.h"
#include "packed.h"

#include <stdlib.h>

static void
clear_kept (gpointer data)
{
  NnKept *kept = data;
  g_free (kept->bfloat16);
  nn_packed_free (kept->packed);
}

/* Its index, or where to insert it. */
static guint
find_place (const GArray *all, const float *values)
{
  guint low = 0, high = all->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (g_array_index (all, NnKept, middle).values < values)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const NnKept *
nn_products_find (const NnProducts *self, const float *values)
{
  guint place = find_place (self->kept, values + 1);
  if (place == 0)
    return NULL;
  const NnKept *kept = &g_array_index (self->kept, NnKept, place - 1);
  return (gsize) (values - kept->values) < kept->n ? kept : NULL;
}

void
nn_products_init (NnProducts *self, const SegueNnBackend *backend, gsize n_threads)
{
  *self = (NnProducts){ .backend = backend, .n_threads = n_threads };
  self->kept = g_array_new (FALSE, TRUE, sizeof (NnKept));
  g_array_set_clear_func (self->kept, clear_kept);
}

void
nn_products_forget (NnProducts *self)
{
  g_array_set_size (self->kept, 0);
}

void
nn_products_clear (NnProducts *self)
{
  g_clear_pointer (&self->kept, g_array_unref);
  g_clear_pointer (&self->scratch, free);
}

/* The conversion of a matrix to its copies. */
typedef struct {
  SegueNnThreads *threads;
  NnProducts *products;
  const float *from;
  gsize rows, columns;
  gsize block; /* rows of a tile */
  NnKept *to;
} Conversion;

static void
round_tile (gpointer data, gsize tile, guint thread)
{
  const Conversion *c = data;
  gsize first = tile * c->block, rows = nn_tile_length (c->rows, c->block, tile);
  gsize at = first * c->columns;
  nn_to_bfloat16 (rows, c->columns, c->from + at, c->columns, c->to->bfloat16 + at);
}

static void
pack_tile (gpointer data, gsize tile, guint thread)
{
  const Conversion *c = data;
  if (!nn_packed_fill (c->to->packed, tile, c->from, nn_products_room (c->products, thread)))
    nn_threads_fail (c->threads);
}

/* The entry of w; a new one if there is none, or if its shape differs. */
static NnKept *
get_entry (NnProducts *products, const float *w, gsize n)
{
  guint place = find_place (products->kept, w);
  NnKept *found =
    place < products->kept->len ? &g_array_index (products->kept, NnKept, place) : NULL;
  if (found != NULL && found->values == w && found->n == n)
    return found;
  if (found != NULL && found->values == w)
    g_array_remove_index (products->kept, place);
  const NnKept made = { .values = w, .n = n };
  g_array_insert_val (products->kept, place, made);
  return &g_array_index (products->kept, NnKept, place);
}

/* Allocates the requested copies that have no memory yet. */
static gboolean
allocate (const NnProducts *products, NnKept *kept, gsize rows, gsize columns, gboolean is_packed,
          gboolean is_plain)
{
  if (kept->packed != NULL && (kept->packed->rows != rows || kept->packed->columns != columns))
    g_clear_pointer (&kept->packed, nn_packed_free);
  if (is_packed && kept->packed == NULL)
    kept->packed = nn_packed_new (products->backend, products->precision, rows, columns);
  if (is_plain && kept->bfloat16 == NULL)
    kept->bfloat16 = g_try_new (SegueNnBfloat16, kept->n);
  return (!is_packed || kept->packed != NULL) && (!is_plain || kept->bfloat16 != NULL);
}

void
segue_nn_threads_keep (SegueNnThreads *threads, const float *w, gsize rows, gsize columns,
                       SegueNnKeep keep)
{
  NnProducts *products = nn_threads_get_products (threads);
  if (products->precision == SEGUE_MODEL_FLOAT32 || rows == 0 || columns == 0)
    return;
  gboolean is_packed = (keep & SEGUE_NN_KEEP_OUTPUTS) != 0 &&
                       nn_packed_is_known (products->backend, products->precision, rows, columns);
  gboolean is_plain = !is_packed || (keep & SEGUE_NN_KEEP_ANY) != 0;
  NnKept *kept = get_entry (products, w, rows * columns);
  if (!allocate (products, kept, rows, columns, is_packed, is_plain)) {
    g_array_remove_index (products->kept,
                          (guint) (kept - (NnKept *) (gpointer) products->kept->data));
    nn_threads_fail (threads);
    return;
  }
  Conversion c = { threads, products, w, rows, columns, nn_block_rows (columns), kept };
  if (is_plain)
    segue_nn_threads_run (threads, nn_tiles (rows, c.block), round_tile, &c);
  if (is_packed)
    segue_nn_threads_run (threads, nn_packed_count (kept->packed), pack_tile, &c);
}

void
segue_nn_threads_forget (SegueNnThreads *threads)
{
  nn_products_forget (nn_threads_get_products (threads));
}
