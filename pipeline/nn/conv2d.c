#include "conv2d-kernels.h"
#include "nn-private.h"

#include <segue/nn/conv2d.h>
#include <string.h>

#define PIXELS NN_CONV2D_PIXELS
#define BLOCK  NN_CONV2D_BLOCK
#define HALF   NN_CONV2D_HALF

/* Pixels of a band: their windows and sums stay in the cache of a core while all channels are computed. */
#define FORWARD_PIXELS  512
#define GRADIENT_PIXELS 256
/* Floats of a band's copy, borders included, that fit into a core's cache beside the weights. */
#define BAND_FLOATS 65536
/* The gradient of the weights is summed in this many parts, which are then added in order. */
#define MAX_PARTS 16

/* A band of whole rows of one image. */
typedef struct {
  gsize height, width;               /* of the image */
  gsize channels;                    /* of the copied side */
  gsize kernel_height, kernel_width; /* odd */
  gsize rows;                        /* of a band; the last of an image may have fewer */
  gsize bands;                       /* per image */
  gsize copy_width;                  /* floats from row to row of a copy */
  gsize copy_size;                   /* floats of a copy, a multiple of 16 */
} Bands;

static Bands
cut_bands (const SegueNnConv2d *conv, gsize channels, gsize pixels)
{
  Bands b = { .height = conv->height,
              .width = conv->width,
              .channels = channels,
              .kernel_height = conv->kernel_height,
              .kernel_width = conv->kernel_width };
  b.copy_width = (conv->width + conv->kernel_width - 1) * channels;
  gsize fitting = BAND_FLOATS / b.copy_width;
  gsize halo = conv->kernel_height - 1;
  gsize most = MAX (pixels / conv->width, 1);
  b.rows = MIN (most, fitting > halo ? fitting - halo : 1);
  b.rows = nn_even_block (conv->height, b.rows, 1);
  b.bands = nn_tiles (conv->height, b.rows);
  b.copy_size = nn_tiles ((b.rows + halo) * b.copy_width, 16) * 16;
  return b;
}

/* The rows of `image` [height, width, channels] that windows of the band from row `first` on cover, zeros
 * outside the image. */
static void
copy_band (const Bands *b, const float *image, gsize first, gsize rows, float *copy)
{
  gsize above = b->kernel_height / 2;
  gsize row_size = b->width * b->channels;
  gsize left = b->kernel_width / 2 * b->channels;
  gsize right = b->copy_width - row_size - left;

  for (gsize i = 0; i < rows + b->kernel_height - 1; i++, copy += b->copy_width) {
    gsize row = first + i; /* + above */
    if (row < above || row - above >= b->height) {
      memset (copy, 0, b->copy_width * sizeof *copy);
      continue;
    }
    memset (copy, 0, left * sizeof *copy);
    memcpy (copy + left, image + (row - above) * row_size, row_size * sizeof *copy);
    memset (copy + left + row_size, 0, right * sizeof *copy);
  }
}

/* Columns of a window, and blocks of output channels. */
static gsize
window_size (const SegueNnConv2d *conv, gsize in)
{
  return conv->kernel_height * conv->kernel_width * in;
}

static gsize
blocks (gsize channels)
{
  return nn_tiles (channels, BLOCK);
}

/* Columns that the kernels compute for the block that begins with channel `first`. */
static gsize
block_columns (gsize channels, gsize first)
{
  return channels - first > HALF ? BLOCK : HALF;
}

static void
check (const SegueNnConv2d *conv)
{
  g_assert (conv->kernel_height % 2 == 1 && conv->kernel_width % 2 == 1);
  g_assert (conv->in > 0 && conv->out > 0);
}

gsize
segue_nn_conv2d_packed_size (const SegueNnConv2d *conv)
{
  return blocks (conv->out) * window_size (conv, conv->in) * BLOCK;
}

gsize
segue_nn_conv2d_packed_back_size (const SegueNnConv2d *conv)
{
  return blocks (conv->in) * window_size (conv, conv->out) * BLOCK;
}

typedef struct {
  const SegueNnConv2d *conv;
  const float *w;
  float *packed;
  gboolean back;
} Pack;

/* Packed: [block, kernel_height, kernel_width, in, 32 channels out], zeros past the last channel. */
static void
pack_block (gpointer data, gsize block, guint thread)
{
  const Pack *p = data;
  const SegueNnConv2d *c = p->conv;
  gsize taps = c->kernel_height * c->kernel_width;
  gsize in = p->back ? c->out : c->in, out = p->back ? c->in : c->out;
  float *packed = p->packed + block * window_size (c, in) * BLOCK;

  for (gsize tap = 0; tap < taps; tap++)
    for (gsize i = 0; i < in; i++)
      for (gsize j = 0; j < BLOCK; j++, packed++) {
        gsize o = block * BLOCK + j;
        if (o >= out)
          *packed = 0.0f;
        else if (p->back)
          *packed = p->w[(i * out + o) * taps + (taps - 1 - tap)];
        else
          *packed = p->w[(o * in + i) * taps + tap];
      }
}

