#include "convert.h"
#include "gemm-private.h"
#include "nn-private.h"

#include <segue/nn/grouped-conv1d.h>
#include <segue/nn/linear.h>
#include <string.h>

/* A thread gathers the windows of FRAMES frames and some taps, about WINDOW floats of each
 * window: a matrix that fits into a processor's own cache. */
#define FRAMES ((gsize) 256)
#define WINDOW ((gsize) 768)

/* One convolution from `in` to `out` channels per group. The gradient of the input is the same
 * convolution of dy, with taps in reverse and channels exchanged. */
typedef struct {
  SegueNnThreads *threads;
  gsize batch, time, groups, kernel;
  gsize in, out;  /* per group */
  gsize left;     /* frames of padding before the sequence */
  gsize taps;     /* of one gathered block */
  const float *x; /* [batch, time, groups · in] */
  const float *w; /* [groups, kernel, in, out] */
  const SegueNnKept *kept;
  const float *bias;
  float *y; /* [batch, time, groups · out] */
  const float *dy;
  float *dw;
  float *scratch;
  gsize per_thread;
} Conv;

static gsize
taps_of (gsize in, gsize kernel)
{
  return CLAMP (WINDOW / in, 1, kernel);
}

/* Floats for the slice and the windows of one thread. */
static gsize
gather_size (gsize in, gsize kernel, gsize time)
{
  gsize taps = taps_of (in, kernel), frames = MIN (FRAMES, time);
  return (frames + taps - 1) * in + frames * taps * in;
}

static void
check (const SegueNnGroupedConv1d *conv)
{
  g_assert (conv->groups > 0 && conv->in % conv->groups == 0 && conv->out % conv->groups == 0);
  g_assert (conv->in > 0 && conv->out > 0 && conv->kernel > 0);
}

gsize
segue_nn_grouped_conv1d_scratch (SegueNnThreads *threads, const SegueNnGroupedConv1d *conv)
{
  check (conv);
  gsize in = conv->in / conv->groups, out = conv->out / conv->groups;
  gsize thread =
    MAX (gather_size (in, conv->kernel, conv->time), gather_size (out, conv->kernel, conv->time));
  return conv->groups * conv->kernel * in * out + segue_nn_threads_get_count (threads) * thread;
}

/* Frames t + j … of one group of x [time, groups · in], as [frames + taps − 1, in]. */
static float *
gather_slice (const Conv *c, const float *x, gsize group, gsize t, gsize frames, gsize j,
              gsize taps, guint thread)
{
  float *slice = c->scratch + thread * c->per_thread;
  gsize in = c->in;
  for (gsize i = 0; i < frames + taps - 1; i++) {
    gsize from = t + j + i; /* + left, so that it can't be negative */
    if (from >= c->left && from - c->left < c->time)
      memcpy (slice + i * in, x + ((from - c->left) * c->groups + group) * in, in * sizeof *x);
    else
      memset (slice + i * in, 0, in * sizeof *x);
  }
  return slice;
}

/* C = windows (or their transpose) · b + beta · C, where the windows [frames, taps · in] of a slice are
 * stored after it. Numbers that will be rounded are rounded before each is copied `taps` times. */
static void
multiply_windows (const Conv *c, guint thread, gboolean transposed, float *slice, gsize frames,
                  gsize taps, const float *b, const SegueNnKept *kept, gsize ldb, gsize n,
                  float *to, gsize ldc)
{
  gsize in = c->in, width = taps * in, rows = frames + taps - 1;
  float *windows = slice + rows * in;
  NnProduct product = { .trans_a = transposed,
                        .m = transposed ? width : frames,
                        .n = n,
                        .k = transposed ? frames : width,
                        .a = windows,
                        .lda = width,
                        .b = b,
                        .kept = kept,
                        .ldb = ldb,
                        .beta = 1.0f,
                        .c = to,
                        .ldc = ldc };
  if (nn_product_rounds (c->threads, product.m, product.n, product.k)) {
    /* In half of the memory for float32; the slice fits after them. */
    SegueNnBfloat16 *rounded = (SegueNnBfloat16 *) windows, *narrow = rounded + frames * width;
    nn_to_bfloat16 (rows, in, slice, in, narrow);
    for (gsize i = 0; i < frames; i++)
      memcpy (rounded + i * width, narrow + i * in, width * sizeof *rounded);
    product.rounded_a = rounded;
  } else {
    for (gsize i = 0; i < frames; i++)
      memcpy (windows + i * width, slice + i * in, width * sizeof *windows);
  }
  nn_product (c->threads, thread, &product);
}

