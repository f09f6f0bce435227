#include "conv-max-kernels.h"
#include "fast-fir.h"
#include "nn-private.h"

#include <segue/nn/conv-max.h>
#include <string.h>

/* Blocks of the kernels' rows in a tile, which share a panel of weights in the cache. */
#define KERNEL_BLOCKS 2
/* Taps of a window from which on the fast FIR algorithm is worthwhile. */
#define FAST_TAPS ((gsize) 8)

/* A row is a window at a time: `repeat` frames. */
typedef struct {
  const SegueNnConvMax *conv;
  const NnConvMaxKernels *kernels;
  gsize rows, row;        /* of an item; floats from one to the next */
  gsize columns, outputs; /* of the weights */
  gsize block;            /* rows of a tile */
  gsize tiles;            /* per item */
  gboolean is_fast;       /* by the fast FIR algorithm */
  NnFastFir fir;
  const float *x, *w;
  float *y;
  float *scratch; /* per thread: largest sums, the parts of rows, scratch memory for one */
} Run;

static gsize
get_columns (const SegueNnConvMax *conv)
{
  return conv->kernel + (conv->repeat - 1) * conv->frame;
}

static gsize
get_panels (const SegueNnConvMax *conv)
{
  return nn_tiles (conv->repeat * conv->out, NN_CONV_MAX_PANEL);
}

/* Whether windows slide by whole taps from one position to the next. */
static gboolean
is_fast (const SegueNnConvMax *conv)
{
  return conv->repeat == 1 && conv->step > 0 && conv->kernel % conv->step == 0 &&
         conv->kernel / conv->step >= FAST_TAPS && conv->positions >= 4;
}

static NnFastFir
get_fir (const SegueNnConvMax *conv)
{
  return nn_fast_fir (conv->step, conv->kernel / conv->step, conv->positions);
}

/* Floats of the kernels' weights, for each output. */
static gsize
get_panel_columns (const SegueNnConvMax *conv)
{
  if (!is_fast (conv))
    return get_columns (conv);
  NnFastFir fir = get_fir (conv);
  return NN_FAST_FIR_PARTS * fir.taps * fir.step;
}

static Run
run_new (const SegueNnConvMax *conv)
{
  Run run = { .conv = conv,
              .kernels = nn_conv_max_kernels (),
              .rows = nn_tiles (conv->time, conv->repeat),
              .row = conv->repeat * conv->frame,
              .columns = get_columns (conv),
              .outputs = conv->repeat * conv->out,
              .is_fast = is_fast (conv) };
  if (run.is_fast)
    run.fir = get_fir (conv);
  run.block = KERNEL_BLOCKS * run.kernels->rows;
  run.tiles = nn_tiles (run.rows, run.block);
  return run;
}

gsize
segue_nn_conv_max_length (const SegueNnConvMax *conv)
{
  gsize rows = nn_tiles (conv->time, conv->repeat);
  return (rows - 1) * conv->repeat * conv->frame + (conv->positions - 1) * conv->step +
         get_columns (conv);
}

static gsize
thread_floats (const Run *run)
{
  gsize n = run->block * run->outputs;
  if (run->is_fast)
    n += run->block * NN_FAST_FIR_PARTS * run->fir.length * run->fir.step +
         nn_fast_fir_scratch (&run->fir);
  return nn_tiles (n, 16) * 16;
}

gsize
segue_nn_conv_max_scratch (SegueNnThreads *threads, const SegueNnConvMax *conv)
{
  Run run = run_new (conv);
  return segue_nn_threads_get_count (threads) * thread_floats (&run);
}

/* ---- Weights: [panels, columns or parts, NN_CONV_MAX_PANEL] ---- */

gsize
segue_nn_conv_max_packed_size (const SegueNnConvMax *conv)
{
  return get_panels (conv) * NN_CONV_MAX_PANEL * get_panel_columns (conv);
}

/* Those of one output and one of its copies, negated if the smallest sum is wanted. */
static void
make_row (const SegueNnConvMax *conv, const float *w, gsize copy, gboolean negate, float *row)
{
  memset (row, 0, get_columns (conv) * sizeof *row);
  for (gsize k = 0; k < conv->kernel; k++)
    row[copy * conv->frame + k] = negate ? -w[k] : w[k];
}