void
segue_nn_conv2d_pack (SegueNnThreads *threads, const SegueNnConv2d *conv, const float *w,
                      float *packed, float *packed_back)
{
  check (conv);
  if (packed) {
    Pack p = { conv, w, packed, FALSE };
    segue_nn_threads_run (threads, blocks (conv->out), pack_block, &p);
  }
  if (packed_back) {
    Pack p = { conv, w, packed_back, TRUE };
    segue_nn_threads_run (threads, blocks (conv->in), pack_block, &p);
  }
}

typedef struct {
  Bands bands;
  gsize out;
  const float *x, *packed;
  float *y, *scratch;
} Forward;

/* The starts of the windows of the next eight pixels of a band; the last one is repeated if the band has
 * no more. */
typedef struct {
  const Bands *bands;
  const float *copy;
  gsize row, column, left; /* of the next pixel; left: remaining pixels */
} Windows;

static void
next_windows (Windows *w, const float *x[PIXELS])
{
  const Bands *b = w->bands;
  const float *at = w->copy + w->row * b->copy_width + w->column * b->channels;
  for (gsize j = 0; j < PIXELS; j++) {
    x[j] = at;
    if (w->left <= 1)
      continue;
    w->left--;
    at += b->channels;
    if (++w->column == b->width) {
      w->column = 0;
      w->row++;
      at = w->copy + w->row * b->copy_width;
    }
  }
}

/* Channels `block` and up to 31 more, of all pixels of a band. */
static void
forward_block (const Forward *f, const float *copy, gsize pixels, gsize block, float *y)
{
  const Bands *b = &f->bands;
  gsize run = b->kernel_width * b->channels;
  gsize columns = block_columns (f->out, block);
  const NnConv2dKernels *kernels = nn_conv2d_kernels (columns);
  gsize wanted = MIN (columns, f->out - block);
  const float *w = f->packed + block * b->kernel_height * run;
  Windows windows = { b, copy, 0, 0, pixels };
  const float *x[PIXELS];
  float sums[PIXELS * BLOCK];

  for (gsize pixel = 0; pixel < pixels; pixel += PIXELS, y += PIXELS * f->out) {
    gboolean whole = wanted == columns && pixels - pixel >= PIXELS;
    next_windows (&windows, x);
    kernels->forward (columns, b->kernel_height, run, b->copy_width, x, w, whole ? y + block : sums,
                      whole ? f->out : BLOCK);
    for (gsize j = 0; !whole && j < MIN (PIXELS, pixels - pixel); j++)
      memcpy (y + j * f->out + block, sums + j * BLOCK, wanted * sizeof *y);
  }
}

static void
forward_band (gpointer data, gsize tile, guint thread)
{
  const Forward *f = data;
  const Bands *b = &f->bands;
  gsize item = tile / b->bands, first = tile % b->bands * b->rows;
  gsize rows = MIN (b->rows, b->height - first);
  float *copy = f->scratch + thread * b->copy_size;

  copy_band (b, f->x + item * b->height * b->width * b->channels, first, rows, copy);
  for (gsize block = 0; block < f->out; block += BLOCK)
    forward_block (f, copy, rows * b->width, block,
                   f->y + (item * b->height + first) * b->width * f->out);
}

/* The convolution itself; the backward uses it with in and out exchanged. */
static void
convolve (SegueNnThreads *threads, const SegueNnConv2d *conv, gsize in, gsize out, const float *x,
          const float *packed, float *y, float *scratch)
{
  Forward f = { .bands = cut_bands (conv, in, FORWARD_PIXELS),
                .out = out,
                .x = x,
                .packed = packed,
                .y = y,
                .scratch = scratch };
  segue_nn_threads_run (threads, conv->batch * f.bands.bands, forward_band, &f);
}

gsize
segue_nn_conv2d_forward_scratch (SegueNnThreads *threads, const SegueNnConv2d *conv)
{
  check (conv);
  if (conv->height == 0 || conv->width == 0)
    return 0;
  return segue_nn_threads_get_count (threads) *
         cut_bands (conv, conv->in, FORWARD_PIXELS).copy_size;
}

void
segue_nn_conv2d_forward (SegueNnThreads *threads, const SegueNnConv2d *conv, const float *x,
                         const float *packed, float *y, float *scratch)
{
  check (conv);
  if (conv->height > 0 && conv->width > 0)
    convolve (threads, conv, conv->in, conv->out, x, packed, y, scratch);
}

/* dw is summed in parts, each over its share of the images in order. */
typedef struct {
  const SegueNnConv2d *conv;
  Bands bands;
  gsize parts;
  gsize columns;   /* of a window, a multiple of PIXELS */
  gsize part_size; /* [blocks, columns, BLOCK] */
  gsize dy_width;  /* channels of a copy of dy, a multiple of HALF; 0 if none is needed */
  gsize dy_size;   /* floats of that copy */
  const float *x, *dy;
  float *sums;   /* [parts, part_size] */
  float *copies; /* [threads, copy_size + dy_size] */
  float *dw;
} Gradient;

