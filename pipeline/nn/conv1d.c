#include "gemm-private.h"
#include "nn-private.h"

#include <segue/nn/conv1d.h>
#include <segue/nn/linear.h>

/* With s = stride, the kernel's taps are split into groups of up to s: group g has taps g·s … g·s +
 * taps − 1. The part of window t that group g uses is row t + g of x, if x is read as a matrix
 * of rows of s·in floats: rows of one group never overlap. So, with W_g = w[:, taps of g, :] as
 * [out, taps·in],
 *
 *   y[t]  = Σ_g X[t + g] W_gᵀ        dX[r] = Σ_g dY[r − g] W_g        dW_g = Σ_t dY[t]ᵀ X[t + g]
 *
 * and only the first taps·in floats of a row are used. Groups are added in order within one
 * tile. */
typedef struct {
  const SegueNnConv1d *conv;
  SegueNnThreads *threads;
  gsize out_time;
  gsize groups;           /* ⌈kernel / stride⌉ */
  gsize block_m, block_n; /* of one tile */
  gsize tiles_m, tiles_n;
  const SegueNnAffine *weights;
  const float *x, *dy;
  float *y, *dx;
} Conv;

gsize
segue_nn_conv1d_out_time (gsize time, gsize kernel, gsize stride)
{
  g_assert (kernel > 0 && stride > 0);
  return time < kernel ? 0 : (time - kernel) / stride + 1;
}

static gsize
taps_of (const SegueNnConv1d *conv, gsize group)
{
  return MIN (conv->stride, conv->kernel - group * conv->stride);
}

static void
set_tiles (Conv *c, gsize m, gsize n)
{
  c->block_m = nn_gemm_block_m (m);
  c->block_n = nn_gemm_block_n (n);
  c->tiles_m = nn_tiles (m, c->block_m);
  c->tiles_n = nn_tiles (n, c->block_n);
}

static Conv
conv_new (SegueNnThreads *threads, const SegueNnConv1d *conv, const SegueNnAffine *w)
{
  g_assert (conv->time >= conv->kernel);
  return (Conv){
    .conv = conv,
    .threads = threads,
    .weights = w,
    .out_time = segue_nn_conv1d_out_time (conv->time, conv->kernel, conv->stride),
    .groups = nn_tiles (conv->kernel, conv->stride),
  };
}

/* Tile: frames of one item × output channels. */
static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const Conv *c = data;
  const SegueNnConv1d *v = c->conv;
  gsize item = tile / (c->tiles_m * c->tiles_n);
  gsize t = tile / c->tiles_n % c->tiles_m * c->block_m, o = tile % c->tiles_n * c->block_n;
  gsize m = MIN (c->block_m, c->out_time - t), n = MIN (c->block_n, v->out - o);
  gsize row = v->stride * v->in; /* floats between windows */
  const float *x = c->x + item * v->time * v->in + t * row;
  const SegueNnWeight *w = &c->weights->weight, *bias = &c->weights->bias;
  float *y = c->y + (item * c->out_time + t) * v->out + o;

  nn_product (c->threads, thread,
              &(NnProduct){ .trans_b = TRUE,
                            .m = m,
                            .n = n,
                            .k = v->kernel * v->in,
                            .a = x,
                            .lda = row,
                            .b = w->w + o * v->kernel * v->in,
                            .kept = w->kept,
                            .ldb = v->kernel * v->in,
                            .bias = bias->w ? bias->w + o : NULL,
                            .c = y,
                            .ldc = v->out,
                            .activation = v->activation });
}

void
segue_nn_conv1d_forward (SegueNnThreads *threads, const SegueNnConv1d *conv, const float *x,
                         const SegueNnAffine *w, float *y)
{
  Conv c = conv_new (threads, conv, w);
  c.x = x;
  c.y = y;
  set_tiles (&c, c.out_time, conv->out);
  segue_nn_threads_run (threads, conv->batch * c.tiles_m * c.tiles_n, forward_tile, &c);
}

