/* Tests of decode-libav: the guarantees of every decoder, and those specific to libav. */
#include "testing-decoder.h"
#include "testing-encode.h"

#include <libavutil/log.h>
#include <math.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

/* (nullable): a new file of one track. */
static char *
make_song (DecoderFixture *fixture, const char *name, const char *container, const char *codec,
           guint rate, double seconds)
{
  TestTrack tracks[] = { { codec, rate, 440 }, { 0 } };
  g_autofree char *path = decoder_path (fixture, name);

  return test_encode (path, container, tracks, seconds) ? g_steal_pointer (&path) : NULL;
}

static char *
put_file (DecoderFixture *fixture, const char *name, const void *bytes, gsize length)
{
  char *path = decoder_path (fixture, name);

  decoder_put_bytes (path, bytes, length);
  return path;
}

static void
read_file (const char *path, GByteArray *bytes)
{
  g_autofree char *more = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &more, &length, NULL));
  g_byte_array_append (bytes, (guint8 *) more, (guint) length);
}

/* RMS of the rest without the tone at its position in the encoded file, relative to full scale. */
static double
distance_db (const SegueItem *item)
{
  gsize n;
  const float *x = segue_item_get_frames (item, &n);
  double sum = 0;

  for (gsize i = n / 4; i < n * 3 / 4; i++) {
    double rest = (double) x[i] - 0.5 * sin (2 * G_PI * 440 * (double) i / 16000);

    sum += rest * rest;
  }
  return 10 * log10 (MAX (sum / (double) (n / 2), 1e-20));
}

static void
test_more_formats (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *name, *container, *codec;
    guint rate;
  } formats[] = {
    { "aac.m4a", "mp4", "aac", 44100 },        { "aac.aac", "adts", "aac", 44100 },
    { "alac.m4a", "ipod", "alac", 44100 },     { "alac.caf", "caf", "alac", 44100 },
    { "wma.wma", "asf", "wmav2", 44100 },      { "wavpack.wv", "wv", "wavpack", 44100 },
    { "flac.mka", "matroska", "flac", 44100 }, { "opus.webm", "webm", "libopus", 48000 },
    { "ac3.ac3", "ac3", "ac3", 48000 },        { "mp2.mp2", "mp2", "mp2", 44100 },
    { "ac3.ac3", "ac3", "ac3", 44100 },        { "eac3.eac3", "eac3", "eac3", 32000 },
    { "tta.tta", "tta", "tta", 44100 },        { "flac.ogg", "ogg", "flac", 44100 },
    { "sun.au", "au", "pcm_s16be", 44100 },    { "mp3.avi", "avi", "libmp3lame", 44100 },
    { "wave.w64", "w64", "pcm_s24le", 44100 }, { "ms.wav", "wav", "adpcm_ms", 44100 },
    { "parts.ismv", "ismv", "aac", 44100 }, /* MP4 in fragments */
  };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *path = make_song (fixture, formats[i].name, formats[i].container,
                                       formats[i].codec, formats[i].rate, 4);
    g_autoptr (SegueItem) item = NULL;

    if (!path)
      continue;
    g_test_message ("%s", formats[i].name);
    item = decoder_decode (decoder, DECODER_MONO, path);
    decoder_assert_tone (item, 4, 0.08);
  }
}

/* Encoder delay and padding are removed: the song keeps its length and position. */
static void
test_gapless (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *name, *container, *codec;
    guint rate, off;
  } formats[] = {
    { "lame.mp3", "mp3", "libmp3lame", 44100, 0 },
    { "opus.opus", "ogg", "libopus", 48000, 0 },
    { "vorbis.ogg", "ogg", "libvorbis", 44100, 0 },
    { "aac.m4a", "mp4", "aac", 44100, 400 }, /* at the end, up to a frame is not distinguished */
  };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *path = make_song (fixture, formats[i].name, formats[i].container,
                                       formats[i].codec, formats[i].rate, 4.2);
    g_autoptr (SegueItem) item = NULL;

    if (!path)
      continue;
    item = decoder_decode (decoder, DECODER_MONO, path);
    g_test_message ("%s: %" G_GSIZE_FORMAT " frames, off by %.1f dB", formats[i].name,
                    decoder_length (item), distance_db (item));
    g_assert_cmpuint (decoder_length (item) - 67200, <=, formats[i].off);
    /* An offset of one frame is -24 dB. */
    g_assert_cmpfloat (distance_db (item), <, -30);
  }
}

