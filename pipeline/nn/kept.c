#include "convert.h"
#include "product.h"

#include <stdlib.h>

static void
clear_kept (gpointer data)
{
  NnKept *kept = data;
  g_free (kept->bfloat16);
  g_free (kept->int8);
  g_free (kept->scales);
}

/* Where it stands, or would. */
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

typedef struct {
  const float *from;
  gsize rows, columns;
  gsize block; /* rows of a tile */
  NnKept *to;
} Conversion;

static void
convert_tile (gpointer data, gsize tile, guint thread)
{
  const Conversion *c = data;
  gsize first = tile * c->block, rows = nn_tile_length (c->rows, c->block, tile);
  gsize at = first * c->columns;
  if (c->to->int8)
    nn_to_int8_rows (rows, c->columns, c->from + at, c->to->int8 + at, c->to->scales + first);
  else
    nn_to_bfloat16 (rows, c->columns, c->from + at, c->columns, c->to->bfloat16 + at);
}

static gboolean
allocate (NnKept *kept, gsize rows, gboolean is_int8)
{
  if (!is_int8)
    return (kept->bfloat16 = g_try_new (SegueNnBfloat16, kept->n)) != NULL;
  kept->int8 = g_try_new (gint8, kept->n);
  kept->scales = g_try_new (float, rows);
  return kept->int8 != NULL && kept->scales != NULL;
}

/* The entry of w, with memory; NULL: there is none. */
static NnKept *
get_entry (NnProducts *products, const float *w, gsize rows, gsize columns, gboolean is_int8)
{
  guint place = find_place (products->kept, w);
  NnKept *found =
    place < products->kept->len ? &g_array_index (products->kept, NnKept, place) : NULL;
  if (found != NULL && found->values == w && found->n == rows * columns &&
      (found->int8 != NULL) == is_int8)
    return found;
  if (found != NULL && found->values == w)
    g_array_remove_index (products->kept, place);
  NnKept made = { .values = w, .n = rows * columns, .columns = columns };
  if (!allocate (&made, rows, is_int8)) {
    clear_kept (&made);
    return NULL;
  }
  g_array_insert_val (products->kept, place, made);
  return &g_array_index (products->kept, NnKept, place);
}

void
segue_nn_pool_keep (SegueNnPool *pool, const float *w, gsize rows, gsize columns, gboolean by_row)
{
  NnProducts *products = nn_pool_get_products (pool);
  if (products->precision == SEGUE_NN_FLOAT32 || rows == 0 || columns == 0)
    return;
  gboolean is_int8 = by_row && products->precision == SEGUE_NN_INT8;
  NnKept *kept = get_entry (products, w, rows, columns, is_int8);
  if (kept == NULL) {
    nn_pool_fail (pool);
    return;
  }
  Conversion conversion = { w, rows, columns, nn_block_rows (columns), kept };
  segue_nn_pool_run (pool, nn_tiles (rows, conversion.block), convert_tile, &conversion);
}

void
segue_nn_pool_forget (SegueNnPool *pool)
{
  nn_products_forget (nn_pool_get_products (pool));
}
