/* The audio that decoders return: the same for every format, at the requested rate and channels. */
#include "testing-decoder.h"
#include "testing-odd.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
test_formats_agree (DecoderFixture *fixture, gconstpointer decoder)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    /* Opus does not support 44.1 kHz. */
    guint rate = g_str_equal (format->name, "opus") ? 48000 : 44100;
    g_autofree char *name = g_strconcat ("song.", format->extension, NULL), *path = NULL;
    g_autoptr (SegueItem) item = NULL;

    if (!test_format_can_be_written (format, rate)) {
      g_test_message ("%s can't be written here", format->name);
      continue;
    }
    path = decoder_make_song (fixture, name, format, 440, 3, rate, 2);
    item = decoder_decode (decoder, DECODER_MONO, path);
    g_test_message ("%s: %" G_GSIZE_FORMAT " frames, level %.4f dB, rest %.1f dB", format->name,
                    decoder_length (item), test_level_db (item, 440), test_residue_db (item, 440));
    g_assert_cmpint (segue_item_get_kind (item), ==, SEGUE_KIND_AUDIO);
    g_assert_cmpuint (segue_item_get_rate (item), ==, 16000);
    g_assert_cmpuint (segue_item_get_channels (item), ==, 1);
    g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206,
                                    format->is_lossy ? 0.3 : 0.01);
    g_assert_cmpfloat (test_residue_db (item, 440), <, format->is_lossy ? -35 : -80);
    if (format->is_lossy)
      g_assert_cmpfloat_with_epsilon ((double) decoder_length (item), 48000, 1600);
    else
      g_assert_cmpuint (decoder_length (item), ==, 48000);
    g_assert_cmpfloat (segue_item_get_double (item, SEGUE_META_START, -1), ==, 0);
    g_assert_cmpfloat (segue_item_get_double (item, SEGUE_META_DURATION, -1), ==,
                       (double) decoder_length (item) / 16000);
    g_assert_cmpstr (segue_item_get_string (item, "artist"), ==, "Queen");
    g_assert_cmpstr (segue_item_get_id (item), ==, "a/b/song");
  }
}

static void
test_resampling (DecoderFixture *fixture, gconstpointer decoder)
{
  static const guint rates[] = { 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000 };
  const TestFormat *format = decoder_find_format ("wav-float");

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_autofree char *path = decoder_make_song (fixture, "tone.wav", format, 997, 2, rates[i], 1);
    g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, path);

    g_assert_cmpuint (decoder_length (item), ==, 32000);
    g_assert_cmpfloat_with_epsilon (test_level_db (item, 997), -6.0206, 0.01);
    g_assert_cmpfloat (test_residue_db (item, 997), <, -100);
  }
  for (double hz = 8200; hz < 22000; hz += 1700) { /* above 8 kHz nothing may alias */
    g_autofree char *path = decoder_make_song (fixture, "high.wav", format, hz, 2, 44100, 1);
    g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, path);

    g_test_message ("%.0f Hz: %.1f dB", hz, test_residue_db (item, 0.5));
    g_assert_cmpfloat (test_residue_db (item, 0.5), <, -100);
  }
  {
    g_autofree char *path = decoder_make_song (fixture, "edge.wav", format, 7200, 2, 44100, 1);
    g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, path);

    g_assert_cmpfloat_with_epsilon (test_level_db (item, 7200), -6.0206, 0.01);
  }
}

static void
test_equal_rate_is_exact (DecoderFixture *fixture, gconstpointer decoder)
{
  gsize n, m;
  g_autofree float *wanted = test_sines (440, 1, 16000, 1, &n);
  g_autofree char *path =
    decoder_make_song (fixture, "same.wav", decoder_find_format ("wav-float"), 440, 1, 16000, 1);
  g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, path);
  const float *got = segue_item_get_frames (item, &m);

  g_assert_cmpmem (got, m * sizeof (float), wanted, n * sizeof (float));
}

static void
test_channels (DecoderFixture *fixture, gconstpointer decoder)
{
  gsize n, m;
  g_autofree float *frames = test_sines (440, 1, 16000, 2, &n);
  g_autofree char *path = decoder_path (fixture, "stereo.wav");
  g_autoptr (SegueItem) mono = NULL, both = NULL;
  const float *got;

  for (gsize i = 0; i < n; i++)
    frames[2 * i + 1] *= -0.5f;
  test_write_audio (path, decoder_find_format ("wav-float"), frames, n, 16000, 2);
  mono = decoder_decode (decoder, DECODER_MONO, path);
  g_assert_cmpfloat_with_epsilon (test_level_db (mono, 440), -6.0206 - 12.0412, 0.001);
  both = decoder_decode (decoder, "{ channels: keep }", path);
  g_assert_cmpuint (segue_item_get_channels (both), ==, 2);
  got = segue_item_get_frames (both, &m);
  g_assert_cmpmem (got, m * 2 * sizeof (float), frames, n * 2 * sizeof (float));
}

