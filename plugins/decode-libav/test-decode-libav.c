/* Tests of decode-libav: the guarantees of every decoder, and those specific to libav. */
#include "testing-encode.h"
#include "testing.h"

#include <libavutil/log.h>
#include <math.h>
#include <segue/file.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("segue-decode-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
}

static SegueItem *
try_decode (const char *config, const char *path, GError **error)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "decode-libav", config);
  g_autoptr (SegueItem) file = segue_item_new_file ("song", path);

  return segue_harness_try_push (harness, file, error) ? segue_harness_pull (harness) : NULL;
}

static SegueItem *
decode (const char *config, const char *path)
{
  g_autoptr (GError) error = NULL;
  SegueItem *item = try_decode (config, path, &error);

  g_assert_no_error (error);
  return item;
}

static void
assert_refused (const char *path, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (try_decode ("{}", path, &error));
  g_test_message ("%s", error->message);
  g_assert_true (segue_error_is_lasting (error));
  g_assert_nonnull (strstr (error->message, why));
}

/* (nullable): a new file of one track. */
static char *
make_song (Fixture *fixture, const char *name, const char *container, const char *codec, guint rate,
           double seconds)
{
  TestTrack tracks[] = { { codec, rate, 440 }, { 0 } };
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  return test_encode (path, container, tracks, seconds) ? g_steal_pointer (&path) : NULL;
}

static char *
put_file (Fixture *fixture, const char *name, const void *bytes, gsize length)
{
  char *path = g_build_filename (fixture->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
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

static gsize
length_of (const SegueItem *item)
{
  gsize n_frames;

  segue_item_get_frames (item, &n_frames);
  return n_frames;
}

static void
assert_tone (const SegueItem *item, double seconds, double off)
{
  g_test_message ("%.4f s, level %.2f dB, rest %.1f dB", (double) length_of (item) / 16000,
                  test_level_db (item, 440), test_residue_db (item, 440));
  g_assert_cmpfloat_with_epsilon ((double) length_of (item) / 16000, seconds, off);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.02, 0.5);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -35);
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
test_more_formats (Fixture *fixture, gconstpointer unused)
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
    item = decode ("{}", path);
    assert_tone (item, 4, 0.08);
  }
}

/* Encoder delay and padding are removed: the song keeps its length and position. */
static void
test_gapless (Fixture *fixture, gconstpointer unused)
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
    item = decode ("{}", path);
    g_test_message ("%s: %" G_GSIZE_FORMAT " frames, off by %.1f dB", formats[i].name,
                    length_of (item), distance_db (item));
    g_assert_cmpuint (length_of (item) - 67200, <=, formats[i].off);
    /* An offset of one frame is -24 dB. */
    g_assert_cmpfloat (distance_db (item), <, -30);
  }
}

/* Every sample type is converted to the right number. */
static void
test_sample_types (Fixture *fixture, gconstpointer unused)
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
    item = decode ("{ channels: keep }", path);
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
test_cut_short (Fixture *fixture, gconstpointer unused)
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
    assert_refused (cut, "");
  }
}

/* A frame whose checksum is wrong is dropped, not decoded. */
static void
test_damage (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = make_song (fixture, "a.flac", "flac", "flac", 44100, 20), *damaged = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (SegueItem) item = NULL;

  read_file (path, bytes);
  bytes->data[bytes->len / 2] ^= 0x55;
  damaged = put_file (fixture, "damaged.flac", bytes->data, bytes->len);
  item = decode ("{}", damaged);
  g_assert_cmpuint (length_of (item), <, 320000 - 300);
  g_assert_cmpuint (length_of (item), >, 320000 - 3200);
  g_assert_cmpfloat (test_level_db (item, 440), <, -6);
}

/* Concatenated songs, of different rates and codecs. */
static void
test_chained (Fixture *fixture, gconstpointer unused)
{
  static const TestTrack first[] = { { "libvorbis", 44100, 440 }, { 0 } },
                         second[] = { { "libvorbis", 32000, 440 }, { 0 } },
                         third[] = { { "libopus", 48000, 440 }, { 0 } };
  static const TestTrack *const links[] = { first, second, third };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *chain = NULL;
  g_autoptr (SegueItem) item = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    g_autofree char *path = g_build_filename (fixture->folder, "link.ogg", NULL);

    if (!test_encode (path, "ogg", links[i], 2)) {
      g_test_skip ("no encoder");
      return;
    }
    read_file (path, bytes);
  }
  chain = put_file (fixture, "chain.ogg", bytes->data, bytes->len);
  item = decode ("{}", chain);
  g_assert_cmpuint (length_of (item), ==, 96000);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.02, 0.5);
}

