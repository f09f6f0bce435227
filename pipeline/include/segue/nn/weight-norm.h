#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Weight normalisation (Salimans & Kingma 2016) with one length per position of the middle
 * dimension:
 *
 *   w[a, k, b] = g[k] · v[a, k, b] / ‖v[·, k, ·]‖
 *
 * torch.nn.utils.weight_norm (conv, dim=2) of a weight in torch's order is (outer, kernel,
 * inner) = (out · in/groups, kernel, 1); in the packed order of grouped-conv1d.h it is (groups,
 * kernel, in/groups · out/groups), and of conv1d.h (out, kernel, in). */

/* v, w [outer, kernel, inner]; g [kernel]; norm [kernel] is written for the backward. */
SEGUE_API void segue_nn_weight_norm_forward (SegueNnThreads *threads, gsize outer, gsize kernel,
                                             gsize inner, const float *v, const float *g, float *w,
                                             float *norm);

/* From dw [outer, kernel, inner]: dv and dg are added to, since both are parameters. */
SEGUE_API void segue_nn_weight_norm_backward (SegueNnThreads *threads, gsize outer, gsize kernel,
                                              gsize inner, const float *v, const float *g,
                                              const float *norm, const float *dw, float *dv,
                                              float *dg);

G_END_DECLS
