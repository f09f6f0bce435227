#include "testing.h"

#include <math.h>
#include <sndfile.h>
#include <string.h>

const TestFormat test_formats[] = {
  { "wav", "wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, FALSE },
  { "wav-float", "wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, FALSE },
  { "rf64", "wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_24, FALSE },
  { "aiff", "aif", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, FALSE },
  { "flac", "flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, FALSE },
  { "vorbis", "ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, TRUE },
  { "opus", "opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, TRUE },
  { "mp3", "mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, TRUE },
  { NULL, NULL, 0, FALSE },
};

gboolean
test_format_can_be_written (const TestFormat *format, guint rate)
{
  SF_INFO info = { .samplerate = (int) rate, .channels = 2, .format = format->format };

  return sf_format_check (&info);
}

void
test_write_audio (const char *path, const TestFormat *format, const float *frames, gsize n_frames,
                  guint rate, guint channels)
{
  SF_INFO info = { .samplerate = (int) rate, .channels = (int) channels, .format = format->format };
  SNDFILE *file = sf_open (path, SFM_WRITE, &info);

  g_assert_nonnull (file);
  /* In pieces: libsndfile's Vorbis encoder keeps a whole write on the stack. */
  for (gsize done = 0; done < n_frames;) {
    gsize n = MIN (n_frames - done, 4096);

    g_assert_cmpint (sf_writef_float (file, frames + done * channels, (sf_count_t) n), ==,
                     (sf_count_t) n);
    done += n;
  }
  g_assert_cmpint (sf_close (file), ==, 0);
}

float *
test_sines (double hz, double seconds, guint rate, guint channels, gsize *n_frames)
{
  float *frames;

  *n_frames = (gsize) llround (seconds * rate);
  frames = g_new (float, *n_frames *channels + 1);
  for (gsize i = 0; i < *n_frames; i++)
    for (guint c = 0; c < channels; c++)
      frames[i * channels + c] = (float) (0.5 * sin (2 * G_PI * hz * (double) i / rate));
  return frames;
}

/* Least squares of sine, cosine and a constant: the window is no whole number of periods, so the
 * three are not orthogonal and the normal equations are solved. */
static void
fit (const float *x, gsize n, guint channels, double step, double out[3])
{
  double m[3][4] = { { 0 } };

  for (gsize i = 0; i < n; i++) {
    double b[3] = { cos (step * (double) i), sin (step * (double) i), 1 };

    for (guint r = 0; r < 3; r++) {
      for (guint c = 0; c < 3; c++)
        m[r][c] += b[r] * b[c];
      m[r][3] += b[r] * (double) x[i * channels];
    }
  }
  for (guint p = 0; p < 3; p++)
    for (guint r = 0; r < 3; r++) {
      double factor = r == p ? 0 : m[r][p] / m[p][p];

      for (guint c = 0; c < 4; c++)
        m[r][c] -= factor * m[p][c];
    }
  for (guint p = 0; p < 3; p++)
    out[p] = m[p][3] / m[p][p];
}

static void
middle (const SegueItem *item, const float **x, gsize *n)
{
  gsize whole;

  *x = segue_item_get_frames (item, &whole);
  *x += whole / 4 * segue_item_get_channels (item);
  *n = whole / 2;
}

double
test_level_db (const SegueItem *item, double hz)
{
  const float *x;
  gsize n;
  double w[3];

  middle (item, &x, &n);
  fit (x, n, segue_item_get_channels (item), 2 * G_PI * hz / segue_item_get_rate (item), w);
  return 20 * log10 (MAX (hypot (w[0], w[1]), 1e-12));
}

double
test_residue_db (const SegueItem *item, double hz)
{
  double step = 2 * G_PI * hz / segue_item_get_rate (item), w[3], sum = 0;
  guint channels = segue_item_get_channels (item);
  const float *x;
  gsize n;

  middle (item, &x, &n);
  fit (x, n, channels, step, w);
  for (gsize i = 0; i < n; i++) {
    double rest = (double) x[i * channels] - w[0] * cos (step * (double) i) -
                  w[1] * sin (step * (double) i) - w[2];

    sum += rest * rest;
  }
  return 10 * log10 (MAX (sum / (double) n, 1e-24));
}
