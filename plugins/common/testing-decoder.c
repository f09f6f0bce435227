/* The promises that any decoder keeps. */
#include "testing-odd.h"
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  const SeguePlugin *plugin;
  const char *stage;
} Decoder;

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer decoder)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("segue-decode-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer decoder)
{
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
}

static const TestFormat *
find_format (const char *name)
{
  for (const TestFormat *format = test_formats; format->name; format++)
    if (g_str_equal (format->name, name))
      return format;
  g_assert_not_reached ();
}

static char *
path_of (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

/* A song of noise-free sines; its path. */
static char *
make_song (Fixture *fixture, const char *name, const TestFormat *format, double hz, double seconds,
           guint rate, guint channels)
{
  gsize n_frames;
  g_autofree float *frames = test_sines (hz, seconds, rate, channels, &n_frames);
  char *path = path_of (fixture, name);

  test_write_audio (path, format, frames, n_frames, rate, channels);
  return path;
}

static SegueItem *
try_decode (const Decoder *decoder, const char *config, const char *path, GError **error)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (decoder->plugin, decoder->stage, config);
  g_autoptr (SegueItem) file = segue_item_new_file ("a/b/song", path);
  SegueItem *item;

  segue_item_set_string (file, "artist", "Queen");
  if (!segue_harness_try_push (harness, file, error))
    return NULL;
  item = segue_harness_pull (harness);
  g_assert_nonnull (item);
  g_assert_null (segue_harness_pull (harness));
  return item;
}

static SegueItem *
decode (const Decoder *decoder, const char *config, const char *path)
{
  g_autoptr (GError) error = NULL;
  SegueItem *item = try_decode (decoder, config, path, &error);

  g_assert_no_error (error);
  return item;
}

static void
assert_refused (const Decoder *decoder, const char *config, const char *path, int code,
                const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) item = try_decode (decoder, config, path, &error);

  g_assert_null (item);
  g_test_message ("%s", error->message);
  if (code == SEGUE_ERROR_DATA)
    g_assert_true (segue_error_is_lasting (error));
  else
    g_assert_error (error, SEGUE_ERROR, code);
  g_assert_nonnull (strstr (error->message, "a/b/song"));
  g_assert_nonnull (strstr (error->message, why));
}

static gsize
length_of (const SegueItem *item)
{
  gsize n_frames;

  segue_item_get_frames (item, &n_frames);
  return n_frames;
}

static void
test_formats_agree (Fixture *fixture, gconstpointer decoder)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    /* Opus knows no 44.1 kHz. */
    guint rate = g_str_equal (format->name, "opus") ? 48000 : 44100;
    g_autofree char *name = g_strconcat ("song.", format->extension, NULL), *path = NULL;
    g_autoptr (SegueItem) item = NULL;

    if (!test_format_can_be_written (format, rate)) {
      g_test_message ("%s can't be written here", format->name);
      continue;
    }
    path = make_song (fixture, name, format, 440, 3, rate, 2);
    item = decode (decoder, "{}", path);
    g_test_message ("%s: %" G_GSIZE_FORMAT " frames, level %.4f dB, rest %.1f dB", format->name,
                    length_of (item), test_level_db (item, 440), test_residue_db (item, 440));
    g_assert_cmpint (segue_item_get_kind (item), ==, SEGUE_KIND_AUDIO);
    g_assert_cmpuint (segue_item_get_rate (item), ==, 16000);
    g_assert_cmpuint (segue_item_get_channels (item), ==, 1);
    g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206,
                                    format->is_lossy ? 0.3 : 0.01);
    g_assert_cmpfloat (test_residue_db (item, 440), <, format->is_lossy ? -35 : -80);
    if (format->is_lossy)
      g_assert_cmpfloat_with_epsilon ((double) length_of (item), 48000, 1600);
    else
      g_assert_cmpuint (length_of (item), ==, 48000);
    g_assert_cmpfloat (segue_item_get_double (item, SEGUE_META_START, -1), ==, 0);
    g_assert_cmpfloat (segue_item_get_double (item, SEGUE_META_DURATION, -1), ==,
                       (double) length_of (item) / 16000);
    g_assert_cmpstr (segue_item_get_string (item, "artist"), ==, "Queen");
    g_assert_cmpstr (segue_item_get_id (item), ==, "a/b/song");
  }
}

