#include "neighbours.h"

#include <segue/error.h>
#include <segue/nn/gemm.h>

#define BLOCK ((gsize) 256) /* rows whose products are in memory at once */

typedef struct {
  gsize first, n_base, k;
  gboolean self;
  const float *products; /* [BLOCK, n_base] */
  guint32 *indices;
  float *similarities;
} Search;

static void
choose (gpointer data, gsize tile, guint thread)
{
  const Search *s = data;
  const float *products = s->products + tile * s->n_base;
  guint32 *indices = s->indices + (s->first + tile) * s->k;
  float *similarities = s->similarities + (s->first + tile) * s->k;
  gsize n = 0;
  for (gsize j = 0; j < s->n_base; j++) {
    float p = products[j];
    if ((s->self && j == s->first + tile) || (n == s->k && !(p > similarities[n - 1])))
      continue;
    gsize at = n < s->k ? n++ : n - 1;
    for (; at > 0 && p > similarities[at - 1]; at--) {
      similarities[at] = similarities[at - 1];
      indices[at] = indices[at - 1];
    }
    similarities[at] = p;
    indices[at] = (guint32) j;
  }
}

gboolean
neighbours_find (SegueNnThreads *threads, gsize n, const float *x, gsize n_base, const float *base,
                 gboolean self, gsize size, gsize k, guint32 *indices, float *similarities,
                 GCancellable *cancellable, GError **error)
{
  g_autofree float *products = g_try_new (float, BLOCK *n_base);
  Search search = { .n_base = n_base,
                    .k = k,
                    .self = self,
                    .products = products,
                    .indices = indices,
                    .similarities = similarities };
  if (!products) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory to compare %" G_GSIZE_FORMAT " songs", n_base);
    return FALSE;
  }
  for (gsize first = 0; k > 0 && first < n; first += BLOCK) {
    gsize rows = MIN (BLOCK, n - first);
    search.first = first;
    segue_nn_threads_watch (threads, cancellable);
    segue_nn_gemm (threads, FALSE, TRUE, rows, n_base, size, 1.0F, x + first * size, size, base,
                   size, 0.0F, products, n_base);
    segue_nn_threads_run (threads, rows, choose, &search);
    if (!segue_nn_threads_check (threads, error))
      return FALSE;
  }
  return TRUE;
}
