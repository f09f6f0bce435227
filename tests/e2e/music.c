/* Synthesised songs. */
#include "music.h"

#include <math.h>
#include <string.h>

#define RATE 16000

static void
put_u32 (guint8 *at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (at, &value, sizeof value);
}

static GBytes *
wav_new (const gint16 *samples, guint n)
{
  static const guint8 head[44] =
    "RIFF\0\0\0\0WAVEfmt \20\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0\2\0\20\0data";
  guint8 *file = g_malloc (sizeof head + 2 * (gsize) n);
  memcpy (file, head, sizeof head);
  put_u32 (file + 4, 36 + 2 * n);
  put_u32 (file + 24, RATE);
  put_u32 (file + 28, 2 * RATE);
  put_u32 (file + 40, 2 * n);
  for (guint i = 0; i < n; i++) {
    gint16 value = GINT16_TO_LE (samples[i]);
    memcpy (file + sizeof head + 2 * (gsize) i, &value, 2);
  }
  return g_bytes_new_take (file, sizeof head + 2 * (gsize) n);
}

/* One sample at @t s. Artists differ in timbre and modulation, songs in pitch. */
static double
sample (guint artist, guint song, double t, GRand *noise)
{
  double hz = 220 * pow (2, (song % 7) / 12.0);
  double phase = 2 * G_PI * hz * t;
  double hiss = g_rand_double_range (noise, -1, 1);
  switch (artist % 4) {
  case 0: /* a soft organ that swells */
    return (0.6 * sin (phase) + 0.3 * sin (2 * phase)) * (0.7 + 0.3 * sin (2 * G_PI * 0.5 * t)) +
           0.01 * hiss;
  case 1: /* a shrill square wave in quick steps */
    return (sin (phase * (6 + 2 * ((guint) (t * 8) % 3))) > 0 ? 0.3 : -0.3) + 0.01 * hiss;
  case 2: /* bursts of noise over a low tone */
    return 0.3 * sin (phase / 4) + (fmod (t * 4, 1) < 0.3 ? 0.5 * hiss : 0.02 * hiss);
  default: /* a glide up and down */
    return 0.5 * sin (phase * 3 + 40 * sin (2 * G_PI * 1.5 * t)) + 0.05 * hiss;
  }
}

void
music_write_song (const char *path, guint artist, guint song, guint seconds)
{
  guint n = seconds * RATE;
  g_autofree gint16 *samples = g_new (gint16, n);
  g_autoptr (GRand) noise = g_rand_new_with_seed (1000 * artist + song);
  for (guint i = 0; i < n; i++)
    samples[i] = (gint16) (20000 * CLAMP (sample (artist, song, (double) i / RATE, noise), -1, 1));
  g_autoptr (GBytes) wav = wav_new (samples, n);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, g_bytes_get_data (wav, NULL), (gssize) g_bytes_get_size (wav), &error);
  g_assert_no_error (error);
}

char *
music_song_name (guint artist, guint song)
{
  return g_strdup_printf ("Artist %u/Album %u/Song %u.wav", artist, song % 2, song);
}

void
music_write_library (const char *folder, guint artists, guint songs)
{
  for (guint a = 0; a < artists; a++)
    for (guint s = 0; s < songs; s++) {
      g_autofree char *name = music_song_name (a, s);
      g_autofree char *path = g_build_filename (folder, name, NULL);
      music_write_song (path, a, s, 31 + (3 * s + a) % 10);
    }
}
