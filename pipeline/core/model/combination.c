/* From the probabilities of several models to one distribution. */
#include <float.h>
#include <math.h>
#include <segue/combination.h>
#include <string.h>

static const char *const *const names = SEGUE_COMBINATION_CHOICES;

const char *const *
segue_combination_names (void)
{
  return names;
}

/* The middle of a segment, and its number. */
typedef struct {
  double middle;
  guint index;
} Place;

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const Place *one = a, *other = b;
  if (one->middle != other->middle)
    return one->middle < other->middle ? -1 : 1;
  return one->index < other->index ? -1 : one->index > other->index;
}

static double
middle_of (const SegueSpan *span)
{
  return span->start + span->duration / 2;
}

/* In the order of time. */
static Place *
sort_places (const SegueSpan *spans, guint n)
{
  Place *places = g_new (Place, n);
  for (guint i = 0; i < n; i++)
    places[i] = (Place){ middle_of (&spans[i]), i };
  qsort (places, n, sizeof *places, compare_places);
  return places;
}

/* The first of @places from @middle on; @n: there is none. */
static guint
find_from (const Place *places, guint n, double middle)
{
  guint low = 0, high = n;
  while (low < high) {
    guint half = low + (high - low) / 2;
    if (places[half].middle < middle)
      low = half + 1;
    else
      high = half;
  }
  return low;
}

/* The segment whose middle is nearest; of two that are equally near, the earlier one. */
static guint
find_nearest (const Place *places, guint n, double middle)
{
  guint after = find_from (places, n, middle);
  if (after == 0)
    return places[0].index;
  double before = places[after - 1].middle;
  if (after < n && places[after].middle - middle < middle - before)
    return places[after].index;
  return places[find_from (places, n, before)].index;
}

static void
add_row (const float *row, guint n_labels, double *sums)
{
  for (guint c = 0; c < n_labels; c++)
    sums[c] += (double) row[c];
}

void
segue_combination_align (const SegueSpan *at, guint n_at, const SegueSpan *spans, guint n,
                         const float *rows, guint n_labels, float *aligned)
{
  g_return_if_fail (n_at > 0 && n > 0 && n_labels > 0);
  g_autofree Place *own = sort_places (spans, n), *places = sort_places (at, n_at);
  g_autofree guint *counts = g_new0 (guint, n_at);
  g_autofree double *sums = g_new0 (double, (gsize) n_at *n_labels);
  for (guint s = 0; s < n; s++) {
    guint nearest = find_nearest (places, n_at, middle_of (&spans[s]));
    add_row (rows + (gsize) s * n_labels, n_labels, sums + (gsize) nearest * n_labels);
    counts[nearest]++;
  }
  for (guint s = 0; s < n_at; s++) {
    double *sum = sums + (gsize) s * n_labels;
    if (counts[s] == 0) {
      guint nearest = find_nearest (own, n, middle_of (&at[s]));
      add_row (rows + (gsize) nearest * n_labels, n_labels, sum);
      counts[s] = 1;
    }
    for (guint c = 0; c < n_labels; c++)
      aligned[(gsize) s * n_labels + c] = (float) (sum[c] / counts[s]);
  }
}

static void
mix_mean (const SegueCombination *combination, const float *const *rows, gsize first,
          guint n_labels, double *sums)
{
  for (guint m = 0; m < combination->n_members; m++)
    for (guint c = 0; c < n_labels; c++)
      sums[c] += combination->weights[m] * (double) rows[m][first + c];
}

/* A probability too small for float32 must not exclude a label forever. */
static void
mix_geometric (const SegueCombination *combination, const float *const *rows, gsize first,
               guint n_labels, double *sums)
{
  for (guint m = 0; m < combination->n_members; m++)
    for (guint c = 0; c < n_labels; c++)
      sums[c] +=
        combination->weights[m] * log (MAX ((double) rows[m][first + c], (double) FLT_MIN));
  double top = sums[0], total = 0;
  for (guint c = 1; c < n_labels; c++)
    top = MAX (top, sums[c]);
  for (guint c = 0; c < n_labels; c++)
    total += sums[c] = exp (sums[c] - top);
  for (guint c = 0; c < n_labels; c++)
    sums[c] /= total;
}

void
segue_combination_mix (const SegueCombination *combination, const float *const *rows, gsize n_rows,
                       guint n_labels, float *mixed)
{
  g_return_if_fail (combination->n_members > 0 && n_labels > 0);
  g_autofree double *sums = g_new (double, n_labels);
  for (gsize first = 0; first < n_rows * n_labels; first += n_labels) {
    memset (sums, 0, n_labels * sizeof *sums);
    if (combination->rule == SEGUE_COMBINE_GEOMETRIC)
      mix_geometric (combination, rows, first, n_labels, sums);
    else
      mix_mean (combination, rows, first, n_labels, sums);
    /* Weights may add up to a little more than 1. */
    for (guint c = 0; c < n_labels; c++)
      mixed[first + c] = (float) MIN (sums[c], 1);
  }
}