/* Without parameters, the samples of the file, at its own rate up to 48 kHz. */
static void
test_as_it_is (DecoderFixture *fixture, gconstpointer decoder)
{
  static const guint rates[][2] = { { 8000, 8000 },   { 44100, 44100 }, { 48000, 48000 },
                                    { 88200, 44100 }, { 96000, 48000 }, { 64000, 48000 } };
  const TestFormat *format = decoder_find_format ("wav-float");

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    guint native = rates[i][0], rate = rates[i][1];
    gsize n, m;
    g_autofree float *wanted = test_sines (440, 1, native, 2, &n);
    g_autofree char *path = decoder_make_song (fixture, "own.wav", format, 440, 1, native, 2);
    g_autoptr (SegueItem) item = decoder_decode (decoder, "{}", path);
    const float *got = segue_item_get_frames (item, &m);

    g_assert_cmpuint (segue_item_get_rate (item), ==, rate);
    g_assert_cmpuint (segue_item_get_channels (item), ==, 2);
    g_assert_cmpuint (m, ==, rate);
    if (native == rate)
      g_assert_cmpmem (got, m * 2 * sizeof (float), wanted, n * 2 * sizeof (float));
    else
      g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206, 0.01);
  }
}

typedef struct {
  const TestDecoder *decoder;
  char *path;
} Check;

/* All of the audio, and nothing else. */
static void
check_whole (const guint8 *bytes, gsize length, gsize n_frames, gpointer data)
{
  const Check *check = data;
  g_autoptr (SegueItem) item = NULL;

  decoder_put_bytes (check->path, (const char *) bytes, length);
  item = decoder_decode (check->decoder, DECODER_MONO, check->path);
  g_assert_cmpuint (decoder_length (item), ==, n_frames);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206, 0.05);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -45);
}

static void
test_odd_files (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = decoder_path (fixture, "odd");
  Check check = { decoder, path };

  test_odd_waves (check_whole, &check);
  test_odd_aiffs (check_whole, &check);
}

/* All of the audio, except for an encoder's delay. */
static void
check_nearly_whole (const guint8 *bytes, gsize length, gsize n_frames, gpointer data)
{
  const Check *check = data;
  g_autoptr (SegueItem) item = NULL;

  decoder_put_bytes (check->path, (const char *) bytes, length);
  item = decoder_decode (check->decoder, DECODER_MONO, check->path);
  g_test_message ("%" G_GSIZE_FORMAT " frames", decoder_length (item));
  g_assert_cmpfloat_with_epsilon ((double) decoder_length (item), (double) n_frames, 1250);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206, 0.3);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -35);
}

static void
test_odd_mp3_headers (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = decoder_path (fixture, "odd.mp3"), *song = NULL, *bytes = NULL;
  Check check = { decoder, path };
  gsize length;

  if (!test_format_can_be_written (decoder_find_format ("mp3"), 44100)) {
    g_test_skip ("MP3 can't be written here");
    return;
  }
  song = decoder_make_song (fixture, "song.mp3", decoder_find_format ("mp3"), 440, 9, 44100, 2);
  g_assert_true (g_file_get_contents (song, &bytes, &length, NULL));
  test_odd_mp3s ((const guint8 *) bytes, length, 9 * 16000, check_nearly_whole, &check);
}

/* A header that states too little, and concatenated files. */
static void
test_odd_flac (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path =
    decoder_make_song (fixture, "odd.flac", decoder_find_format ("flac"), 440, 9, 16000, 1);
  g_autofree char *bytes = NULL, *twice = NULL;
  Check check = { decoder, path };
  gsize length;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  twice = g_malloc (2 * length);
  memcpy (twice, bytes, length);
  memcpy (twice + length, bytes, length);
  check_whole ((const guint8 *) twice, 2 * length, 2 * 9 * 16000, &check);
  bytes[21] &= (char) 0xf0;
  memcpy (bytes + 22, "\0\0\x40\0", 4);
  check_whole ((const guint8 *) bytes, length, 9 * 16000, &check);
}

