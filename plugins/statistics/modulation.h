/* The modulation spectrum of log-mel levels: how fast, and how much, the level of a band changes. */
#pragma once

#include <glib.h>
#include <kiss_fft.h>

G_BEGIN_DECLS

#define MODULATION_RANGES 6
#define MODULATION_GROUP  4 /* neighbouring bands that share numbers */

/* Plan and buffers for one number of frames. */
typedef struct {
  gsize n;   /* frames that are used */
  gsize end; /* bins that are needed: 1 … end − 1 */
  gsize first[MODULATION_RANGES], last[MODULATION_RANGES]; /* bins of each range, inclusive */
  kiss_fft_cfg plan;
  kiss_fft_cpx *in, *out; /* [n] */
  float *magnitudes;      /* [end] */
} Modulation;

/* For `frames` >= 2 frames, `rate` of them per second. FALSE: there was no memory; the plan is cleared. */
gboolean modulation_init (Modulation *modulation, gsize frames, double rate);
/* One of zeros is accepted. */
void modulation_clear (Modulation *modulation);

/* levels [bands][frames], bands a multiple of MODULATION_GROUP → out [bands / MODULATION_GROUP][MODULATION_RANGES].
 * See segment-features.h. */
void modulation_compute (Modulation *modulation, const float *levels, gsize bands, gsize frames,
                         float *out);

G_END_DECLS