static Gradient
plan_gradient (const SegueNnConv2d *conv)
{
  Gradient g = { .conv = conv, .bands = cut_bands (conv, conv->in, GRADIENT_PIXELS) };
  g.parts = MIN (conv->batch, MAX_PARTS);
  g.columns = nn_tiles (window_size (conv, conv->in), PIXELS) * PIXELS;
  g.part_size = blocks (conv->out) * g.columns * BLOCK;
  if (conv->out % HALF != 0) {
    g.dy_width = nn_tiles (conv->out, HALF) * HALF;
    g.dy_size = g.bands.rows * conv->width * g.dy_width;
  }
  return g;
}

/* dy with zeros for missing channels of a block, so that the kernels can read whole blocks. */
static void
copy_dy (const Gradient *g, const float *dy, gsize pixels, float *copy)
{
  gsize out = g->conv->out;
  for (gsize p = 0; p < pixels; p++, copy += g->dy_width) {
    memcpy (copy, dy + p * out, out * sizeof *copy);
    memset (copy + out, 0, (g->dy_width - out) * sizeof *copy);
  }
}

static void
gradient_band (const Gradient *g, gsize item, gsize first, float *copy, float *sums)
{
  const Bands *b = &g->bands;
  gsize rows = MIN (b->rows, b->height - first);
  gsize run = b->kernel_width * b->channels;
  gsize window = b->kernel_height * run;
  const float *dy = g->dy + (item * b->height + first) * b->width * g->conv->out;
  gsize dy_pixel = g->conv->out;

  copy_band (b, g->x + item * b->height * b->width * b->channels, first, rows, copy);
  if (g->dy_width > 0) {
    copy_dy (g, dy, rows * b->width, copy + b->copy_size);
    dy = copy + b->copy_size;
    dy_pixel = g->dy_width;
  }
  for (gsize block = 0; block < g->conv->out; block += BLOCK) {
    gsize columns = block_columns (g->conv->out, block);
    const NnConv2dKernels *kernels = nn_conv2d_kernels (columns);
    for (gsize column = 0; column < g->columns; column += PIXELS, sums += PIXELS * BLOCK) {
      const float *x[PIXELS];
      for (gsize j = 0; j < PIXELS; j++) {
        gsize k = MIN (column + j, window - 1); /* columns past the window are never read again */
        x[j] = copy + k / run * b->copy_width + k % run;
      }
      kernels->gradient (columns, rows, b->width, b->copy_width, b->channels, x, dy + block,
                         dy_pixel, sums);
    }
  }
}

static void
gradient_part (gpointer data, gsize part, guint thread)
{
  const Gradient *g = data;
  float *sums = g->sums + part * g->part_size;
  float *copy = g->copies + thread * (g->bands.copy_size + g->dy_size);

  memset (sums, 0, g->part_size * sizeof *sums);
  for (gsize item = part * g->conv->batch / g->parts; item < (part + 1) * g->conv->batch / g->parts;
       item++)
    for (gsize band = 0; band < g->bands.bands; band++)
      gradient_band (g, item, band * g->bands.rows, copy, sums);
}

/* The sums of one output channel, added in order and stored in torch's order. */
static void
add_parts (gpointer data, gsize o, guint thread)
{
  const Gradient *g = data;
  const SegueNnConv2d *c = g->conv;
  gsize taps = c->kernel_height * c->kernel_width;
  const float *sums = g->sums + o / BLOCK * g->columns * BLOCK + o % BLOCK;

  for (gsize tap = 0; tap < taps; tap++)
    for (gsize i = 0; i < c->in; i++) {
      float sum = 0.0f;
      for (gsize part = 0; part < g->parts; part++)
        sum += sums[part * g->part_size + (tap * c->in + i) * BLOCK];
      g->dw[(o * c->in + i) * taps + tap] += sum;
    }
}

gsize
segue_nn_conv2d_backward_scratch (SegueNnThreads *threads, const SegueNnConv2d *conv)
{
  check (conv);
  if (conv->height == 0 || conv->width == 0)
    return 0;
  gsize n_threads = segue_nn_threads_get_count (threads);
  Gradient g = plan_gradient (conv);
  gsize weights = g.parts * g.part_size + n_threads * (g.bands.copy_size + g.dy_size);
  gsize input = n_threads * cut_bands (conv, conv->out, FORWARD_PIXELS).copy_size;
  return MAX (weights, input);
}

void
segue_nn_conv2d_backward (SegueNnThreads *threads, const SegueNnConv2d *conv, const float *x,
                          const float *packed_back, const float *dy, float *dx, float *dw,
                          float *scratch)
{
  check (conv);
  if (conv->height == 0 || conv->width == 0)
    return;
  if (dw) {
    Gradient g = plan_gradient (conv);
    g.x = x;
    g.dy = dy;
    g.sums = scratch;
    g.copies = scratch + g.parts * g.part_size;
    g.dw = dw;
    segue_nn_threads_run (threads, g.parts, gradient_part, &g);
    segue_nn_threads_run (threads, conv->out, add_parts, &g);
  }
  if (dx)
    convolve (threads, conv, conv->out, conv->in, dy, packed_back, dx, scratch);
}
