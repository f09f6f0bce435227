/* t-SNE: points in the plane such that those that are near each other have similar vectors.
 *
 * L. van der Maaten and G. Hinton: Visualizing data using t-SNE, JMLR 9, 2008. The attraction is between neighbours
 * alone (L. van der Maaten: Accelerating t-SNE using tree-based algorithms, JMLR 15, 2014); the repulsion is exact,
 * between all pairs: a step of 5,000 points takes some 20 ms of one core.
 *
 *   g_autoptr (Tsne) tsne = tsne_new (n, k, indices, similarities, y, &error);
 *   for (guint i = 0; i < TSNE_STEPS; i++)
 *     tsne_step (tsne, threads);
 */
#pragma once

#include <segue/nn/threads.h>

#define TSNE_STEPS      750
#define TSNE_PERPLEXITY 30

typedef struct _Tsne Tsne;

/** tsne_neighbours: the k that tsne_new () needs for @n points: three times the perplexity, but less than @n. */
gsize tsne_neighbours (gsize n);

/**
 * tsne_new:
 * @n: at least 2
 * @indices, @similarities: [@n, @k], of neighbours_find(); not used after the call
 * @y: [@n, 2], borrowed: where points start, with a deviation of about 1e-4, no two in one place; and where they are
 *   after each step
 *
 * %SEGUE_ERROR_RESOURCE.
 */
Tsne *tsne_new (gsize n, gsize k, const guint32 *indices, const float *similarities, double *y,
                GError **error);
/** tsne_free: accepts %NULL. */
void tsne_free (Tsne *tsne);

/** tsne_step: one of %TSNE_STEPS; the same bits with any number of threads. */
void tsne_step (Tsne *tsne, SegueNnThreads *threads);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tsne, tsne_free)