/* Every sample type is converted to the right number. */
static void
test_sample_types (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *codec;
    double scale; /* 0: as in float32 */
  } types[] = {
    { "pcm_u8", 0x1p7 },     { "pcm_s16le", 0x1p15 }, { "pcm_s16be", 0x1p15 },
    { "pcm_s32le", 0x1p31 }, { "pcm_f32le", 0 },      { "pcm_f64le", 0 },
    { "flac", 0x1p15 },      { "wavpack", 0x1p7 }, /* of planes, and 8 bits first */
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *path =
      make_song (fixture, "types.mka", "matroska", types[i].codec, 16000, 0.5);
    g_autoptr (SegueItem) item = NULL;
    const float *frames;
    gsize n;

    if (!path)
      continue;
    g_test_message ("%s", types[i].codec);
    item = decoder_decode (decoder, "{ channels: keep }", path);
    frames = segue_item_get_frames (item, &n);
    g_assert_cmpuint (n, ==, 8000);
    g_assert_cmpuint (segue_item_get_channels (item), ==, 2);
    for (gsize k = 0; k < 2 * n; k++) {
      double x = 0.5 * sin (2 * G_PI * 440 * (double) (k / 2) / 16000);
      double wanted = types[i].scale > 0 ? rint (x * types[i].scale) / types[i].scale : x;

      g_assert_cmpfloat (frames[k], ==, (float) wanted);
    }
  }
}

static void
test_cut_short (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *name, *container, *codec;
  } formats[] = {
    { "aac.m4a", "mp4", "aac" },           { "wavpack.wv", "wv", "wavpack" },
    { "wma.wma", "asf", "wmav2" },         { "aac.mka", "matroska", "aac" },
    { "tagged.mp3", "mp3", "libmp3lame" }, { "parts.ismv", "ismv", "aac" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *path =
      make_song (fixture, formats[i].name, formats[i].container, formats[i].codec, 44100, 20);
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autofree char *cut = NULL;

    if (!path)
      continue;
    read_file (path, bytes);
    cut = put_file (fixture, "cut", bytes->data, bytes->len * 7 / 10);
    decoder_assert_refused (decoder, DECODER_MONO, cut, SEGUE_ERROR_DATA, "");
  }
}

/* A frame whose checksum is wrong is dropped, not decoded. */
static void
test_damage (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *path = make_song (fixture, "a.flac", "flac", "flac", 44100, 20), *damaged = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (SegueItem) item = NULL;

  read_file (path, bytes);
  bytes->data[bytes->len / 2] ^= 0x55;
  damaged = put_file (fixture, "damaged.flac", bytes->data, bytes->len);
  item = decoder_decode (decoder, DECODER_MONO, damaged);
  g_assert_cmpuint (decoder_length (item), <, 320000 - 300);
  g_assert_cmpuint (decoder_length (item), >, 320000 - 3200);
  g_assert_cmpfloat (test_level_db (item, 440), <, -6);
}

/* Concatenated songs, of different rates and codecs. */
static void
test_chained (DecoderFixture *fixture, gconstpointer decoder)
{
  static const TestTrack first[] = { { "libvorbis", 44100, 440 }, { 0 } },
                         second[] = { { "libvorbis", 32000, 440 }, { 0 } },
                         third[] = { { "libopus", 48000, 440 }, { 0 } };
  static const TestTrack *const links[] = { first, second, third };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *chain = NULL;
  g_autoptr (SegueItem) item = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    g_autofree char *path = decoder_path (fixture, "link.ogg");

    if (!test_encode (path, "ogg", links[i], 2)) {
      g_test_skip ("no encoder");
      return;
    }
    read_file (path, bytes);
  }
  chain = put_file (fixture, "chain.ogg", bytes->data, bytes->len);
  item = decoder_decode (decoder, DECODER_MONO, chain);
  g_assert_cmpuint (decoder_length (item), ==, 96000);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.02, 0.5);
}

static void
test_video (DecoderFixture *fixture, gconstpointer decoder)
{
  static const TestTrack both[] = { { "mpeg4", 0, 0 },
                                    { "aac", 44100, 440 },
                                    { "aac", 44100, 880 },
                                    { 0 } },
                         mute[] = { { "mpeg4", 0, 0 }, { 0 } };
  static const char *const containers[] = { "mp4", "matroska", "avi" };

  for (guint i = 0; i < G_N_ELEMENTS (containers); i++) {
    g_autofree char *path = decoder_path (fixture, containers[i]);
    g_autoptr (SegueItem) item = NULL;

    g_assert_true (test_encode (path, containers[i], both, 3));
    item = decoder_decode (decoder, DECODER_MONO, path);
    decoder_assert_tone (item, 3, 0.1);
    g_assert_true (test_encode (path, containers[i], mute, 3));
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA,
                            "contains no audio stream");
  }
}