static void
test_zeros_behind_ogg (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path =
    decoder_make_song (fixture, "a.ogg", decoder_find_format ("vorbis"), 440, 9, 16000, 1);
  g_autofree char *bytes = NULL;
  Check check = { decoder, path };
  gsize length;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  bytes = g_realloc (bytes, length + 60000);
  memset (bytes + length, 0, 60000);
  check_nearly_whole ((const guint8 *) bytes, length + 60000, 9 * 16000, &check);
}

static void
test_silence (DecoderFixture *fixture, gconstpointer decoder)
{
  gsize n;
  g_autofree float *frames = test_sines (440, 1, 16000, 2, &n);
  g_autofree char *path = decoder_path (fixture, "silent.wav");
  g_autoptr (SegueItem) kept = NULL, both = NULL, none = NULL;

  for (gsize i = 0; i < n; i++)
    frames[2 * i + 1] *= -1;
  test_write_audio (path, decoder_find_format ("wav"), frames, n, 16000, 2);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "cancel each other");
  /* A later stage may mix what is decoded as it is. */
  decoder_assert_refused (decoder, "{ channels: keep }", path, SEGUE_ERROR_DATA,
                          "cancel each other");
  both = decoder_decode (decoder, "{ channels: keep, silence: keep }", path);
  g_assert_cmpfloat_with_epsilon (test_level_db (both, 440), -6.0206, 0.01);
  kept = decoder_decode (decoder, "{ channels: mono, silence: keep }", path);
  memset (frames, 0, 2 * n * sizeof *frames);
  test_write_audio (path, decoder_find_format ("wav"), frames, n, 16000, 2);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "is silent");
  none = decoder_decode (decoder, "{ silence: keep }", path);
  g_assert_cmpuint (decoder_length (none), ==, n);
}

static void
test_limits (DecoderFixture *fixture, gconstpointer decoder)
{
  static const char *const names[] = { "wav", "flac", "vorbis" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const TestFormat *format = decoder_find_format (names[i]);
    g_autofree char *name = g_strconcat ("long.", format->extension, NULL);
    g_autofree char *path = decoder_make_song (fixture, name, format, 440, 5, 44100, 1);
    g_autoptr (SegueItem) item = NULL;

    decoder_assert_refused (decoder, "{ max_duration: 3 }", path, SEGUE_ERROR_DATA, "max_duration");
    decoder_assert_refused (decoder, "{ min_duration: 6 }", path, SEGUE_ERROR_DATA, "min_duration");
    item = decoder_decode (
      decoder, "{ rate: 16000, channels: mono, max_duration: 3, when_long: cut }", path);
    g_assert_cmpuint (decoder_length (item), ==, 48000);
  }
  {
    /* A FLAC file that states no length. */
    g_autofree char *path = decoder_path (fixture, "long.flac"), *bytes = NULL;
    g_autoptr (SegueItem) item = NULL;
    gsize length;

    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    bytes[21] &= (char) 0xf0;
    memset (bytes + 22, 0, 4);
    decoder_put_bytes (path, bytes, length);
    decoder_assert_refused (decoder, "{ max_duration: 3 }", path, SEGUE_ERROR_DATA, "max_duration");
    item = decoder_decode (
      decoder, "{ rate: 16000, channels: mono, max_duration: 3, when_long: cut }", path);
    g_assert_cmpuint (decoder_length (item), ==, 48000);
  }
}

static void
test_names (DecoderFixture *fixture, gconstpointer decoder)
{
  static const char *const names[] = {
    "with space.wav",       "qu\"ote's`.wav", "new\nline.wav",     "\xeb\xb0\xa9\xed\x83\x84.wav",
    "\xf0\x9f\x8e\xb5.wav", "\xff\xfe.wav",   "%41 #1?&a=b;c.wav", "-dash.wav",
    "back\\slash.wav",      "no extension",
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path =
      decoder_make_song (fixture, names[i], decoder_find_format ("wav"), 440, 0.5, 16000, 1);
    g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, path);

    g_assert_cmpuint (decoder_length (item), ==, 8000);
  }
}

/* Under isolation a stage only gets an open descriptor. */
static void
test_descriptor (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path =
    decoder_make_song (fixture, "a.flac", decoder_find_format ("flac"), 440, 1, 44100, 2);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (SegueItem) item = NULL;

  g_assert_cmpint (fd, >=, 0);
  g_remove (path);
  item = decoder_decode (decoder, DECODER_MONO, name);
  g_assert_cmpuint (decoder_length (item), ==, 16000);
  close (fd);
}