static void
test_resampling (Fixture *fixture, gconstpointer decoder)
{
  static const guint rates[] = { 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000 };
  const TestFormat *format = find_format ("wav-float");

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_autofree char *path = make_song (fixture, "tone.wav", format, 997, 2, rates[i], 1);
    g_autoptr (SegueItem) item = decode (decoder, "{}", path);

    g_assert_cmpuint (length_of (item), ==, 32000);
    g_assert_cmpfloat_with_epsilon (test_level_db (item, 997), -6.0206, 0.01);
    g_assert_cmpfloat (test_residue_db (item, 997), <, -100);
  }
  for (double hz = 8200; hz < 22000; hz += 1700) { /* what 16 kHz can't hold must not come back */
    g_autofree char *path = make_song (fixture, "high.wav", format, hz, 2, 44100, 1);
    g_autoptr (SegueItem) item = decode (decoder, "{}", path);

    g_test_message ("%.0f Hz: %.1f dB", hz, test_residue_db (item, 0.5));
    g_assert_cmpfloat (test_residue_db (item, 0.5), <, -100);
  }
  {
    g_autofree char *path = make_song (fixture, "edge.wav", format, 7200, 2, 44100, 1);
    g_autoptr (SegueItem) item = decode (decoder, "{}", path);

    g_assert_cmpfloat_with_epsilon (test_level_db (item, 7200), -6.0206, 0.01);
  }
}

static void
test_equal_rate_is_exact (Fixture *fixture, gconstpointer decoder)
{
  gsize n, m;
  g_autofree float *wanted = test_sines (440, 1, 16000, 1, &n);
  g_autofree char *path =
    make_song (fixture, "same.wav", find_format ("wav-float"), 440, 1, 16000, 1);
  g_autoptr (SegueItem) item = decode (decoder, "{}", path);
  const float *got = segue_item_get_frames (item, &m);

  g_assert_cmpmem (got, m * sizeof (float), wanted, n * sizeof (float));
}

static void
test_channels (Fixture *fixture, gconstpointer decoder)
{
  gsize n, m;
  g_autofree float *frames = test_sines (440, 1, 16000, 2, &n);
  g_autofree char *path = path_of (fixture, "stereo.wav");
  g_autoptr (SegueItem) mono = NULL, both = NULL;
  const float *got;

  for (gsize i = 0; i < n; i++)
    frames[2 * i + 1] *= -0.5f;
  test_write_audio (path, find_format ("wav-float"), frames, n, 16000, 2);
  mono = decode (decoder, "{}", path);
  g_assert_cmpfloat_with_epsilon (test_level_db (mono, 440), -6.0206 - 12.0412, 0.001);
  both = decode (decoder, "{ channels: keep }", path);
  g_assert_cmpuint (segue_item_get_channels (both), ==, 2);
  got = segue_item_get_frames (both, &m);
  g_assert_cmpmem (got, m * 2 * sizeof (float), frames, n * 2 * sizeof (float));
}

static void
put_bytes (const char *path, const char *bytes, gsize length)
{
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
}

static void
test_not_audio (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = path_of (fixture, "song.mp3"), *noise = g_malloc (200000);
  g_autofree char *text = g_strnfill (5000, 'a'), *pipe = path_of (fixture, "pipe.mp3");
  guint32 state = 1;

  put_bytes (path, "", 0);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "is empty");
  put_bytes (path, "ID3", 3);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
  put_bytes (path, text, 5000);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
  for (gsize i = 0; i < 200000; i++)
    noise[i] = (char) ((state = state * 1664525 + 1013904223) >> 24);
  put_bytes (path, noise, 200000);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
  memset (noise, 0, 200000);
  put_bytes (path, noise, 200000);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
  assert_refused (decoder, "{}", fixture->folder, SEGUE_ERROR_DATA, "not a regular file");
  g_assert_cmpint (mkfifo (pipe, 0644), ==, 0);
  assert_refused (decoder, "{}", pipe, SEGUE_ERROR_DATA, "not a regular file");
  g_remove (path);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_NO_INPUT, "");
}

