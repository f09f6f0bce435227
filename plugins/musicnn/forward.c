/* One pass: its workspace, and the layers in order. */
#include "musicnn.h"

#include <segue/error.h>
#include <segue/nn/arena.h>
#include <segue/nn/conv1d.h>
#include <segue/nn/linear.h>
#include <segue/nn/pool2d.h>
#include <string.h>

#define FRAMES_PER_TILE ((gsize) 64)

/* A pass in its workspace; sizes of one item. */
typedef struct {
  Musicnn *model;
  SegueNnThreads *threads;
  gsize batch, time;
  gsize tiles;                       /* of FRAMES_PER_TILE frames */
  gsize before, line;                /* of a band in `lines`: frames of padding before, floats */
  gsize pad, after, padded;          /* frames before, behind and in all of the middle's inputs */
  const float *frames;               /* [B, T, bands]: as they come */
  float *windows;                    /* [B, T, bands, timbre frames]: normalised */
  float *lines;                      /* [B, bands, line]: normalised, padded with zeros */
  float *front;                      /* [B, padded, front] */
  float *middle[MUSICNN_MAX_BLOCKS]; /* [B, padded, channels] */
  float *convolved;                  /* [B, T, channels] */
  float *pooled;                     /* [B, 2 · channels of all] */
  float *dense;                      /* [B, hidden] */
  float *hidden;                     /* [B, hidden] */
  float *scratch;
} Run;

static gsize
round_up (gsize n, gsize multiple)
{
  return (n + multiple - 1) / multiple * multiple;
}

/* Lines are as long as the longest kernel needs, with all of its copies. */
static void
set_lines (Run *run)
{
  const Musicnn *model = run->model;
  gsize after = 0;
  run->before = 0;
  for (guint i = 0; i < model->n_tempo; i++) {
    gsize frames = model->tempo[i].frames, before = musicnn_pad_before (frames);
    run->before = MAX (run->before, before);
    after = MAX (after, frames - 1 - before);
  }
  SegueNnConvMax conv = musicnn_get_conv (model, &model->tempo[0], run->time);
  run->line = run->before + round_up (run->time, conv.repeat) + after;
}

/* A block of the front, with its output in its channels of `front`. */
static SegueNnConvMax
get_conv (const Run *run, const MusicnnBlock *block)
{
  const Musicnn *model = run->model;
  SegueNnConvMax conv = musicnn_get_conv (model, block, run->time);
  conv.batch = run->batch;
  if (block->bands == 1) {
    conv.step = run->line;
    conv.x_item = model->frames.bands * run->line;
  } else {
    conv.x_item = run->time * conv.frame;
  }
  conv.y_frame = model->front;
  conv.y_item = run->padded * model->front;
  return conv;
}

static gsize
scratch_size (const Run *run)
{
  const Musicnn *model = run->model;
  gsize most = 0;
  for (guint i = 0; i < model->n_timbre + model->n_tempo; i++) {
    const MusicnnBlock *block =
      i < model->n_timbre ? &model->timbre[i] : &model->tempo[i - model->n_timbre];
    SegueNnConvMax conv = get_conv (run, block);
    most = MAX (most, segue_nn_conv_max_scratch (run->threads, &conv));
  }
  return most;
}

/* Bytes of the workspace; %G_MAXSIZE where the sizes are impossible. */
static gsize
lay (Run *run, Musicnn *model, guint batch, gsize time, gpointer workspace)
{
  SegueNnArena arena = { workspace };
  gsize bands = model->frames.bands, middle = model->middle[0].out;
  gsize channels = model->front + model->n_middle * middle;
  *run = (Run){ .model = model, .threads = model->base.threads, .batch = batch, .time = time };
  /* Far beyond any memory, and small enough that no sum below overflows. */
  if (time == 0 || time > G_MAXSIZE >> 24)
    return G_MAXSIZE;
  set_lines (run);
  run->tiles = (time + FRAMES_PER_TILE - 1) / FRAMES_PER_TILE;
  run->pad = musicnn_pad_before (model->middle[0].frames);
  run->after = model->middle[0].frames - 1 - run->pad;
  run->padded = run->pad + time + run->after;
  run->frames = segue_nn_arena_floats (&arena, batch, time, bands, 1);
  run->windows = segue_nn_arena_floats (&arena, batch, time, bands, model->timbre[0].frames);
  run->lines = segue_nn_arena_floats (&arena, batch, bands, run->line, 1);
  run->front = segue_nn_arena_floats (&arena, batch, run->padded, model->front, 1);
  for (guint i = 0; i < model->n_middle; i++)
    run->middle[i] = segue_nn_arena_floats (&arena, batch, run->padded, middle, 1);
  run->convolved = segue_nn_arena_floats (&arena, batch, time, middle, 1);
  run->pooled = segue_nn_arena_floats (&arena, batch, 2, channels, 1);
  run->dense = segue_nn_arena_floats (&arena, batch, model->hidden, 1, 1);
  run->hidden = segue_nn_arena_floats (&arena, batch, model->hidden, 1, 1);
  if (!arena.overflow)
    run->scratch = segue_nn_arena_floats (&arena, scratch_size (run), 1, 1, 1);
  return segue_nn_arena_get_size (&arena);
}

