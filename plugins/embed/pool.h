/* Frames of an encoder → the vector of a segment. */
#pragma once

#include "encoding.h"

/** pool_count_width: numbers of a pooled frame. */
guint pool_count_width (Pool pool, guint width);
/** pool_frames: @frames: [n_frames, width], n_frames ≥ 1. Appends to @output: mean; mean, then maximum; mean, then
 * standard deviation (of the population); or all frames as they are. Sums are in double, in the order of frames. */
void pool_frames (Pool pool, const float *frames, gsize n_frames, guint width, GArray *output);
