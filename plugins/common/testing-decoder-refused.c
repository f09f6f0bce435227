/* Files that decoders refuse, and their messages. */
#include "testing-decoder.h"
#include "testing-odd.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static void
test_not_audio (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = decoder_path (fixture, "song.mp3"), *noise = g_malloc (200000);
  g_autofree char *text = g_strnfill (5000, 'a'), *pipe = decoder_path (fixture, "pipe.mp3");
  guint32 state = 1;

  decoder_put_bytes (path, "", 0);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "is empty");
  decoder_put_bytes (path, "ID3", 3);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  decoder_put_bytes (path, text, 5000);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  for (gsize i = 0; i < 200000; i++)
    noise[i] = (char) ((state = state * 1664525 + 1013904223) >> 24);
  decoder_put_bytes (path, noise, 200000);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  memset (noise, 0, 200000);
  decoder_put_bytes (path, noise, 200000);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  decoder_assert_refused (decoder, DECODER_MONO, fixture->folder, SEGUE_ERROR_DATA,
                          "not a regular file");
  g_assert_cmpint (mkfifo (pipe, 0644), ==, 0);
  decoder_assert_refused (decoder, DECODER_MONO, pipe, SEGUE_ERROR_DATA, "not a regular file");
  g_remove (path);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_NO_INPUT, "");
}

/* A file in which no audio is found is never decoded from its first byte on, whatever the parameters. */
static void
test_never_noise (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = decoder_path (fixture, "noise.wav");
  g_autoptr (GByteArray) bytes = test_make_wave ();

  memcpy (bytes->data + 36, "dat\1", 4);
  decoder_put_bytes (path, (const char *) bytes->data, bytes->len);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "it has no audio chunk");
  decoder_assert_refused (decoder, "{ completeness: 0 }", path, SEGUE_ERROR_DATA,
                          "it has no audio chunk");
}

static void
test_no_song (DecoderFixture *fixture, gconstpointer decoder)
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
    FILE_OF ("MThd\0\0\0\6\0\1", "contains notes and no audio"),
    FILE_OF ("Extended Module: song", "is a tracker module"),
    FILE_OF ("PSID\0\2\0\x7c", "is a chiptune"),
    FILE_OF ("RIFF\0\1\0\0sfbkLIST", "is a SoundFont"),
    FILE_OF ("RIFF\x24\0\0\0CDDAfmt ", "a track of a CD (CDA)"),
    FILE_OF ("HTTP/1.1 404 Not Found\r\n\r\n", "is an HTTP response"),
    FILE_OF ("<Error><Code>AccessDenied</Code></Error>", "is an error message of a server"),
    FILE_OF ("FILE \"a.flac\" WAVE\r\n", "is a cue sheet"),
    FILE_OF ("[00:12.00]la la\n", "is lyrics"),
    FILE_OF ("{\\rtf1\\ansi hello}", "(RTF)"),
    FILE_OF ("\xff\xfeh\0e\0l\0l\0o\0!\0", "is text (UTF-16)"),
    FILE_OF ("L\0\0\0\1\x14\2\0\0\0\0\0\xc0", "is a Windows shortcut"),
    FILE_OF ("d10:created by5:x1.0", "is a BitTorrent file"),
    FILE_OF ("CTENFDAM\1\2\3", "is copy-protected"),
    FILE_OF ("!<arch>\ndebian-binary", "is an archive"),
#undef FILE_OF
  };
  g_autofree char *path = decoder_path (fixture, "song.mp3");

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    decoder_put_bytes (path, files[i].bytes, files[i].length);
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, files[i].why);
  }
  {
    char module[2048] = "song";

    memcpy (module + 1080, "M.K.", 4);
    decoder_put_bytes (path, module, sizeof module);
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "is a tracker module");
  }
}

static void
test_no_frames (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path =
    decoder_make_song (fixture, "none.wav", decoder_find_format ("wav"), 440, 0, 16000, 1);

  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
}