/* The duration of the audio counts, not that of the video; a truncated file is detected. */
static void
test_longer_video (DecoderFixture *fixture, gconstpointer decoder)
{
  static const TestTrack tracks[] = { { "mpeg4", 0, 0, 6 }, { "aac", 44100, 440, 4 }, { 0 } };
  static const char *const containers[] = { "mp4", "mov", "ipod", "matroska" };

  for (guint i = 0; i < G_N_ELEMENTS (containers); i++) {
    g_autofree char *path = decoder_path (fixture, containers[i]), *cut = NULL;
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (SegueItem) item = NULL;

    g_assert_true (test_encode (path, containers[i], tracks, 4));
    item = decoder_decode (decoder, DECODER_MONO, path);
    decoder_assert_tone (item, 4, 0.1);
    read_file (path, bytes);
    cut = put_file (fixture, "cut", bytes->data, bytes->len * 6 / 10);
    decoder_assert_refused (decoder, DECODER_MONO, cut, SEGUE_ERROR_DATA, "damaged");
  }
}

/* A cover that is larger than the data that libavformat reads to detect a format. */
static void
test_cover (DecoderFixture *fixture, gconstpointer decoder)
{
  const guint size = 3 << 20;
  const guint8 tag[] = { 'I', 'D', '3', 4, 0, 0, size >> 21, size >> 14 & 127, size >> 7 & 127, 0 };
  g_autofree char *path = make_song (fixture, "a.mp3", "mp3", "libmp3lame", 44100, 4);
  g_autofree char *tagged = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (SegueItem) plain = NULL, item = NULL;

  if (!path) {
    g_test_skip ("no encoder");
    return;
  }
  g_byte_array_append (bytes, tag, sizeof tag);
  g_byte_array_set_size (bytes, sizeof tag + size);
  memset (bytes->data + sizeof tag, 0xff, size);
  read_file (path, bytes);
  tagged = put_file (fixture, "tagged.mp3", bytes->data, bytes->len);
  plain = decoder_decode (decoder, DECODER_MONO, path);
  item = decoder_decode (decoder, DECODER_MONO, tagged);
  g_assert_cmpuint (decoder_length (item), ==, decoder_length (plain));
}

/* Files that refer to others, one of them a good file, are not songs. */
static void
test_playlists (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *text, *why;
  } lists[] = {
    /* With a character that does not occur in text, so that libav is called. */
    { "ffconcat version 1.0\n#\001\nfile song.wav\n", "is not audio in any known format" },
    { "ffconcat version 1.0\nfile song.wav\n", "is text" },
    { "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-VERSION:3\n#EXTINF:4,\nsong.wav\n"
      "#EXT-X-ENDLIST\n",
      "is a playlist (M3U)" },
    { "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><Period>"
      "<AdaptationSet><Representation><BaseURL>song.wav</BaseURL></Representation>"
      "</AdaptationSet></Period></MPD>",
      "is an XML document" },
  };
  g_autofree char *song = make_song (fixture, "song.wav", "wav", "pcm_s16le", 44100, 4);

  g_assert_nonnull (song);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    g_autofree char *path = put_file (fixture, "list", lists[i].text, strlen (lists[i].text));

    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, lists[i].why);
  }
}

/* Libraries never print, whatever the input and the caller. */
static void
test_quiet (DecoderFixture *fixture, gconstpointer decoder)
{
  if (g_test_subprocess ()) {
    g_autofree char *path = make_song (fixture, "a.m4a", "mp4", "aac", 44100, 4), *bad = NULL;
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) item = NULL;

    read_file (path, bytes);
    for (guint i = 2000; i < bytes->len; i += 100)
      bytes->data[i] ^= 0xaa;
    bad = put_file (fixture, "bad.m4a", bytes->data, bytes->len);
    item = decoder_try (decoder, DECODER_MONO, bad, &error);
    av_log (NULL, AV_LOG_ERROR, "not of a song\n");
    return;
  }
  g_test_trap_subprocess (NULL, 30 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("");
}

static const TestDecoderCase cases[] = {
  { "more-formats", test_more_formats },
  { "gapless", test_gapless },
  { "sample-types", test_sample_types },
  { "more-cut-short", test_cut_short },
  { "damage", test_damage },
  { "chained", test_chained },
  { "video", test_video },
  { "longer-video", test_longer_video },
  { "cover", test_cover },
  { "playlists", test_playlists },
  { "quiet", test_quiet },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  const TestDecoder decoder = { .plugin = segue_plugin_query (),
                                .stage = "decode-libav",
                                .fingerprint = { "libavcodec ", "soxr" },
                                .cases = cases };

  g_test_init (&argc, &argv, NULL);
  test_add_decoder (&decoder);
  return g_test_run ();
}
