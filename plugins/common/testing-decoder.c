/* The guarantees of every decoder: songs are made, decoded and compared. */
#include "testing-decoder.h"

#include <segue/file.h>
#include <string.h>

static void
set_up (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("segue-decode-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (DecoderFixture *fixture, gconstpointer decoder)
{
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
}

const TestFormat *
decoder_find_format (const char *name)
{
  for (const TestFormat *format = test_formats; format->name; format++)
    if (g_str_equal (format->name, name))
      return format;
  g_assert_not_reached ();
}

char *
decoder_path (DecoderFixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

char *
decoder_make_song (DecoderFixture *fixture, const char *name, const TestFormat *format, double hz,
                   double seconds, guint rate, guint channels)
{
  gsize n_frames;
  g_autofree float *frames = test_sines (hz, seconds, rate, channels, &n_frames);
  char *path = decoder_path (fixture, name);

  test_write_audio (path, format, frames, n_frames, rate, channels);
  return path;
}

/* The single resulting item. */
static SegueItem *
push (const TestDecoder *decoder, const char *config, SegueItem *file, GError **error)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (decoder->plugin, decoder->stage, config);
  SegueItem *item;

  segue_item_set_string (file, "artist", "Queen");
  if (!segue_harness_try_push (harness, file, error))
    return NULL;
  item = segue_harness_pull (harness);
  g_assert_nonnull (item);
  g_assert_null (segue_harness_pull (harness));
  return item;
}

SegueItem *
decoder_try (const TestDecoder *decoder, const char *config, const char *path, GError **error)
{
  g_autoptr (SegueItem) file = segue_item_new_file ("a/b/song", path);

  return push (decoder, config, file, error);
}

SegueItem *
decoder_try_passage (const TestDecoder *decoder, const char *config, const char *path, double start,
                     double end, GError **error)
{
  g_autoptr (SegueItem) file = segue_item_new_file ("a/b/song", path);

  /* As the core requests it. */
  segue_item_set_double (file, "passage-start", start);
  segue_item_set_double (file, "passage-end", end);
  return push (decoder, config, file, error);
}

SegueItem *
decoder_decode_passage (const TestDecoder *decoder, const char *config, const char *path,
                        double start, double end)
{
  g_autoptr (GError) error = NULL;
  SegueItem *item = decoder_try_passage (decoder, config, path, start, end, &error);

  g_assert_no_error (error);
  return item;
}

SegueItem *
decoder_decode (const TestDecoder *decoder, const char *config, const char *path)
{
  g_autoptr (GError) error = NULL;
  SegueItem *item = decoder_try (decoder, config, path, &error);

  g_assert_no_error (error);
  return item;
}

void
decoder_assert_refused (const TestDecoder *decoder, const char *config, const char *path, int code,
                        const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) item = decoder_try (decoder, config, path, &error);

  g_assert_null (item);
  g_test_message ("%s", error->message);
  if (code == SEGUE_ERROR_DATA)
    g_assert_true (segue_error_is_lasting (error));
  else
    g_assert_error (error, SEGUE_ERROR, code);
  g_assert_nonnull (strstr (error->message, "a/b/song"));
  g_assert_nonnull (strstr (error->message, why));
}

gsize
decoder_length (const SegueItem *item)
{
  gsize n_frames;

  segue_item_get_frames (item, &n_frames);
  return n_frames;
}

void
decoder_assert_tone (const SegueItem *item, double seconds, double off)
{
  double length = (double) decoder_length (item) / 16000;

  g_test_message ("%.4f s, level %.2f dB, rest %.1f dB", length, test_level_db (item, 440),
                  test_residue_db (item, 440));
  g_assert_cmpfloat_with_epsilon (length, seconds, off);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.02, 0.5);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -35);
}

void
decoder_put_bytes (const char *path, const char *bytes, gsize length)
{
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
}

static void
add_cases (const TestDecoder *decoder, const TestDecoderCase *cases)
{
  for (; cases && cases->name; cases++) {
    g_autofree char *path = g_strdup_printf ("/%s/%s", decoder->stage, cases->name);

    g_test_add (path, DecoderFixture, decoder, set_up, cases->function, tear_down);
  }
}

void
test_add_decoder (const TestDecoder *decoder)
{
  add_cases (decoder, decoder_sound_cases);
  add_cases (decoder, decoder_refused_cases);
  add_cases (decoder, decoder->cases);
}
