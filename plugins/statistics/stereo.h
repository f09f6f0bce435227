/* The stereo image of a segment, accumulated frame by frame. */
#pragma once

#include "spectrum.h"

#include <segue/nn/mel-bands.h>

G_BEGIN_DECLS

/* Numbers per band, each a block of the output: mean and deviation of side to middle, left to right, correlation. */
#define STEREO_STATISTICS 4

typedef struct _Stereo Stereo;

/* rate and fft: those of the spectrum; f_max: Hz, see segment-features.h. Errors: SEGUE_ERROR_DATA. */
Stereo *stereo_new (double rate, gsize fft, double f_max, GError **error);
/* NULL is accepted. */
void stereo_free (Stereo *stereo);

gsize stereo_get_bands (const Stereo *stereo);

void stereo_begin (Stereo *stereo);
/* The spectrum's current frame of middle and side. */
void stereo_add (Stereo *stereo, const Spectrum *spectrum);
/* out [STEREO_STATISTICS][bands]; at least one frame was added. */
void stereo_end (const Stereo *stereo, float *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stereo, stereo_free)

G_END_DECLS
