#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Sums and scalings of whole buffers. */

/* y [n] = a + b; y may be a or b. Its gradient is dy for both. */
SEGUE_API void segue_nn_add (SegueNnThreads *threads, gsize n, const float *a, const float *b,
                             float *y);

/* y [n] += alpha · x. */
SEGUE_API void segue_nn_accumulate (SegueNnThreads *threads, gsize n, float alpha, const float *x,
                                    float *y);

/* x [n] *= alpha. */
SEGUE_API void segue_nn_scale (SegueNnThreads *threads, gsize n, float alpha, float *x);

/* y [n] = alpha, and y [n] = x. */
SEGUE_API void segue_nn_fill (SegueNnThreads *threads, gsize n, float alpha, float *y);
SEGUE_API void segue_nn_copy (SegueNnThreads *threads, gsize n, const float *x, float *y);

/* Σ x·y and Σ x² over n, accumulated in double. */
SEGUE_API double segue_nn_dot (SegueNnThreads *threads, gsize n, const float *x, const float *y);
SEGUE_API double segue_nn_sum_squares (SegueNnThreads *threads, gsize n, const float *x);

/* TRUE if no element is infinite or NaN. */
SEGUE_API gboolean segue_nn_all_finite (SegueNnThreads *threads, gsize n, const float *x);

/* Normalises each row of x [rows, n] to mean 0 and variance 1: (x − mean) / √(var + eps),
 * population variance; y may be x. Wav2Vec2FeatureExtractor's do_normalize is eps = 1e-7. */
SEGUE_API void segue_nn_standardise (SegueNnThreads *threads, gsize rows, gsize n, float eps,
                                     const float *x, float *y);

G_END_DECLS
