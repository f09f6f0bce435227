#include "tsne.h"

#include <math.h>
#include <segue/error.h>
#include <string.h>

/* Settings of the implementation that most use: scikit-learn 1.2 and later. */
#define EXAGGERATION      12.0
#define EXAGGERATED_STEPS 250
#define EARLY_MOMENTUM    0.5
#define MOMENTUM          0.8
#define LEAST_GAIN        0.01
#define LEAST_RATE        50.0
#define BISECTIONS        64

#define LANES ((gsize) 16) /* points whose repulsion is computed side by side */
#define TILE  (4 * LANES)

struct _Tsne {
  gsize n, n_padded;
  guint step;
  double *y;      /* [n, 2] */
  float *px, *py; /* [n_padded]: the same as float32, by coordinate */
  gsize *first;   /* [n + 1]: a point's attractions */
  guint32 *other; /* [first[n]] */
  float *
    attraction; /* [first[n]]: P of the pair; a pair may occur twice, with a part of it each time */
  double *force;        /* [n, 2]: attraction, then the gradient */
  double *repulsion;    /* [n, 2] */
  double *sums;         /* of each tile: Σ q over its points and all others */
  double *gain, *speed; /* [n, 2] */
};

gsize
tsne_neighbours (gsize n)
{
  return MIN ((gsize) 3 * TSNE_PERPLEXITY, n - 1);
}

void
tsne_free (Tsne *tsne)
{
  if (!tsne)
    return;
  g_free (tsne->px);
  g_free (tsne->py);
  g_free (tsne->first);
  g_free (tsne->other);
  g_free (tsne->attraction);
  g_free (tsne->force);
  g_free (tsne->repulsion);
  g_free (tsne->sums);
  g_free (tsne->gain);
  g_free (tsne->speed);
  g_free (tsne);
}

/* ---- Attractions ---- */

/* p_{j|i} ∝ exp (−β d²), with d² = 2 − 2 s of vectors of length 1; returns the entropy in nats. */
static double
weigh (gsize k, const float *similarities, double beta, double *p)
{
  double sum = 0.0, mean = 0.0, nearest = 2.0 - 2.0 * (double) similarities[0];
  for (gsize j = 0; j < k; j++) {
    double d = 2.0 - 2.0 * (double) similarities[j] - nearest;
    p[j] = exp (-beta * d);
    sum += p[j];
    mean += p[j] * d;
  }
  for (gsize j = 0; j < k; j++)
    p[j] /= sum;
  return log (sum) + beta * mean / sum;
}

/* The β for which the entropy is that of TSNE_PERPLEXITY equal neighbours; of a few points, a third of them. */
static void
find_weights (gsize k, const float *similarities, double *p)
{
  double low = 0.0, high = INFINITY, beta = 1.0;
  double wanted = log (MAX (MIN ((double) TSNE_PERPLEXITY, (double) k / 3.0), 1.0));
  for (guint i = 0; i < BISECTIONS; i++) {
    if (weigh (k, similarities, beta, p) > wanted)
      low = beta;
    else
      high = beta;
    beta = isinf (high) ? 2.0 * beta : (low + high) / 2.0;
  }
}

/* Both ends of a pair have it. */
static void
add_attraction (Tsne *tsne, gsize *next, gsize point, gsize other, double p)
{
  tsne->other[next[point]] = (guint32) other;
  tsne->attraction[next[point]++] = (float) (p / (2.0 * (double) tsne->n));
}

static void
fill_attractions (Tsne *tsne, gsize k, const guint32 *indices, const float *similarities)
{
  gsize n = tsne->n;
  g_autofree gsize *next = g_new0 (gsize, n);
  g_autofree double *p = g_new (double, k);
  for (gsize i = 0; i < n * k; i++)
    tsne->first[indices[i] + 1]++;
  for (gsize i = 0; i < n; i++) {
    tsne->first[i + 1] += tsne->first[i] + k;
    next[i] = tsne->first[i];
  }
  for (gsize i = 0; i < n; i++) {
    find_weights (k, similarities + i * k, p);
    for (gsize j = 0; j < k; j++) {
      add_attraction (tsne, next, i, indices[i * k + j], p[j]);
      add_attraction (tsne, next, indices[i * k + j], i, p[j]);
    }
  }
}

