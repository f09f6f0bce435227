/* Audio as the bytes of a WAV file. */
#pragma once

#include <segue/item.h>

typedef enum { WAVE_PCM_16, WAVE_FLOAT } WaveEncoding;

/** WAVE_MAX_CHANNELS: the maximum that libsndfile writes. */
#define WAVE_MAX_CHANNELS 1024

/** wave_is_too_long: whether the audio is too long: sizes in a WAV file have 32 bits. */
gboolean wave_is_too_long (guint64 n_frames, guint channels, WaveEncoding encoding);

/**
 * wave_encode: (transfer full):
 * @n_clipped: (out): samples beyond full scale, which PCM can't represent
 *
 * The same audio always gives the same bytes: no dither, no time stamps.
 */
GBytes *wave_encode (const SegueItem *audio, WaveEncoding encoding, gsize *n_clipped,
                     GError **error);