/* Tile: some frames of one group of one item. */
static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const Conv *c = data;
  gsize blocks = nn_tiles (c->time, FRAMES), width = c->groups * c->out;
  gsize item = tile / (c->groups * blocks), group = tile / blocks % c->groups;
  gsize t = tile % blocks * FRAMES, frames = MIN (FRAMES, c->time - t);
  const float *x = c->x + item * c->time * c->groups * c->in;
  float *y = c->y + (item * c->time + t) * width + group * c->out;

  nn_fill_rows (frames, c->out, c->bias ? c->bias + group * c->out : NULL, y, width);
  for (gsize j = 0; j < c->kernel; j += c->taps) {
    gsize taps = MIN (c->taps, c->kernel - j);
    float *slice = gather_slice (c, x, group, t, frames, j, taps, thread);
    multiply_windows (c, thread, FALSE, slice, frames, taps,
                      c->w + (group * c->kernel + j) * c->in * c->out, c->kept, c->out, c->out, y,
                      width);
  }
}

/* Tile: some taps of one group; the sum runs over items and frames in order. */
static void
dw_tile (gpointer data, gsize tile, guint thread)
{
  const Conv *c = data;
  gsize blocks = nn_tiles (c->kernel, c->taps), width = c->groups * c->out;
  gsize group = tile / blocks, j = tile % blocks * c->taps;
  gsize taps = MIN (c->taps, c->kernel - j);
  float *dw = c->dw + (group * c->kernel + j) * c->in * c->out;

  for (gsize item = 0; item < c->batch; item++) {
    const float *x = c->x + item * c->time * c->groups * c->in;
    for (gsize t = 0; t < c->time; t += FRAMES) {
      gsize frames = MIN (FRAMES, c->time - t);
      float *slice = gather_slice (c, x, group, t, frames, j, taps, thread);
      multiply_windows (c, thread, TRUE, slice, frames, taps,
                        c->dy + (item * c->time + t) * width + group * c->out, NULL, width, c->out,
                        dw, c->out);
    }
  }
}

static Conv
conv_new (SegueNnThreads *threads, const SegueNnGroupedConv1d *conv, float *scratch)
{
  check (conv);
  gsize in = conv->in / conv->groups, out = conv->out / conv->groups;
  return (Conv){
    .threads = threads,
    .batch = conv->batch,
    .time = conv->time,
    .groups = conv->groups,
    .kernel = conv->kernel,
    .in = in,
    .out = out,
    .left = conv->kernel / 2,
    .taps = taps_of (in, conv->kernel),
    .scratch = scratch + conv->groups * conv->kernel * in * out,
    .per_thread =
      MAX (gather_size (in, conv->kernel, conv->time), gather_size (out, conv->kernel, conv->time)),
  };
}

static void
run_forward (SegueNnThreads *threads, Conv *c)
{
  segue_nn_threads_run (threads, c->batch * c->groups * nn_tiles (c->time, FRAMES), forward_tile,
                        c);
}

void
segue_nn_grouped_conv1d_forward (SegueNnThreads *threads, const SegueNnGroupedConv1d *conv,
                                 const float *x, const SegueNnAffine *w, float *y, float *scratch)
{
  Conv c = conv_new (threads, conv, scratch);
  c.x = x;
  c.w = w->weight.w;
  c.kept = w->weight.kept;
  c.bias = w->bias.w;
  c.y = y;
  run_forward (threads, &c);
}

