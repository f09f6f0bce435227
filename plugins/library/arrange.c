#include "arrange.h"

#include "neighbours.h"
#include "tsne.h"

#include <math.h>
#include <segue/random.h>
#include <stdlib.h>
#include <string.h>

#define START_DEVIATION 1e-4
#define JITTER          0.02  /* of the start's deviation: separates equal songs */
#define BETWEEN         3     /* songs that another one is put between */
#define BESIDE          0.004 /* of the width of the map: how far from them */

/* The first two components of each row, scaled. */
static void
start (gsize n, gsize size, const float *x, guint64 seed, double *y)
{
  double mean[2] = { 0.0, 0.0 }, square = 0.0;
  for (gsize i = 0; i < 2 * n; i++) {
    y[i] = i % 2 < size ? (double) x[i / 2 * size + i % 2] : 0.0;
    mean[i % 2] += y[i] / (double) n;
  }
  for (gsize i = 0; i < 2 * n; i++) {
    y[i] -= mean[i % 2];
    square += i % 2 == 0 ? y[i] * y[i] : 0.0;
  }
  double scale = square > 0.0 ? 1.0 / sqrt (square / (double) n) : 1.0;
  for (gsize i = 0; i < n; i++) {
    double a, b;
    segue_random_normal_pair (seed, i, &a, &b);
    y[2 * i] = START_DEVIATION * (y[2 * i] * scale + JITTER * a);
    y[2 * i + 1] = START_DEVIATION * (y[2 * i + 1] * scale + JITTER * b);
  }
}

static gboolean
arrange_all (SegueNnThreads *threads, gsize n, gsize size, const float *x, guint64 seed,
             SegueContext *context, double *y, GError **error)
{
  start (n, size, x, seed, y);
  if (n < 2)
    return TRUE;
  gsize k = tsne_neighbours (n);
  g_autofree guint32 *indices = g_new (guint32, n * k);
  g_autofree float *similarities = g_new (float, n *k);
  if (!neighbours_find (threads, n, x, n, x, TRUE, size, k, indices, similarities,
                        segue_context_get_cancellable (context), error))
    return FALSE;
  g_autoptr (Tsne) tsne = tsne_new (n, k, indices, similarities, y, error);
  segue_context_set_progress_unit (context, "steps");
  for (guint i = 0; tsne && i < TSNE_STEPS; i++) {
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    tsne_step (tsne, threads);
    segue_context_progress (context, i + 1, TSNE_STEPS, "arranging songs");
  }
  return tsne && segue_nn_threads_check (threads, error);
}

/* ---- Larger libraries ---- */

typedef struct {
  guint64 draw;
  guint32 song;
} Draw;

static int
compare_draws (gconstpointer a, gconstpointer b)
{
  const Draw *one = a, *other = b;
  if (one->draw != other->draw)
    return one->draw < other->draw ? -1 : 1;
  return one->song < other->song ? -1 : 1;
}

static int
compare_songs (gconstpointer a, gconstpointer b)
{
  return ((const Draw *) a)->song < ((const Draw *) b)->song ? -1 : 1;
}

/* (transfer full): ARRANGE_MAX of the songs, in their order. */
static Draw *
draw_songs (gsize n, guint64 seed)
{
  Draw *draws = g_new (Draw, n);
  for (gsize i = 0; i < n; i++)
    draws[i] = (Draw){ segue_random_bits (seed, i), (guint32) i };
  qsort (draws, n, sizeof *draws, compare_draws);
  qsort (draws, ARRANGE_MAX, sizeof *draws, compare_songs);
  return draws;
}

static double
find_width (gsize n, const double *y)
{
  double width = 0.0;
  for (gsize i = 0; i < 2 * n; i++)
    width = MAX (width, fabs (y[i]));
  return width;
}

/* In the middle of the most similar of the @placed songs, weighted, a little beside it. */
static void
put_between (const guint32 *indices, const float *similarities, const double *placed, double beside,
             guint64 seed, gsize song, double *y)
{
  double sum = 0.0, a, b;
  segue_random_normal_pair (seed, song, &a, &b);
  y[0] = y[1] = 0.0;
  for (gsize j = 0; j < BETWEEN; j++) {
    double weight = exp (20.0 * ((double) similarities[j] - (double) similarities[0]));
    sum += weight;
    y[0] += weight * placed[2 * indices[j]];
    y[1] += weight * placed[2 * indices[j] + 1];
  }
  y[0] = y[0] / sum + beside * a;
  y[1] = y[1] / sum + beside * b;
}

static gboolean
arrange_many (SegueNnThreads *threads, gsize n, gsize size, const float *x, guint64 seed,
              SegueContext *context, double *y, GError **error)
{
  g_autofree Draw *draws = draw_songs (n, seed);
  g_autofree float *some = g_new (float, ARRANGE_MAX *size);
  g_autofree double *placed = g_new (double, 2 * ARRANGE_MAX);
  g_autofree guint32 *indices = g_new (guint32, n * BETWEEN);
  g_autofree float *similarities = g_new (float, n *BETWEEN);
  for (gsize i = 0; i < ARRANGE_MAX; i++)
    memcpy (some + i * size, x + draws[i].song * size, size * sizeof *some);
  if (!arrange_all (threads, ARRANGE_MAX, size, some, seed, context, placed, error) ||
      !neighbours_find (threads, n, x, ARRANGE_MAX, some, FALSE, size, BETWEEN, indices,
                        similarities, segue_context_get_cancellable (context), error))
    return FALSE;
  double beside = BESIDE * find_width (ARRANGE_MAX, placed);
  for (gsize i = 0; i < n; i++)
    put_between (indices + i * BETWEEN, similarities + i * BETWEEN, placed, beside, seed, i,
                 y + 2 * i);
  for (gsize i = 0; i < ARRANGE_MAX; i++)
    memcpy (y + 2 * (gsize) draws[i].song, placed + 2 * i, 2 * sizeof *y);
  return TRUE;
}

/* Between −1 and 1 in the wider direction. */
static void
fit (gsize n, double *y)
{
  double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
  for (gsize i = 0; i < 2 * n; i++) {
    low[i % 2] = MIN (low[i % 2], y[i]);
    high[i % 2] = MAX (high[i % 2], y[i]);
  }
  double half = MAX (high[0] - low[0], high[1] - low[1]) / 2.0;
  for (gsize i = 0; i < 2 * n; i++)
    y[i] = half > 0.0 ? (y[i] - (low[i % 2] + high[i % 2]) / 2.0) / half : 0.0;
}

gboolean
arrange_songs (SegueNnThreads *threads, gsize n, gsize size, const float *x, guint64 seed,
               SegueContext *context, double *y, GError **error)
{
  gboolean ok = n <= ARRANGE_MAX ? arrange_all (threads, n, size, x, seed, context, y, error)
                                 : arrange_many (threads, n, size, x, seed, context, y, error);
  if (ok)
    fit (n, y);
  return ok;
}
