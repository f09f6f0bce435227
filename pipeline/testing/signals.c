/* Audio for tests: synthesised, so that every test knows its content. */
#include "place.h"

#include <math.h>
#include <segue/file.h>
#include <segue/testing.h>
#include <string.h>

SegueItem *
segue_test_tone (const char *id, double hz, double seconds, guint rate)
{
  gsize n = (gsize) llround (seconds * rate);
  float *frames = g_new (float, MAX (n, 1));
  for (gsize i = 0; i < n; i++)
    frames[i] = (float) (0.5 * sin (2 * G_PI * hz * (double) i / rate));
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, n * sizeof (float));
  return segue_item_new_audio (NULL, id, bytes, rate, 1);
}

static void
put (GByteArray *file, guint32 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++) {
    guint8 byte = (guint8) (value >> (8 * i));
    g_byte_array_append (file, &byte, 1);
  }
}

static void
put_tag (GByteArray *file, const char *tag)
{
  g_byte_array_append (file, (const guint8 *) tag, 4);
}

void
segue_test_write_wav_at (const char *path, const SegueItem *audio, const char *file_name, int line,
                         const char *function)
{
  GBytes *bytes = segue_item_get_bytes (audio);
  gsize size = g_bytes_get_size (bytes);
  guint channels = segue_item_get_channels (audio), rate = segue_item_get_rate (audio);
  g_assert_cmpuint (size, <, G_MAXUINT32 - 64);

  /* RIFF, a `fmt ` chunk of WAVE_FORMAT_IEEE_FLOAT (3), `fact` with the frames, `data`. */
  g_autoptr (GByteArray) file = g_byte_array_new ();
  put_tag (file, "RIFF");
  put (file, (guint32) (4 + 8 + 18 + 8 + 4 + 8 + size), 4);
  put_tag (file, "WAVE");
  put_tag (file, "fmt ");
  put (file, 18, 4);
  put (file, 3, 2);
  put (file, channels, 2);
  put (file, rate, 4);
  put (file, rate * channels * 4, 4);
  put (file, channels * 4, 2);
  put (file, 32, 2);
  put (file, 0, 2);
  put_tag (file, "fact");
  put (file, 4, 4);
  put (file, (guint32) (size / (4 * channels)), 4);
  put_tag (file, "data");
  put (file, (guint32) size, 4);
  const guint32 *samples = g_bytes_get_data (bytes, NULL);
  for (gsize i = 0; i < size / 4; i++)
    put (file, samples[i], 4);

  g_autoptr (GError) error = NULL;
  segue_file_write (path, file->data, file->len, &error);
  segue_place_check (error, file_name, line, function);
}