void
segue_nn_conv_max_pack (const SegueNnConvMax *conv, const float *w, float *packed)
{
  gsize n = get_panel_columns (conv);
  NnFastFir fir = is_fast (conv) ? get_fir (conv) : (NnFastFir){ 0 };
  g_autofree float *row = g_new (float, get_columns (conv)), *parts = g_new (float, n);
  g_autofree float *scratch = g_new (float, nn_fast_fir_scratch (&fir));
  memset (packed, 0, segue_nn_conv_max_packed_size (conv) * sizeof *packed);
  for (gsize i = 0; i < conv->repeat * conv->out; i++) {
    gsize o = i % conv->out;
    float *to = packed + i / NN_CONV_MAX_PANEL * n * NN_CONV_MAX_PANEL + i % NN_CONV_MAX_PANEL;
    make_row (conv, w + o * conv->kernel, i / conv->out, conv->scale[o] < 0.0f, row);
    if (is_fast (conv))
      nn_fast_fir_split_window (&fir, row, parts, scratch);
    for (gsize k = 0; k < n; k++)
      to[k * NN_CONV_MAX_PANEL] = is_fast (conv) ? parts[k] : row[k];
  }
}

/* ---- A block of rows ---- */

/* One frame of y from its largest sums. */
NN_VECTORISED static void
finish_frame (const SegueNnConvMax *c, const float *sums, float *y)
{
#pragma omp simd
  for (gsize o = 0; o < c->out; o++) {
    float sum = c->bias[o] + (c->scale[o] < 0.0f ? -sums[o] : sums[o]);
    y[o] = c->scale[o] * (sum > 0.0f ? sum : 0.0f) + c->shift[o];
  }
}

/* Rows, `row` floats apart, for as many rows and panels as the kernels compute. Where rows are missing, the last one is
 * computed repeatedly. */
static void
run_kernel (const Run *run, const NnConvMaxShape *shape, const float *x, gsize row, gsize m,
            gsize panel, gsize panels, float *largest)
{
  const NnConvMaxKernels *k = run->kernels;
  const float *rows[NN_CONV_MAX_ROWS];
  float found[NN_CONV_MAX_ROWS * NN_CONV_MAX_PANELS * NN_CONV_MAX_PANEL];
  gsize first = panel * NN_CONV_MAX_PANEL, width = panels * NN_CONV_MAX_PANEL;
  const float *w = run->w + first * get_panel_columns (run->conv);
  NnConvMaxKernel kernel =
    run->is_fast ? (panels == 1 ? k->fast_one : k->fast) : (panels == 1 ? k->run_one : k->run);
  for (gsize i = 0; i < k->rows; i++)
    rows[i] = x + MIN (i, m - 1) * row;
  kernel (shape, rows, w, found);
  for (gsize i = 0; i < m; i++)
    memcpy (largest + i * run->outputs + first, found + i * width,
            MIN (width, run->outputs - first) * sizeof *found);
}

/* largest [m, outputs]. */
static void
run_kernels (const Run *run, const float *x, gsize m, float *largest)
{
  const SegueNnConvMax *c = run->conv;
  NnConvMaxShape shape = { c->positions, c->step, run->columns, 0 };
  gsize n_panels = get_panels (c), n_rows = run->kernels->rows, row = run->row;
  if (run->is_fast) {
    float *parts = largest + run->block * run->outputs;
    shape.columns = run->fir.taps * run->fir.step;
    shape.part = run->fir.length * run->fir.step;
    row = NN_FAST_FIR_PARTS * shape.part;
    for (gsize i = 0; i < m; i++)
      nn_fast_fir_split_signal (&run->fir, x + i * run->row, parts + i * row,
                                parts + run->block * row);
    x = parts;
  }
  for (gsize panel = 0, n; panel < n_panels; panel += n) {
    n = n_panels - panel < run->kernels->panels ? 1 : run->kernels->panels;
    for (gsize i = 0; i < m; i += n_rows)
      run_kernel (run, &shape, x + i * row, row, MIN (n_rows, m - i), panel, n,
                  largest + i * run->outputs);
  }
}

/* Tile: a block of rows of one item. */
static void
run_tile (gpointer data, gsize tile, guint thread)
{
  const Run *run = data;
  const SegueNnConvMax *c = run->conv;
  gsize item = tile / run->tiles, first = tile % run->tiles * run->block;
  gsize m = MIN (run->block, run->rows - first);
  const float *x = run->x + item * c->x_item + first * run->row;
  float *largest = run->scratch + thread * thread_floats (run);
  run_kernels (run, x, m, largest);
  gsize t = first * c->repeat, frames = MIN (m * c->repeat, c->time - t);
  for (gsize i = 0; i < frames; i++)
    finish_frame (c, largest + i * c->out, run->y + item * c->y_item + (t + i) * c->y_frame);
}

void
segue_nn_conv_max_forward (SegueNnThreads *threads, const SegueNnConvMax *conv, const float *x,
                           const float *packed, float *y, float *scratch)
{
  Run run = run_new (conv);
  run.x = x;
  run.w = packed;
  run.y = y;
  run.scratch = scratch;
  segue_nn_threads_run (threads, conv->batch * run.tiles, run_tile, &run);
}
