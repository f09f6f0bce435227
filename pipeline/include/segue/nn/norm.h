#pragma once

#include <segue/nn/activation.h>

G_BEGIN_DECLS

/* Normalisation with a learnt scale and shift. Variances are population variances, and
 * rstd = 1 / √(var + eps), as in torch. */

/* Layer normalisation over channels: x, y [rows, channels]; gamma, beta [channels]. mean and
 * rstd [rows] are written for the backward; both may be NULL without a backward. y may be x
 * (but then there is no backward). */
SEGUE_API void segue_nn_layer_norm_forward (SegueNnThreads *threads, gsize rows, gsize channels,
                                            float eps, const float *x, const float *gamma,
                                            const float *beta, float *y, float *mean, float *rstd);

/* dx is written, and may be dy; dgamma and dbeta are added to. Each of the three may be NULL. */
SEGUE_API void segue_nn_layer_norm_backward (SegueNnThreads *threads, gsize rows, gsize channels,
                                             const float *x, const float *gamma, const float *mean,
                                             const float *rstd, const float *dy, float *dx,
                                             float *dgamma, float *dbeta);

/* Group normalisation: x, y [batch, time, channels]; statistics over all time and the channels /
 * groups channels of a group, for each item. groups == channels normalises each channel over
 * time, as the first layer of wav2vec 2.0 does. gamma, beta [channels]; mean, rstd [batch,
 * groups] are always written. y may be x (but then there is no backward). `activation` is applied
 * to y; the backward is that of the norm alone. */
SEGUE_API void segue_nn_group_norm_forward (SegueNnThreads *threads, gsize batch, gsize time,
                                            gsize channels, gsize groups, float eps,
                                            SegueNnActivation activation, const float *x,
                                            const float *gamma, const float *beta, float *y,
                                            float *mean, float *rstd);

/* dx is written, and may be dy; dgamma and dbeta are added to. Each of the three may be NULL. */
SEGUE_API void segue_nn_group_norm_backward (SegueNnThreads *threads, gsize batch, gsize time,
                                             gsize channels, gsize groups, const float *x,
                                             const float *gamma, const float *mean,
                                             const float *rstd, const float *dy, float *dx,
                                             float *dgamma, float *dbeta);

G_END_DECLS