static void
test_cut_short_is_taken_on_request (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path =
    decoder_make_song (fixture, "a.wav", decoder_find_format ("wav"), 440, 2, 16000, 1);
  g_autofree char *bytes = NULL;
  g_autoptr (SegueItem) item = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  decoder_put_bytes (path, bytes, length / 2);
  item = decoder_decode (decoder, "{ completeness: 0 }", path);
  g_assert_cmpfloat_with_epsilon ((double) decoder_length (item), 16000, 100);
}

/* The largest difference from 12 s to 14 s. */
static float
compare_passage (const SegueItem *whole, const SegueItem *part)
{
  gsize rate = segue_item_get_rate (whole), n_all, n;
  const float *all = segue_item_get_frames (whole, &n_all);
  const float *frames = segue_item_get_frames (part, &n);
  double start = segue_item_get_double (part, SEGUE_META_START, -1);
  gsize first = (gsize) ((12 - start) * (double) rate + 0.5);
  float most = 0;

  g_assert_cmpuint (segue_item_get_rate (part), ==, rate);
  g_assert_cmpfloat (start, <=, 12);
  g_assert_cmpuint (first + 2 * rate, <=, n);
  for (gsize i = 0; i < 2 * rate; i++)
    most = MAX (most, ABS (frames[first + i] - all[12 * rate + i]));
  return most;
}

/* A passage is what the whole song has at this time, and little more. */
static void
test_passage (DecoderFixture *fixture, gconstpointer decoder)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    guint rate = g_str_equal (format->name, "opus") ? 48000 : 44100;
    g_autofree char *name = g_strconcat ("long.", format->extension, NULL), *path = NULL;
    g_autoptr (SegueItem) whole = NULL, part = NULL;

    if (!test_format_can_be_written (format, rate))
      continue;
    path = decoder_make_song (fixture, name, format, 440.3, 20, rate, 1);
    whole = decoder_decode (decoder, "{ rate: 48000 }", path);
    part = decoder_decode_passage (decoder, "{ rate: 48000 }", path, 12, 14);
    g_test_message ("%s: from %g s, %" G_GSIZE_FORMAT " frames, off by %g", format->name,
                    segue_item_get_double (part, SEGUE_META_START, -1), decoder_length (part),
                    (double) compare_passage (whole, part));
    g_assert_cmpfloat ((double) decoder_length (part), <, 4.0 * 48000);
    /* The tone changes by 0.03 from a sample to the next: it is at the right sample. */
    g_assert_cmpfloat (compare_passage (whole, part), <, 0.02);
  }
}

static void
test_passage_beyond_the_end (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path =
    decoder_make_song (fixture, "short.flac", decoder_find_format ("flac"), 440, 3, 44100, 1);
  g_autoptr (SegueItem) end = decoder_decode_passage (decoder, "{ rate: 48000 }", path, 2, 12);
  g_autoptr (GError) error = NULL;

  g_assert_cmpfloat_with_epsilon (segue_item_get_double (end, SEGUE_META_START, -1) +
                                    (double) decoder_length (end) / 48000,
                                  3, 1e-3);
  g_assert_null (decoder_try_passage (decoder, "{ rate: 48000 }", path, 5, 6, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
}

static void
test_fingerprint (DecoderFixture *fixture, gconstpointer data)
{
  const TestDecoder *decoder = data;
  const SegueStageType *type = decoder->plugin->stages[0];
  g_autofree char *first = type->fingerprint (NULL), *again = type->fingerprint (NULL);

  g_test_message ("%s", first);
  g_assert_cmpstr (first, ==, again);
  for (guint i = 0; decoder->fingerprint[i]; i++)
    g_assert_nonnull (strstr (first, decoder->fingerprint[i]));
}

const TestDecoderCase decoder_sound_cases[] = {
  { "formats-agree", test_formats_agree },
  { "resampling", test_resampling },
  { "equal-rate-is-exact", test_equal_rate_is_exact },
  { "channels", test_channels },
  { "as-it-is", test_as_it_is },
  { "odd-files", test_odd_files },
  { "odd-mp3-headers", test_odd_mp3_headers },
  { "odd-flac", test_odd_flac },
  { "zeros-behind-ogg", test_zeros_behind_ogg },
  { "silence", test_silence },
  { "limits", test_limits },
  { "names", test_names },
  { "descriptor", test_descriptor },
  { "cut-short-is-taken-on-request", test_cut_short_is_taken_on_request },
  { "passage", test_passage },
  { "passage-beyond-the-end", test_passage_beyond_the_end },
  { "fingerprint", test_fingerprint },
  { NULL, NULL },
};