static void
test_cut_short (DecoderFixture *fixture, gconstpointer decoder)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    g_autofree char *name = g_strconcat ("cut.", format->extension, NULL), *path = NULL;
    g_autofree char *bytes = NULL;
    gsize length;

    if (!test_format_can_be_written (format, 48000))
      continue;
    path = decoder_make_song (fixture, name, format, 440, 20, 48000, 2);
    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    decoder_put_bytes (path, bytes, length * 6 / 10);
    g_test_message ("%s", format->name);
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
    decoder_put_bytes (path, bytes, length * 97 / 100);
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  }
}

static void
test_noise_inside (DecoderFixture *fixture, gconstpointer decoder)
{
  static const char *const names[] = { "flac", "vorbis", "opus", "mp3" };

  for (guint f = 0; f < G_N_ELEMENTS (names); f++) {
    const TestFormat *format = decoder_find_format (names[f]);
    g_autofree char *name = g_strconcat ("noise.", format->extension, NULL), *path = NULL;
    g_autofree char *bytes = NULL;
    guint32 state = 7;
    gsize length;

    if (!test_format_can_be_written (format, 48000))
      continue;
    path = decoder_make_song (fixture, name, format, 440, 20, 48000, 2);
    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    for (gsize i = length * 4 / 10; i < length * 6 / 10; i++)
      bytes[i] = (char) ((state = state * 1664525 + 1013904223) >> 24);
    decoder_put_bytes (path, bytes, length);
    g_test_message ("%s", format->name);
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  }
}

static void
test_not_a_number (DecoderFixture *fixture, gconstpointer decoder)
{
  gsize n;
  g_autofree float *frames = test_sines (440, 1, 44100, 2, &n);
  g_autofree char *path = decoder_path (fixture, "nan.wav");

  frames[31111] = (float) NAN;
  test_write_audio (path, decoder_find_format ("wav-float"), frames, n, 44100, 2);
  decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "not numbers");
}

static void
test_cancel (DecoderFixture *fixture, gconstpointer data)
{
  const TestDecoder *decoder = data;
  g_autoptr (SegueHarness) harness =
    segue_harness_new (decoder->plugin, decoder->stage, DECODER_MONO);
  g_autofree char *path =
    decoder_make_song (fixture, "a.wav", decoder_find_format ("wav"), 440, 1, 16000, 1);
  g_autoptr (SegueItem) file = segue_item_new_file ("a/b/song", path);
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

/* From another thread, while the song is being decoded. */
static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (20000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel_on_the_way (DecoderFixture *fixture, gconstpointer data)
{
  const TestDecoder *decoder = data;
  g_autofree char *path =
    decoder_make_song (fixture, "long.flac", decoder_find_format ("flac"), 440, 300, 44100, 2);
  g_autoptr (SegueHarness) harness =
    segue_harness_new (decoder->plugin, decoder->stage, DECODER_MONO);
  g_autoptr (SegueItem) file = segue_item_new_file ("a/b/song", path);
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, segue_harness_get_cancellable (harness));

  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_thread_join (thread);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_bad_config (DecoderFixture *fixture, gconstpointer data)
{
  const TestDecoder *decoder = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = segue_harness_try_new (
    decoder->plugin, decoder->stage, "{ min_duration: 20, max_duration: 10 }", &error);

  g_assert_null (harness);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

const TestDecoderCase decoder_refused_cases[] = {
  { "not-audio", test_not_audio },
  { "never-noise", test_never_noise },
  { "no-song", test_no_song },
  { "no-frames", test_no_frames },
  { "cut-short", test_cut_short },
  { "noise-inside", test_noise_inside },
  { "not-a-number", test_not_a_number },
  { "cancel", test_cancel },
  { "cancel-on-the-way", test_cancel_on_the_way },
  { "bad-config", test_bad_config },
  { NULL, NULL },
};
