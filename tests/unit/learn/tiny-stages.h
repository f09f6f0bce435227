/* Stages that prepare songs for tests: a song is a file of float32 samples at 8 kHz. */
#pragma once

#include <segue/collect.h>
#include <segue/plugin.h>

/**
 * tiny_stages: a plugin with
 *   songs   → files `high/NN.f32` and `low/NN.f32` of a folder, with label and set
 *   decode  file → audio; refuses a file that is not a multiple of 4 bytes; one called `….slow` takes too
 *           long
 *   cut     audio → segments of `length` samples, the rest skipped
 *   measure audio → a vector of `size` numbers, or a tensor [rows, size]
 *   spy     audio → audio, without the flag PREPARE
 *   shaky   audio → audio, LIVE: training items get another loudness in each epoch
 */
const SeguePlugin *tiny_stages (void);

/** tiny_get_decoded: how many songs `decode` received. */
guint tiny_get_decoded (void);

/** tiny_write_song: @n_samples of a tone of @hz. */
void tiny_write_song (const char *path, double hz, gsize n_samples);
