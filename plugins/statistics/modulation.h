/* The modulation spectrum of log-mel levels: how fast, and how much, the level of a band changes. */
#pragma once

#include <segue/nn/fft.h>

G_BEGIN_DECLS

#define MODULATION_RANGES 6
#define MODULATION_GROUP  4 /* neighbouring bands that share numbers */

/* Plan and buffers for one number of frames. */
typedef struct {
  gsize n;                                                 /* frames that are used */
  gsize first[MODULATION_RANGES], last[MODULATION_RANGES]; /* bins of each range, inclusive */
  SegueNnFft *plan;
  float *signals; /* [n, SEGUE_NN_FFT_SIGNALS]: bands */
  float *re, *im; /* [n / 2 + 1, SEGUE_NN_FFT_SIGNALS] */
} Modulation;

/* For `frames` >= 2 frames, `rate` of them per second.
 * Errors: SEGUE_ERROR_RESOURCE. */
gboolean modulation_init (Modulation *modulation, gsize frames, double rate, GError **error);
/* One of zeros is accepted. */
void modulation_clear (Modulation *modulation);

/* levels [bands][frames], bands a multiple of MODULATION_GROUP → out [bands / MODULATION_GROUP][MODULATION_RANGES].
 * See segment-features.h. */
void modulation_compute (Modulation *modulation, const float *levels, gsize bands, gsize frames,
                         float *out);

G_END_DECLS
