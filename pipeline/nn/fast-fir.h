/* Sums of a sliding window at four positions by nine products of a quarter of its length, instead of sixteen: the fast
 * FIR algorithm of two phases (Mou & Duhamel, "Short-length FIR filters and their use in fast nonrecursive filtering",
 * 1991), applied twice. With even and odd taps of w and x,
 *
 *   y[2q] = (w_e + w_o) * x_o + w_e * (x_e − x_o)     y[2q + 1] = (w_e + w_o) * x_o + w_o * (x_e⁺ − x_o)
 *
 * where * slides half of the window and x_e⁺ is x_e from the next position on. Each of the three is split again. */
#pragma once

#include <glib.h>

/* Products: three of each of three. */
#define NN_FAST_FIR_PARTS 9

/* A tap is `step` floats. */
typedef struct {
  gsize step;
  gsize window, signal; /* taps */
  gsize groups;         /* of four positions */
  gsize taps;           /* of a window's part: a quarter */
  gsize length;         /* of a signal's part, in taps */
} NnFastFir;

/* For a window of `window` taps at `positions` positions. */
NnFastFir nn_fast_fir (gsize step, gsize window, gsize positions);

/* parts [NN_FAST_FIR_PARTS, taps · step] of w [window · step]; scratch: nn_fast_fir_scratch () floats. */
void nn_fast_fir_split_window (const NnFastFir *fir, const float *w, float *parts, float *scratch);
/* parts [NN_FAST_FIR_PARTS, length · step] of x [signal · step]. */
void nn_fast_fir_split_signal (const NnFastFir *fir, const float *x, float *parts, float *scratch);
gsize nn_fast_fir_scratch (const NnFastFir *fir);