/* Tile: rows (of stride·in floats) of one item's dx. */
static void
dx_tile (gpointer data, gsize tile, guint thread)
{
  const Conv *c = data;
  const SegueNnConv1d *v = c->conv;
  gsize item = tile / c->tiles_m, first = tile % c->tiles_m * c->block_m;
  gsize row = v->stride * v->in, length = v->time * v->in;
  gsize rows = MIN (c->block_m, c->tiles_m * c->block_m - first);
  float *dx = c->dx + item * length;
  const float *dy = c->dy + item * c->out_time * v->out;

  /* Floats of this tile; the last tile also clears frames outside every window. */
  gsize begin = MIN (first * row, length);
  gsize end = tile % c->tiles_m + 1 == c->tiles_m ? length : MIN ((first + rows) * row, length);
  nn_fill_rows (1, end - begin, NULL, dx + begin, end - begin);

  for (gsize g = 0; g < c->groups; g++) {
    /* rows r of this tile that group g writes: r − g is a frame of dy */
    gsize from = MAX (first, g), to = MIN (first + rows, c->out_time + g);
    if (from < to)
      nn_product (c->threads, thread,
                  &(NnProduct){ .m = to - from,
                                .n = taps_of (v, g) * v->in,
                                .k = v->out,
                                .a = dy + (from - g) * v->out,
                                .lda = v->out,
                                .b = c->weights->weight.w + g * row,
                                .kept = c->weights->weight.kept,
                                .ldb = v->kernel * v->in,
                                .beta = 1.0f,
                                .c = dx + from * row,
                                .ldc = row });
  }
}

/* Tile: output channels × columns of one group of taps; the sum runs over items in order. */
static void
dw_tile (gpointer data, gsize tile, guint thread)
{
  const Conv *c = data;
  const SegueNnConv1d *v = c->conv;
  gsize group = tile / (c->tiles_m * c->tiles_n);
  gsize o = tile / c->tiles_n % c->tiles_m * c->block_m, column = tile % c->tiles_n * c->block_n;
  gsize row = v->stride * v->in, columns = taps_of (v, group) * v->in;
  if (column >= columns)
    return; /* the last group is narrower */

  gsize m = MIN (c->block_m, v->out - o), n = MIN (c->block_n, columns - column);
  float *dw = c->weights->weight.dw + o * v->kernel * v->in + group * row + column;
  for (gsize item = 0; item < v->batch; item++)
    nn_product (c->threads, thread,
                &(NnProduct){ .trans_a = TRUE,
                              .m = m,
                              .n = n,
                              .k = c->out_time,
                              .a = c->dy + item * c->out_time * v->out + o,
                              .lda = v->out,
                              .b = c->x + item * v->time * v->in + group * row + column,
                              .ldb = row,
                              .beta = 1.0f,
                              .c = dw,
                              .ldc = v->kernel * v->in });
}

void
segue_nn_conv1d_backward (SegueNnThreads *threads, const SegueNnConv1d *conv, const float *x,
                          const SegueNnAffine *w, const float *dy, float *dx)
{
  g_assert (conv->activation == SEGUE_NN_ACTIVATION_LINEAR);
  Conv c = conv_new (threads, conv, w);
  c.x = x;
  c.dy = dy;
  c.dx = dx;

  if (dx) {
    set_tiles (&c, c.out_time + c.groups - 1, 1);
    segue_nn_threads_run (threads, conv->batch * c.tiles_m, dx_tile, &c);
  }
  if (w->weight.dw) {
    set_tiles (&c, conv->out, MIN (conv->stride, conv->kernel) * conv->in);
    segue_nn_threads_run (threads, c.groups * c.tiles_m * c.tiles_n, dw_tile, &c);
  }
  if (w->bias.dw)
    segue_nn_bias_backward (threads, conv->batch * c.out_time, conv->out, dy, w->bias.dw);
}

typedef struct {
  gsize in, kernel;
  gboolean add;
  const float *from;
  float *to;
} Pack;

static void
pack_row (gpointer data, gsize o, guint thread)
{
  const Pack *p = data;
  const float *from = p->from + o * p->in * p->kernel;
  float *to = p->to + o * p->in * p->kernel;
  for (gsize j = 0; j < p->kernel; j++)
    for (gsize i = 0; i < p->in; i++)
      to[j * p->in + i] = from[i * p->kernel + j];
}

static void
unpack_row (gpointer data, gsize o, guint thread)
{
  const Pack *p = data;
  const float *from = p->from + o * p->in * p->kernel;
  float *to = p->to + o * p->in * p->kernel;
  for (gsize i = 0; i < p->in; i++)
    for (gsize j = 0; j < p->kernel; j++)
      to[i * p->kernel + j] = from[j * p->in + i] + (p->add ? to[i * p->kernel + j] : 0.0f);
}

void
segue_nn_conv1d_pack (SegueNnThreads *threads, gsize out, gsize in, gsize kernel,
                      const float *torch_w, float *w)
{
  Pack pack = { in, kernel, FALSE, torch_w, w };
  segue_nn_threads_run (threads, out, pack_row, &pack);
}

void
segue_nn_conv1d_unpack (SegueNnThreads *threads, gsize out, gsize in, gsize kernel, gboolean add,
                        const float *w, float *torch_w)
{
  Pack pack = { in, kernel, add, w, torch_w };
  segue_nn_threads_run (threads, out, unpack_row, &pack);
}
