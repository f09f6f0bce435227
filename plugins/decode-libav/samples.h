/* Samples of any type as float32, in their original layout: interleaved, or each channel in its own plane. */
#pragma once

#include "libav.h"
#include "resampler.h"

/** Samples: zero at first, freed with samples_clear(). The samples of channel c are every @stride-th
 * from @planes[c] on. */
typedef struct {
  const float *planes[RESAMPLER_MAX_CHANNELS];
  gsize stride;
  float *converted;
  gsize capacity; /* of @converted, in samples */
} Samples;

/** samples_convert: full scale is 1; integers are divided by a power of two, so that values that float32 can
 * represent are exact. Valid until the next call and no longer than @frame. %SEGUE_ERROR_DATA,
 * %SEGUE_ERROR_RESOURCE. */
gboolean samples_convert (Samples *samples, const AVFrame *frame, GError **error);
void samples_clear (Samples *samples);
