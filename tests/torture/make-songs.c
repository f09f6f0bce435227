/* make-songs FOLDER: short songs of every format that can be written here, for runs of a second. */
#include "testing.h"

#include <math.h>

#define ARTISTS 3
#define SONGS   8
#define RATE    16000

/* Artists differ in timbre, songs in pitch and length. */
static float *
make_song (guint artist, guint song, gsize *n_frames)
{
  double hz = 180 * pow (2, (5 * artist + song) / 12.0);
  gsize n = RATE * 5 / 2 + RATE * (gsize) song / 4;
  float *frames = g_new (float, 2 * n);
  for (gsize i = 0; i < n; i++) {
    double phase = 2 * G_PI * hz * (double) i / RATE, x;
    switch (artist % 3) {
    case 0:
      x = 0.4 * sin (phase);
      break;
    case 1:
      x = sin (phase * 3) > 0 ? 0.3 : -0.3;
      break;
    default:
      x = 0.4 * sin (phase + 8 * sin (phase / 50));
    }
    frames[2 * i] = (float) x;
    frames[2 * i + 1] = (float) (0.8 * x);
  }
  *n_frames = n;
  return frames;
}

static void
write_song (const char *folder, guint artist, guint song, const TestFormat *format)
{
  gsize n;
  g_autofree float *frames = make_song (artist, song, &n);
  g_autofree char *album = g_strdup_printf ("%s/Artist %u/Album %u", folder, artist, song % 2);
  g_autofree char *path = g_strdup_printf ("%s/Song %u.%s", album, song, format->extension);
  g_assert_cmpint (g_mkdir_with_parents (album, 0777), ==, 0);
  test_write_audio (path, format, frames, n, RATE, 2);
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    return 64;
  guint n_formats = 0;
  const TestFormat *formats[16];
  for (const TestFormat *f = test_formats; f->name && n_formats < G_N_ELEMENTS (formats); f++)
    if (test_format_can_be_written (f, RATE))
      formats[n_formats++] = f;
  for (guint a = 0; a < ARTISTS; a++)
    for (guint s = 0; s < SONGS; s++)
      write_song (argv[1], a, s, formats[(s + a) % n_formats]);
  return 0;
}
