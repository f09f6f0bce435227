#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Batch normalisation (Ioffe & Szegedy 2015) over channels-last data, x [rows, channels] with rows =
 * batch × height × width:
 *
 *   y = gamma · (x − mean) · rstd + beta,   rstd = 1 / √(variance + eps)
 *
 * It is used as one multiplication and one addition per channel, y = scale · x + shift, which the op that reads
 * x next applies itself (pool2d.h): the normalised activation is never written. */

/* mean and population variance [channels] of x [rows, channels]; rows > 0. Each block of rows is
 * summed around its own mean and the blocks are merged in order, to avoid cancellation.
 * scratch: segue_nn_batch_norm_scratch () floats. */
SEGUE_API gsize segue_nn_batch_norm_scratch (gsize rows, gsize channels);
SEGUE_API void segue_nn_batch_norm_statistics (SegueNnThreads *threads, gsize rows, gsize channels,
                                               const float *x, float *mean, float *variance,
                                               float *scratch);

/* running ← (1 − momentum) · running + momentum · batch, as torch does: with the unbiased variance,
 * variance · rows / (rows − 1). */
SEGUE_API void segue_nn_batch_norm_track (gsize rows, gsize channels, double momentum,
                                          const float *mean, const float *variance,
                                          float *running_mean, float *running_variance);

/* scale = gamma · rstd, shift = beta − mean · scale, and rstd if it isn't NULL; all [channels]. */
SEGUE_API void segue_nn_batch_norm_fold (gsize channels, float eps, const float *gamma,
                                         const float *beta, const float *mean,
                                         const float *variance, float *scale, float *shift,
                                         float *rstd);

G_END_DECLS