gsize
musicnn_plan (Musicnn *model, guint batch, gsize length)
{
  Run run;
  return lay (&run, model, batch, segue_nn_log_mel_frames (&model->frames, length), NULL);
}

gsize
musicnn_plan_frames (Musicnn *model, guint batch, gsize time)
{
  Run run;
  return lay (&run, model, batch, time, NULL);
}

/* ---- Layers ---- */

/* Tile: frames of one item, normalised, with their neighbours side by side; zeros are outside the item. */
static void
window_tile (gpointer data, gsize tile, guint thread)
{
  const Run *run = data;
  const Musicnn *model = run->model;
  gsize item = tile / run->tiles, first = tile % run->tiles * FRAMES_PER_TILE;
  gsize last = MIN (first + FRAMES_PER_TILE, run->time);
  gsize n = model->timbre[0].frames, before = musicnn_pad_before (n), bands = model->frames.bands;
  const float *x = run->frames + item * run->time * bands;
  float *y = run->windows + (item * run->time + first) * bands * n;
  for (gsize t = first; t < last; t++, y += bands * n)
    for (gsize i = 0; i < n; i++) {
      gsize at = t + i - before; /* wraps around where it is negative */
      for (gsize f = 0; f < bands; f++)
        y[f * n + i] =
          at < run->time ? x[at * bands + f] * model->input_scale + model->input_shift : 0.0f;
    }
}

/* Tile: one band of one item, normalised, as a line. */
static void
line_tile (gpointer data, gsize tile, guint thread)
{
  const Run *run = data;
  const Musicnn *model = run->model;
  gsize bands = model->frames.bands, item = tile / bands, band = tile % bands;
  const float *x = run->frames + item * run->time * bands + band;
  float *y = run->lines + tile * run->line;
  memset (y, 0, run->line * sizeof *y);
  for (gsize t = 0; t < run->time; t++)
    y[run->before + t] = x[t * bands] * model->input_scale + model->input_shift;
}

/* Zeros before and behind the frames of each item. */
static void
clear_padding (const Run *run, float *x, gsize channels)
{
  for (gsize item = 0; item < run->batch; item++, x += run->padded * channels) {
    memset (x, 0, run->pad * channels * sizeof *x);
    memset (x + (run->pad + run->time) * channels, 0, run->after * channels * sizeof *x);
  }
}

static void
forward_front (Run *run)
{
  const Musicnn *model = run->model;
  float *y = run->front + run->pad * model->front;
  clear_padding (run, run->front, model->front);
  segue_nn_threads_run (run->threads, run->batch * run->tiles, window_tile, run);
  for (guint i = 0; i < model->n_timbre; i++) {
    const MusicnnBlock *block = &model->timbre[i];
    SegueNnConvMax conv = get_conv (run, block);
    segue_nn_conv_max_forward (run->threads, &conv, run->windows, block->kernel, y, run->scratch);
    y += block->out;
  }
  segue_nn_threads_run (run->threads, run->batch * model->frames.bands, line_tile, run);
  for (guint i = 0; i < model->n_tempo; i++) {
    const MusicnnBlock *block = &model->tempo[i];
    SegueNnConvMax conv = get_conv (run, block);
    const float *x = run->lines + run->before - musicnn_pad_before (block->frames);
    segue_nn_conv_max_forward (run->threads, &conv, x, block->kernel, y, run->scratch);
    y += block->out;
  }
}

typedef struct {
  const Run *run;
  guint layer;
} Norm;

