/* Audio files of every format that can be written here, and the tone in a decoded item. */
#pragma once

#include <segue/testing.h>

/** TestFormat: @major, @minor: libsndfile's format words. @is_lossy: how closely to compare. */
typedef struct {
  const char *name;
  const char *extension;
  int format;
  gboolean is_lossy;
} TestFormat;

/** test_formats: %NULL-named entry at the end. */
extern const TestFormat test_formats[];

/** test_format_can_be_written: MP3 and Opus depend on how libsndfile was built. */
gboolean test_format_can_be_written (const TestFormat *format, guint rate);

/** test_write_audio: @frames: [n_frames, channels]. */
void test_write_audio (const char *path, const TestFormat *format, const float *frames,
                       gsize n_frames, guint rate, guint channels);
/** test_sines: (transfer full): [seconds × rate, channels]: @hz, amplitude 0.5, in all channels. */
float *test_sines (double hz, double seconds, guint rate, guint channels, gsize *n_frames);
/** test_level_db: level of the sine at @hz in @item's middle half, dB relative to full scale. */
double test_level_db (const SegueItem *item, double hz);
/** test_residue_db: RMS of the rest there without the sine at @hz; dB relative to full scale. */
double test_residue_db (const SegueItem *item, double hz);