typedef struct {
  const Decoder *decoder;
  char *path;
} Check;

/* All of the sound, and nothing but that. */
static void
check_whole (const guint8 *bytes, gsize length, gsize n_frames, gpointer data)
{
  const Check *check = data;
  g_autoptr (SegueItem) item = NULL;

  put_bytes (check->path, (const char *) bytes, length);
  item = decode (check->decoder, "{}", check->path);
  g_assert_cmpuint (length_of (item), ==, n_frames);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206, 0.05);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -45);
}

static void
test_odd_files (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = path_of (fixture, "odd");
  Check check = { decoder, path };

  test_odd_waves (check_whole, &check);
  test_odd_aiffs (check_whole, &check);
}

/* All of the sound, but for the delay of an encoder. */
static void
check_nearly_whole (const guint8 *bytes, gsize length, gsize n_frames, gpointer data)
{
  const Check *check = data;
  g_autoptr (SegueItem) item = NULL;

  put_bytes (check->path, (const char *) bytes, length);
  item = decode (check->decoder, "{}", check->path);
  g_test_message ("%" G_GSIZE_FORMAT " frames", length_of (item));
  g_assert_cmpfloat_with_epsilon ((double) length_of (item), (double) n_frames, 1250);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.0206, 0.3);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -35);
}

static void
test_odd_mp3_headers (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = path_of (fixture, "odd.mp3"), *song = NULL, *bytes = NULL;
  Check check = { decoder, path };
  gsize length;

  if (!test_format_can_be_written (find_format ("mp3"), 44100)) {
    g_test_skip ("MP3 can't be written here");
    return;
  }
  song = make_song (fixture, "song.mp3", find_format ("mp3"), 440, 9, 44100, 2);
  g_assert_true (g_file_get_contents (song, &bytes, &length, NULL));
  test_odd_mp3s ((const guint8 *) bytes, length, 9 * 16000, check_nearly_whole, &check);
}

/* What has no sound to be found in it is never played from its first byte on, whatever was asked for. */
static void
test_never_noise (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = path_of (fixture, "noise.wav");
  g_autoptr (GByteArray) bytes = test_make_wave ();

  memcpy (bytes->data + 36, "dat\1", 4);
  put_bytes (path, (const char *) bytes->data, bytes->len);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "no chunk of sound");
  assert_refused (decoder, "{ completeness: 0 }", path, SEGUE_ERROR_DATA, "no chunk of sound");
}

static void
test_no_song (Fixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *bytes;
    gsize length;
    const char *why;
  } files[] = {
#define FILE_OF(bytes, why) { bytes, sizeof bytes - 1, why }
    FILE_OF ("\r\n <!DOCTYPE html><html><body>404</body></html>", "is a web page (HTML)"),
    FILE_OF ("<HTML><HEAD>", "is a web page (HTML)"),
    FILE_OF ("\x1f\x8b\x08\0\0\0\0\0\0\3", "is a gzip archive"),
    FILE_OF ("PK\3\4\x14\0\0\0\x08\0", "is a ZIP archive"),
    FILE_OF ("--Xb\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\xfb", "is a form"),
    FILE_OF ("{\"error\": 404}", "is text (JSON?)"),
    FILE_OF ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    FILE_OF ("#EXTM3U\r\na.mp3\r\n", "is a playlist"),
    FILE_OF ("\xff\xd8\xff\xe0\0\x10JFIF", "is a picture (JPEG)"),
    FILE_OF ("MThd\0\0\0\6\0\1", "has notes and no sound"),
    FILE_OF ("Extended Module: song", "is a tracker module"),
    FILE_OF ("PSID\0\2\0\x7c", "is a chiptune"),
    FILE_OF ("RIFF\0\1\0\0sfbkLIST", "is a SoundFont"),
#undef FILE_OF
  };
  g_autofree char *path = path_of (fixture, "song.mp3");

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    put_bytes (path, files[i].bytes, files[i].length);
    assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, files[i].why);
  }
  {
    char module[2048] = "song";

    memcpy (module + 1080, "M.K.", 4);
    put_bytes (path, module, sizeof module);
    assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "is a tracker module");
  }
}