typedef struct {
  gsize groups, kernel, in, out; /* channels per group */
  gboolean add;
  const float *from;
  float *to;
} Permute;

/* to [kernel, out, in] = from [kernel, in, out] of one group, with taps in reverse. */
static void
flip_group (gpointer data, gsize tile, guint thread)
{
  const Permute *p = data;
  gsize group = tile / p->kernel, j = tile % p->kernel, size = p->in * p->out;
  const float *from = p->from + (group * p->kernel + j) * size;
  float *to = p->to + (group * p->kernel + p->kernel - 1 - j) * size;
  for (gsize i = 0; i < p->in; i++)
    for (gsize o = 0; o < p->out; o++)
      to[o * p->in + i] = from[i * p->out + o];
}

void
segue_nn_grouped_conv1d_backward (SegueNnThreads *threads, const SegueNnGroupedConv1d *conv,
                                  const float *x, const SegueNnAffine *w, const float *dy,
                                  float *dx, float *scratch)
{
  Conv c = conv_new (threads, conv, scratch);

  if (dx) {
    Permute flip = { c.groups, c.kernel, c.in, c.out, FALSE, w->weight.w, scratch };
    segue_nn_threads_run (threads, c.groups * c.kernel, flip_group, &flip);
    Conv back = c;
    back.in = c.out;
    back.out = c.in;
    back.left = c.kernel - 1 - c.left;
    back.taps = taps_of (back.in, c.kernel);
    back.x = dy;
    back.w = scratch;
    back.y = dx;
    run_forward (threads, &back);
  }
  if (w->weight.dw) {
    c.x = x;
    c.dy = dy;
    c.dw = w->weight.dw;
    segue_nn_threads_run (threads, c.groups * nn_tiles (c.kernel, c.taps), dw_tile, &c);
  }
  if (w->bias.dw)
    segue_nn_bias_backward (threads, conv->batch * conv->time, conv->out, dy, w->bias.dw);
}

/* torch [groups · out, in, kernel] → [groups, kernel, in, out] for one group and tap, and back. */
static void
pack_tap (gpointer data, gsize tile, guint thread)
{
  const Permute *p = data;
  gsize group = tile / p->kernel, j = tile % p->kernel, size = p->in * p->kernel;
  float *to = p->to + tile * p->in * p->out;
  for (gsize i = 0; i < p->in; i++)
    for (gsize o = 0; o < p->out; o++)
      to[i * p->out + o] = p->from[(group * p->out + o) * size + i * p->kernel + j];
}

static void
unpack_row (gpointer data, gsize row, guint thread)
{
  const Permute *p = data;
  gsize group = row / p->out, o = row % p->out;
  float *to = p->to + row * p->in * p->kernel;
  for (gsize i = 0; i < p->in; i++) {
    for (gsize j = 0; j < p->kernel; j++) {
      float value = p->from[((group * p->kernel + j) * p->in + i) * p->out + o];
      to[i * p->kernel + j] = p->add ? to[i * p->kernel + j] + value : value;
    }
  }
}

void
segue_nn_grouped_conv1d_pack (SegueNnThreads *threads, gsize out, gsize in, gsize kernel,
                              gsize groups, const float *torch_w, float *w)
{
  Permute p = { groups, kernel, in / groups, out / groups, FALSE, torch_w, w };
  segue_nn_threads_run (threads, groups * kernel, pack_tap, &p);
}

void
segue_nn_grouped_conv1d_unpack (SegueNnThreads *threads, gsize out, gsize in, gsize kernel,
                                gsize groups, gboolean add, const float *w, float *torch_w)
{
  Permute p = { groups, kernel, in / groups, out / groups, add, w, torch_w };
  segue_nn_threads_run (threads, out, unpack_row, &p);
}
