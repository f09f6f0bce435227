/* Samples of any type, in one plane or one for each channel, as interleaved float32. */
#pragma once

#include "libav.h"

/** Samples: room for what has to be converted; zero at first, freed with samples_clear(). */
typedef struct {
  float *frames;
  gsize capacity; /* samples */
} Samples;

/** samples_convert: [nb_samples, channels], full scale is 1, valid until the next call and no longer
 * than @frame; integers are divided by a power of two, so that what float32 can hold is exact.
 * %NULL with %SEGUE_ERROR_DATA or %SEGUE_ERROR_RESOURCE. */
const float *samples_convert (Samples *samples, const AVFrame *frame, GError **error);
void samples_clear (Samples *samples);