static void
test_video (Fixture *fixture, gconstpointer unused)
{
  static const TestTrack both[] = { { "mpeg4", 0, 0 },
                                    { "aac", 44100, 440 },
                                    { "aac", 44100, 880 },
                                    { 0 } },
                         mute[] = { { "mpeg4", 0, 0 }, { 0 } };
  static const char *const containers[] = { "mp4", "matroska", "avi" };

  for (guint i = 0; i < G_N_ELEMENTS (containers); i++) {
    g_autofree char *path = g_build_filename (fixture->folder, containers[i], NULL);
    g_autoptr (SegueItem) item = NULL;

    g_assert_true (test_encode (path, containers[i], both, 3));
    item = decode ("{}", path);
    assert_tone (item, 3, 0.1);
    g_assert_true (test_encode (path, containers[i], mute, 3));
    assert_refused (path, "contains no audio stream");
  }
}

/* The duration of the audio counts, not that of the video; a truncated file is detected. */
static void
test_longer_video (Fixture *fixture, gconstpointer unused)
{
  static const TestTrack tracks[] = { { "mpeg4", 0, 0, 6 }, { "aac", 44100, 440, 4 }, { 0 } };
  static const char *const containers[] = { "mp4", "mov", "ipod", "matroska" };

  for (guint i = 0; i < G_N_ELEMENTS (containers); i++) {
    g_autofree char *path = g_build_filename (fixture->folder, containers[i], NULL), *cut = NULL;
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (SegueItem) item = NULL;

    g_assert_true (test_encode (path, containers[i], tracks, 4));
    item = decode ("{}", path);
    assert_tone (item, 4, 0.1);
    read_file (path, bytes);
    cut = put_file (fixture, "cut", bytes->data, bytes->len * 6 / 10);
    assert_refused (cut, "damaged");
  }
}

/* A cover that is larger than the data that libavformat reads to detect a format. */
static void
test_cover (Fixture *fixture, gconstpointer unused)
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
  plain = decode ("{}", path);
  item = decode ("{}", tagged);
  g_assert_cmpuint (length_of (item), ==, length_of (plain));
}

/* Files that refer to others, one of them a good file, are not songs. */
static void
test_playlists (Fixture *fixture, gconstpointer unused)
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

    assert_refused (path, lists[i].why);
  }
}

/* Libraries never print, whatever the input and the caller. */
static void
test_quiet (Fixture *fixture, gconstpointer unused)
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
    item = try_decode ("{}", bad, &error);
    av_log (NULL, AV_LOG_ERROR, "not of a song\n");
    return;
  }
  g_test_trap_subprocess (NULL, 30 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("");
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
test_cancel_on_the_way (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = make_song (fixture, "long.flac", "flac", "flac", 44100, 600);
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "decode-libav", "{}");
  g_autoptr (SegueItem) file = segue_item_new_file ("song", path);
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, segue_harness_get_cancellable (harness));

  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_thread_join (thread);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_fingerprint (void)
{
  const SegueStageType *type = segue_plugin_query ()->stages[0];
  g_autofree char *first = type->fingerprint (NULL), *again = type->fingerprint (NULL);

  g_test_message ("%s", first);
  g_assert_cmpstr (first, ==, again);
  g_assert_nonnull (strstr (first, "libavcodec "));
  g_assert_nonnull (strstr (first, "soxr"));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/decode-libav/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  test_add_decoder (segue_plugin_query (), "decode-libav");
  ADD ("more-formats", test_more_formats);
  ADD ("gapless", test_gapless);
  ADD ("sample-types", test_sample_types);
  ADD ("more-cut-short", test_cut_short);
  ADD ("damage", test_damage);
  ADD ("chained", test_chained);
  ADD ("video", test_video);
  ADD ("longer-video", test_longer_video);
  ADD ("cover", test_cover);
  ADD ("playlists", test_playlists);
  ADD ("quiet", test_quiet);
  ADD ("cancel-on-the-way", test_cancel_on_the_way);
  g_test_add_func ("/decode-libav/fingerprint", test_fingerprint);
  return g_test_run ();
}
