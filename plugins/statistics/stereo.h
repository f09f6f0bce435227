/* The stereo image of a segment. */
#pragma once

#include "spectrum.h"

#include <segue/nn/mel-bands.h>

G_BEGIN_DECLS

/* Numbers per band, each a block of the output: mean and deviation of side to middle, left to right, correlation. */
#define STEREO_STATISTICS 4

typedef struct _Stereo Stereo;

/* The spectrum must live as long; f_max: Hz, see segment-features.h. Errors: SEGUE_ERROR_DATA. */
Stereo *stereo_new (double rate, Spectrum *spectrum, double f_max, GError **error);
/* NULL is accepted. */
void stereo_free (Stereo *stereo);

gsize stereo_get_bands (const Stereo *stereo);

/* samples: the first of `frames` frames of the spectrum, of which every second one is used, with 1 or 2 channels →
 * out [STEREO_STATISTICS][bands]. */
void stereo_compute (Stereo *stereo, const float *samples, guint channels, gsize frames,
                     float *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stereo, stereo_free)

G_END_DECLS