static void
test_silence (Fixture *fixture, gconstpointer decoder)
{
  gsize n;
  g_autofree float *frames = test_sines (440, 1, 16000, 2, &n);
  g_autofree char *path = path_of (fixture, "silent.wav");
  g_autoptr (SegueItem) kept = NULL, both = NULL, none = NULL;

  for (gsize i = 0; i < n; i++)
    frames[2 * i + 1] *= -1;
  test_write_audio (path, find_format ("wav"), frames, n, 16000, 2);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "cancel each other");
  both = decode (decoder, "{ channels: keep }", path);
  g_assert_cmpfloat_with_epsilon (test_level_db (both, 440), -6.0206, 0.01);
  kept = decode (decoder, "{ silence: keep }", path);
  memset (frames, 0, 2 * n * sizeof *frames);
  test_write_audio (path, find_format ("wav"), frames, n, 16000, 2);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "is silent");
  none = decode (decoder, "{ silence: keep }", path);
  g_assert_cmpuint (length_of (none), ==, n);
}

static void
test_no_frames (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = make_song (fixture, "none.wav", find_format ("wav"), 440, 0, 16000, 1);

  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
}

static void
test_cut_short (Fixture *fixture, gconstpointer decoder)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    g_autofree char *name = g_strconcat ("cut.", format->extension, NULL), *path = NULL;
    g_autofree char *bytes = NULL;
    gsize length;

    if (!test_format_can_be_written (format, 48000))
      continue;
    path = make_song (fixture, name, format, 440, 20, 48000, 2);
    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    put_bytes (path, bytes, length * 6 / 10);
    g_test_message ("%s", format->name);
    assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
    put_bytes (path, bytes, length * 97 / 100);
    assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
  }
}

static void
test_cut_short_is_taken_on_request (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = make_song (fixture, "a.wav", find_format ("wav"), 440, 2, 16000, 1);
  g_autofree char *bytes = NULL;
  g_autoptr (SegueItem) item = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  put_bytes (path, bytes, length / 2);
  item = decode (decoder, "{ completeness: 0 }", path);
  g_assert_cmpfloat_with_epsilon ((double) length_of (item), 16000, 100);
}

static void
test_noise_inside (Fixture *fixture, gconstpointer decoder)
{
  static const char *const names[] = { "flac", "vorbis", "opus", "mp3" };

  for (guint f = 0; f < G_N_ELEMENTS (names); f++) {
    const TestFormat *format = find_format (names[f]);
    g_autofree char *name = g_strconcat ("noise.", format->extension, NULL), *path = NULL;
    g_autofree char *bytes = NULL;
    guint32 state = 7;
    gsize length;

    if (!test_format_can_be_written (format, 48000))
      continue;
    path = make_song (fixture, name, format, 440, 20, 48000, 2);
    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    for (gsize i = length * 4 / 10; i < length * 6 / 10; i++)
      bytes[i] = (char) ((state = state * 1664525 + 1013904223) >> 24);
    put_bytes (path, bytes, length);
    g_test_message ("%s", format->name);
    assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "");
  }
}