/* Tile: frames of one item of a middle layer: norm, plus the layer's input from the second layer on. */
static void
norm_tile (gpointer data, gsize tile, guint thread)
{
  const Norm *norm = data;
  const Run *run = norm->run;
  const MusicnnBlock *block = &run->model->middle[norm->layer];
  gsize item = tile / run->tiles, first = tile % run->tiles * FRAMES_PER_TILE;
  gsize frames = MIN (FRAMES_PER_TILE, run->time - first), n = block->out;
  gsize at = (item * run->padded + run->pad + first) * n;
  const float *x = run->convolved + (item * run->time + first) * n;
  const float *input = norm->layer > 0 ? run->middle[norm->layer - 1] + at : NULL;
  float *y = run->middle[norm->layer] + at;
  for (gsize i = 0; i < frames * n; i++)
    y[i] = x[i] * block->scale[i % n] + block->shift[i % n] + (input ? input[i] : 0.0f);
}

static void
forward_middle (Run *run)
{
  const Musicnn *model = run->model;
  for (guint i = 0; i < model->n_middle; i++) {
    const MusicnnBlock *block = &model->middle[i];
    const SegueNnConv1d conv = { .batch = run->batch,
                                 .time = run->padded,
                                 .in = block->in,
                                 .out = block->out,
                                 .kernel = block->frames,
                                 .stride = 1,
                                 .activation = SEGUE_NN_ACTIVATION_RELU };
    Norm norm = { run, i };
    segue_nn_conv1d_forward (run->threads, &conv, i == 0 ? run->front : run->middle[i - 1],
                             &block->conv, run->convolved);
    clear_padding (run, run->middle[i], block->out);
    segue_nn_threads_run (run->threads, run->batch * run->tiles, norm_tile, &norm);
  }
}

/* Mean and maximum over time of one part of the channels. */
static void
pool_part (const Run *run, const float *x, gsize channels, gsize first, gsize all)
{
  for (gsize item = 0; item < run->batch; item++)
    segue_nn_mean_max_pool_forward (run->threads, 1, run->time, channels,
                                    x + (item * run->padded + run->pad) * channels,
                                    run->pooled + 2 * (item * all + first));
}

static void
forward_back (Run *run, float *penultimate, float *tags)
{
  const Musicnn *model = run->model;
  gsize middle = model->middle[0].out, all = model->front + model->n_middle * middle;
  const SegueNnAffine dense = { .weight.w = model->dense_kernel, .bias.w = model->dense_bias };
  float *hidden = penultimate ? penultimate : run->hidden;
  pool_part (run, run->front, model->front, 0, all);
  for (guint i = 0; i < model->n_middle; i++)
    pool_part (run, run->middle[i], middle, model->front + i * middle, all);
  segue_nn_linear_forward_batch (run->threads, run->batch, 1, 2 * all, model->hidden, run->pooled,
                                 &dense, run->dense);
  for (gsize i = 0; i < run->batch * model->hidden; i++) {
    gsize o = i % model->hidden;
    hidden[i] = MAX (run->dense[i], 0.0f) * model->hidden_scale[o] + model->hidden_shift[o];
  }
  if (tags)
    segue_nn_linear_forward_batch (run->threads, run->batch, 1, model->hidden, model->base.n_labels,
                                   hidden, &model->tags, tags);
}

static gboolean
forward (Run *run, const MusicnnPass *pass, GError **error)
{
  forward_front (run);
  forward_middle (run);
  forward_back (run, pass->penultimate, pass->tags);
  return segue_nn_model_end (&run->model->base, error);
}

gboolean
musicnn_forward (Musicnn *model, const MusicnnPass *pass, GError **error)
{
  gsize time = segue_nn_log_mel_frames (&model->frames, pass->length);
  Run run;
  if (lay (&run, model, pass->batch, time, pass->workspace) == G_MAXSIZE) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a segment of %" G_GSIZE_FORMAT
                 " samples is too short: musicnn needs at least %" G_GSIZE_FORMAT
                 "; use longer segments",
                 pass->length, musicnn_get_min_length (model));
    return FALSE;
  }
  segue_nn_model_begin (&model->base);
  segue_nn_log_mel_forward (run.threads, model->log_mel, pass->batch, pass->length, pass->samples,
                            (float *) run.frames);
  return forward (&run, pass, error);
}

gboolean
musicnn_forward_frames (Musicnn *model, const MusicnnPass *pass, GError **error)
{
  Run run;
  g_return_val_if_fail (lay (&run, model, pass->batch, pass->length, pass->workspace) != G_MAXSIZE,
                        FALSE);
  run.frames = pass->samples;
  segue_nn_model_begin (&model->base);
  return forward (&run, pass, error);
}
