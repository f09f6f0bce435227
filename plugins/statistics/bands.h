/* Statistics of log-mel levels over time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers per band, each a block of the output: mean, deviation, mean |difference of frames|, three quantiles. */
#define BANDS_STATISTICS 6

/* levels [bands][n], n >= 2 frames → out [BANDS_STATISTICS][bands]; scratch [n]. See segment-features.h. */
void bands_statistics (const float *levels, gsize bands, gsize n, float *scratch, float *out);

G_END_DECLS