static void
test_limits (Fixture *fixture, gconstpointer decoder)
{
  static const char *const names[] = { "wav", "flac", "vorbis" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const TestFormat *format = find_format (names[i]);
    g_autofree char *name = g_strconcat ("long.", format->extension, NULL);
    g_autofree char *path = make_song (fixture, name, format, 440, 5, 44100, 1);
    g_autoptr (SegueItem) item = NULL;

    assert_refused (decoder, "{ max_duration: 3 }", path, SEGUE_ERROR_DATA, "max_duration");
    assert_refused (decoder, "{ min_duration: 6 }", path, SEGUE_ERROR_DATA, "min_duration");
    item = decode (decoder, "{ max_duration: 3, when_long: cut }", path);
    g_assert_cmpuint (length_of (item), ==, 48000);
  }
}

static void
test_names (Fixture *fixture, gconstpointer decoder)
{
  static const char *const names[] = {
    "with space.wav",       "qu\"ote's`.wav", "new\nline.wav",     "\xeb\xb0\xa9\xed\x83\x84.wav",
    "\xf0\x9f\x8e\xb5.wav", "\xff\xfe.wav",   "%41 #1?&a=b;c.wav", "-dash.wav",
    "back\\slash.wav",      "no extension",
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = make_song (fixture, names[i], find_format ("wav"), 440, 0.5, 16000, 1);
    g_autoptr (SegueItem) item = decode (decoder, "{}", path);

    g_assert_cmpuint (length_of (item), ==, 8000);
  }
}

/* Under isolation a stage sees nothing but an open descriptor. */
static void
test_descriptor (Fixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = make_song (fixture, "a.flac", find_format ("flac"), 440, 1, 44100, 2);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (SegueItem) item = NULL;

  g_assert_cmpint (fd, >=, 0);
  g_remove (path);
  item = decode (decoder, "{}", name);
  g_assert_cmpuint (length_of (item), ==, 16000);
  close (fd);
}

static void
test_not_a_number (Fixture *fixture, gconstpointer decoder)
{
  gsize n;
  g_autofree float *frames = test_sines (440, 1, 44100, 2, &n);
  g_autofree char *path = path_of (fixture, "nan.wav");

  frames[31111] = (float) NAN;
  test_write_audio (path, find_format ("wav-float"), frames, n, 44100, 2);
  assert_refused (decoder, "{}", path, SEGUE_ERROR_DATA, "not numbers");
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  const Decoder *decoder = data;
  g_autoptr (SegueHarness) harness = segue_harness_new (decoder->plugin, decoder->stage, "{}");
  g_autofree char *path = make_song (fixture, "a.wav", find_format ("wav"), 440, 1, 16000, 1);
  g_autoptr (SegueItem) file = segue_item_new_file ("a/b/song", path);
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_bad_config (Fixture *fixture, gconstpointer data)
{
  const Decoder *decoder = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = segue_harness_try_new (
    decoder->plugin, decoder->stage, "{ min_duration: 20, max_duration: 10 }", &error);

  g_assert_null (harness);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

void
test_add_decoder (const SeguePlugin *plugin, const char *stage)
{
  static const struct {
    const char *name;
    void (*func) (Fixture *, gconstpointer);
  } tests[] = {
    { "formats-agree", test_formats_agree },
    { "resampling", test_resampling },
    { "equal-rate-is-exact", test_equal_rate_is_exact },
    { "channels", test_channels },
    { "not-audio", test_not_audio },
    { "odd-files", test_odd_files },
    { "odd-mp3-headers", test_odd_mp3_headers },
    { "never-noise", test_never_noise },
    { "no-song", test_no_song },
    { "silence", test_silence },
    { "no-frames", test_no_frames },
    { "cut-short", test_cut_short },
    { "cut-short-is-taken-on-request", test_cut_short_is_taken_on_request },
    { "noise-inside", test_noise_inside },
    { "limits", test_limits },
    { "names", test_names },
    { "descriptor", test_descriptor },
    { "not-a-number", test_not_a_number },
    { "cancel", test_cancel },
    { "bad-config", test_bad_config },
  };
  static Decoder decoder;

  decoder = (Decoder){ plugin, stage };
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path = g_strdup_printf ("/%s/%s", stage, tests[i].name);

    g_test_add (path, Fixture, &decoder, set_up, tests[i].func, tear_down);
  }
}