Tsne *
tsne_new (gsize n, gsize k, const guint32 *indices, const float *similarities, double *y,
          GError **error)
{
  g_autoptr (Tsne) tsne = g_new0 (Tsne, 1);
  tsne->n = n;
  tsne->n_padded = (n + LANES - 1) / LANES * LANES;
  tsne->y = y;
  tsne->first = g_new0 (gsize, n + 1);
  tsne->other = g_try_new (guint32, 2 * n * k);
  tsne->attraction = g_try_new (float, 2 * n * k);
  if (!tsne->other || !tsne->attraction) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for a map of %" G_GSIZE_FORMAT " songs", n);
    return NULL;
  }
  tsne->px = g_new0 (float, tsne->n_padded);
  tsne->py = g_new0 (float, tsne->n_padded);
  tsne->force = g_new (double, 2 * n);
  tsne->repulsion = g_new (double, 2 * tsne->n_padded);
  tsne->sums = g_new (double, (n + TILE - 1) / TILE);
  tsne->gain = g_new (double, 2 * n);
  tsne->speed = g_new0 (double, 2 * n);
  for (gsize i = 0; i < 2 * n; i++)
    tsne->gain[i] = 1.0;
  fill_attractions (tsne, k, indices, similarities);
  return g_steal_pointer (&tsne);
}

/* ---- Steps ---- */

/* Repulsion of the points first … first + LANES − 1 from all; returns Σ q of those that exist. The inner loop is of a
 * fixed length over separate arrays, so that the compiler uses vector instructions. */
static double
repel (Tsne *tsne, gsize first)
{
  float x[LANES], y[LANES], fx[LANES] = { 0 }, fy[LANES] = { 0 }, sum[LANES] = { 0 };
  double total = 0.0;
  memcpy (x, tsne->px + first, sizeof x);
  memcpy (y, tsne->py + first, sizeof y);
  for (gsize j = 0; j < tsne->n; j++) {
    float ox = tsne->px[j], oy = tsne->py[j];
    for (gsize l = 0; l < LANES; l++) {
      float dx = x[l] - ox, dy = y[l] - oy;
      float q = 1.0F / (1.0F + dx * dx + dy * dy);
      sum[l] += q;
      fx[l] += q * q * dx;
      fy[l] += q * q * dy;
    }
  }
  for (gsize l = 0; l < LANES; l++) {
    tsne->repulsion[2 * (first + l)] = (double) fx[l];
    tsne->repulsion[2 * (first + l) + 1] = (double) fy[l];
    /* Less that of the point with itself. */
    total += first + l < tsne->n ? (double) sum[l] - 1.0 : 0.0;
  }
  return total;
}

static void
attract (Tsne *tsne, gsize i)
{
  double fx = 0.0, fy = 0.0, x = tsne->y[2 * i], y = tsne->y[2 * i + 1];
  for (gsize e = tsne->first[i]; e < tsne->first[i + 1]; e++) {
    gsize j = tsne->other[e];
    double dx = x - tsne->y[2 * j], dy = y - tsne->y[2 * j + 1];
    double pull = (double) tsne->attraction[e] / (1.0 + dx * dx + dy * dy);
    fx += pull * dx;
    fy += pull * dy;
  }
  tsne->force[2 * i] = fx;
  tsne->force[2 * i + 1] = fy;
}

static void
compute_tile (gpointer data, gsize tile, guint thread)
{
  Tsne *tsne = data;
  gsize begin = tile * TILE, end = MIN (begin + TILE, tsne->n);
  tsne->sums[tile] = 0.0;
  for (gsize i = begin; i < end; i += LANES)
    tsne->sums[tile] += repel (tsne, i);
  for (gsize i = begin; i < end; i++)
    attract (tsne, i);
}

static void
move (Tsne *tsne, double sum)
{
  gboolean early = tsne->step < EXAGGERATED_STEPS;
  double momentum = early ? EARLY_MOMENTUM : MOMENTUM;
  double pull = early ? EXAGGERATION : 1.0;
  double rate = MAX ((double) tsne->n / EXAGGERATION / 4.0, LEAST_RATE);
  double mean[2] = { 0.0, 0.0 };
  for (gsize i = 0; i < 2 * tsne->n; i++) {
    double gradient = 4.0 * (pull * tsne->force[i] - tsne->repulsion[i] / MAX (sum, 1e-12));
    gboolean goes_on = tsne->speed[i] * gradient < 0.0;
    tsne->gain[i] = MAX (goes_on ? tsne->gain[i] + 0.2 : tsne->gain[i] * 0.8, LEAST_GAIN);
    tsne->speed[i] = momentum * tsne->speed[i] - rate * tsne->gain[i] * gradient;
    tsne->y[i] += tsne->speed[i];
    mean[i % 2] += tsne->y[i] / (double) tsne->n;
  }
  for (gsize i = 0; i < 2 * tsne->n; i++)
    tsne->y[i] -= mean[i % 2];
}

void
tsne_step (Tsne *tsne, SegueNnThreads *threads)
{
  gsize tiles = (tsne->n + TILE - 1) / TILE;
  double sum = 0.0;
  for (gsize i = 0; i < tsne->n; i++) {
    tsne->px[i] = (float) tsne->y[2 * i];
    tsne->py[i] = (float) tsne->y[2 * i + 1];
  }
  segue_nn_threads_run (threads, tiles, compute_tile, tsne);
  for (gsize t = 0; t < tiles; t++)
    sum += tsne->sums[t];
  move (tsne, sum);
  tsne->step++;
}
