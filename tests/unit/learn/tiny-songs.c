/* Data that a linear classifier can learn: tones and noise, drawn from counters. */
#include "tiny-model.h"

#include <math.h>

#define RATE   8000
#define LENGTH 1600

static SegueItem *
make_item (const char *id, const float *samples)
{
  g_autoptr (GBytes) bytes = g_bytes_new (samples, LENGTH * sizeof (float));
  return segue_item_new_audio (NULL, id, bytes, RATE, 1);
}

SegueItem *
tiny_tone (const char *id, guint draw)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (draw);
  float samples[LENGTH];
  double hz = g_rand_double_range (random, 200, 1500), level = g_rand_double_range (random, 0.1, 1);
  double noise = g_rand_double_range (random, 0, 0.05);
  for (guint i = 0; i < LENGTH; i++)
    samples[i] = (float) (level * sin (2 * G_PI * hz * i / RATE) +
                          noise * g_rand_double_range (random, -1, 1));
  return make_item (id, samples);
}

SegueItem *
tiny_noise (const char *id, guint draw)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (draw ^ 0x5eed);
  float samples[LENGTH];
  double level = g_rand_double_range (random, 0.1, 1);
  for (guint i = 0; i < LENGTH; i++)
    samples[i] = (float) (level * g_rand_double_range (random, -1, 1));
  return make_item (id, samples);
}

GPtrArray *
tiny_songs (guint n_songs, guint n_segments, gboolean validation)
{
  static const char *const labels[] = { "tone", "noise" };
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < 2 * n_songs * n_segments; i++) {
    guint kind = i % 2, song = i / 2 / n_segments;
    g_autofree char *song_id = g_strdup_printf ("%s/%03u.wav", labels[kind], song);
    g_autofree char *suffix = g_strdup_printf ("%04u", i / 2 % n_segments);
    g_autoptr (SegueItem) whole = kind == 0 ? tiny_tone (song_id, i) : tiny_noise (song_id, i);
    SegueItem *segment =
      segue_item_new_audio (whole, suffix, segue_item_get_bytes (whole), RATE, 1);
    segue_item_set_string (segment, SEGUE_META_LABEL, labels[kind]);
    segue_item_set_string (segment, SEGUE_META_SET,
                           validation && song % 4 == 3 ? "validation" : "train");
    segue_item_set_double (segment, SEGUE_META_START, (i / 2 % n_segments) * 0.2);
    segue_item_set_double (segment, SEGUE_META_DURATION, 0.2);
    g_ptr_array_add (items, segment);
  }
  return items;
}

char *
tiny_read (SegueHarness *harness, const char *name)
{
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (harness), "output", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}
