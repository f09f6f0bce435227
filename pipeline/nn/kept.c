#include "kept.h"

#include "convert.h"
#include "packed.h"

/* The conversion of a matrix to its copies. */
typedef struct {
  SegueNnThreads *threads;
  NnProducts *products;
  SegueNnKept *kept;
  gsize block; /* rows of a tile */
} Conversion;

static void
round_tile (gpointer data, gsize tile, guint thread)
{
  const Conversion *c = data;
  const SegueNnKept *k = c->kept;
  gsize first = tile * c->block, rows = nn_tile_length (k->rows, c->block, tile);
  gsize at = first * k->columns;
  nn_to_bfloat16 (rows, k->columns, k->values + at, k->columns, k->bfloat16 + at);
}

static void
pack_tile (gpointer data, gsize tile, guint thread)
{
  const Conversion *c = data;
  if (!nn_packed_fill (c->kept->packed, tile, c->kept->values,
                       nn_products_room (c->products, thread)))
    nn_threads_fail (c->threads);
}

void
nn_kept_expire (SegueNnKept *self)
{
  self->is_fresh = FALSE;
}

void
nn_kept_clear (SegueNnKept *self)
{
  g_clear_pointer (&self->bfloat16, g_free);
  g_clear_pointer (&self->packed, nn_packed_free);
  self->is_fresh = FALSE;
}

/* Allocates the requested copies that have no memory yet. */
static gboolean
allocate (SegueNnKept *self, const NnProducts *products, gboolean is_packed, gboolean is_plain)
{
  if (self->backend != products->backend || self->precision != products->precision)
    nn_kept_clear (self);
  self->backend = products->backend;
  self->precision = products->precision;
  if (is_packed && !self->packed)
    self->packed =
      nn_packed_new (products->backend, products->precision, self->rows, self->columns);
  if (is_plain && !self->bfloat16)
    self->bfloat16 = g_try_new (SegueNnBfloat16, self->rows * self->columns);
  return (!is_packed || self->packed) && (!is_plain || self->bfloat16);
}

void
nn_kept_refresh (SegueNnKept *self, SegueNnThreads *threads)
{
  NnProducts *products = nn_threads_get_products (threads);
  gboolean is_packed =
    (self->keep & SEGUE_NN_KEEP_OUTPUTS) != 0 &&
    nn_packed_is_known (products->backend, products->precision, self->rows, self->columns);
  gboolean is_plain = !is_packed || (self->keep & SEGUE_NN_KEEP_ANY) != 0;
  if (products->precision == SEGUE_MODEL_FLOAT32 || nn_kept_is_usable (self, products))
    return;
  if (!allocate (self, products, is_packed, is_plain)) {
    nn_kept_clear (self);
    nn_threads_fail (threads);
    return;
  }
  Conversion c = { threads, products, self, nn_block_rows (self->columns) };
  if (is_plain)
    segue_nn_threads_run (threads, nn_tiles (self->rows, c.block), round_tile, &c);
  if (is_packed)
    segue_nn_threads_run (threads, nn_packed_count (self->packed), pack_tile, &c);
  self->is_fresh = TRUE;
}
