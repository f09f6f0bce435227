/* Streaming: takes native interleaved frames, returns one growing buffer at the requested rate.
 *
 * No song is stored whole at its native rate beside its output: a chunk is averaged to mono (unless
 * channels are kept), resampled with soxr HQ (flat to 0.9 of the band, alias below -100 dB) and appended.
 * The output has round (frames × rate / native rate) frames, with no delay.
 */
#pragma once

#include <segue/context.h>
#include <segue/error.h>

/* Of the input. */
#define RESAMPLER_MAX_CHANNELS 64

typedef struct _Resampler Resampler;

/**
 * resampler_new:
 * @rate: Hz, of the output; 0: the native rate where the input starts, or the highest usual rate below it (48 kHz,
 *   or 44.1 kHz for multiples of it)
 * @keep_channels: %FALSE: the output is the mean of all channels
 * @expected_seconds: expected length of the input (0: not known), to allocate once
 */
Resampler *resampler_new (guint rate, gboolean keep_channels, double expected_seconds);
/** resampler_free: accepts %NULL. */
void resampler_free (Resampler *resampler);

/**
 * resampler_push:
 * @frames: [n_frames, channels], interleaved
 *
 * The native rate may change between calls (chained Ogg streams); the number of channels too, if
 * they are not kept.
 *
 * Errors: %SEGUE_ERROR_DATA for samples that are not numbers, for an unusable rate or number of
 * channels; %SEGUE_ERROR_RESOURCE when memory runs out.
 */
gboolean resampler_push (Resampler *resampler, const float *frames, gsize n_frames, guint rate,
                         guint channels, GError **error);

/** resampler_push_planes: the same for channels stored separately: the samples of channel c are
 * every @stride-th from @planes[c] on. */
gboolean resampler_push_planes (Resampler *resampler, const float *const *planes, gsize stride,
                                gsize n_frames, guint rate, guint channels, GError **error);

/** resampler_finish: (transfer full): flushes the filter and returns the whole output; afterwards
 * the resampler can only be freed. @channels: (out): of the result. */
GBytes *resampler_finish (Resampler *resampler, guint *channels, GError **error);

/** resampler_get_rate: Hz, of the output; 0: not known before the first frame. */
guint resampler_get_rate (const Resampler *resampler);

/** resampler_get_seconds: duration pushed so far, in the source's own time. */
double resampler_get_seconds (const Resampler *resampler);

/** resampler_get_mono_share: energy of the mean of all channels relative to that of the channels: 1 where they are
 * equal, 0 where they cancel each other. */
double resampler_get_mono_share (const Resampler *resampler);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Resampler, resampler_free)
