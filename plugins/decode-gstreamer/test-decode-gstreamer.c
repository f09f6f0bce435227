/* Tests of decode-gstreamer: the guarantees of every decoder, and those specific to GStreamer. */
#include "framework.h"
#include "testing-decoder.h"

/* Its hooks have existed for years, and are still declared unstable. */
#define GST_USE_UNSTABLE_API 1
#include <gst/gst.h>
#include <gst/gsttracer.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

const SeguePlugin *segue_plugin_query (void);

/* Runs a pipeline that writes @name; %NULL where an element is not installed. */
static char *
make_file (DecoderFixture *fixture, const char *name, const char *description)
{
  g_autoptr (GError) error = NULL;
  char *path = decoder_path (fixture, name);
  g_autofree char *text = g_strconcat (description, " ! filesink location=", path, NULL);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  if (error) {
    g_test_message ("%s: %s", name, error->message);
    g_free (path);
    return NULL;
  }
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return path;
}

#define TONE(seconds)                                                                              \
  "audiotestsrc freq=440 volume=0.5 samplesperbuffer=4410 num-buffers=" #seconds "0 ! "            \
  "audio/x-raw,rate=44100,channels=2 ! audioconvert ! "
#define VIDEO(seconds)                                                                             \
  "videotestsrc num-buffers=" #seconds "0 ! video/x-raw,width=64,height=48,framerate=10/1 ! "      \
  "videoconvert ! "

static void
test_more_formats (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *name, *pipeline;
  } formats[] = {
    { "lame.mp3", TONE (4) "lamemp3enc ! id3v2mux" },
    { "tagged.mp3", TONE (4) "lamemp3enc ! xingmux" },
    { "opus.opus", TONE (4) "audioresample ! opusenc ! oggmux" },
    { "aac.m4a", TONE (4) "avenc_aac ! mp4mux" },
    { "aac.aac", TONE (4) "avenc_aac ! aacparse ! audio/mpeg,stream-format=adts" },
    { "alac.m4a", TONE (4) "avenc_alac ! mp4mux" },
    { "wma.wma", TONE (4) "avenc_wmav2 ! asfmux" },
    { "wavpack.wv", TONE (4) "wavpackenc" },
    { "flac.mka", TONE (4) "flacenc ! matroskamux" },
    { "speex.spx",
      TONE (4) "audioresample ! audio/x-raw,rate=32000 ! speexenc quality=10 ! oggmux" },
  };
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *path = make_file (fixture, formats[i].name, formats[i].pipeline);
    g_autoptr (SegueItem) item = NULL;

    if (!path)
      continue;
    g_test_message ("%s", formats[i].name);
    item = decoder_decode (decoder, DECODER_MONO, path);
    if (!g_str_has_suffix (path, ".spx"))
      decoder_assert_tone (item, 4, 0.15);
    n++;
  }
  g_test_message ("%u formats", n);
}

static void
test_cut_short (DecoderFixture *fixture, gconstpointer decoder)
{
  static const struct {
    const char *name, *pipeline;
  } formats[] = {
    { "aac.m4a", TONE (20) "avenc_aac ! mp4mux faststart=true" },
    { "tagged.mp3", TONE (20) "lamemp3enc ! xingmux" },
    { "wavpack.wv", TONE (20) "wavpackenc" },
    { "wma.wma", TONE (20) "avenc_wmav2 ! asfmux" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *path = make_file (fixture, formats[i].name, formats[i].pipeline);
    g_autofree char *bytes = NULL;
    gsize length;

    if (!path)
      continue;
    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    decoder_put_bytes (path, bytes, length * 7 / 10);
    g_test_message ("%s", formats[i].name);
    decoder_assert_refused (decoder, DECODER_MONO, path, SEGUE_ERROR_DATA, "");
  }
}

static void
test_video (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *both = make_file (
    fixture, "both.ogg",
    "oggmux name=m " TONE (3) "vorbisenc ! queue ! m. " VIDEO (3) "theoraenc ! queue ! m. m.");
  g_autofree char *mute = make_file (fixture, "mute.ogg", VIDEO (3) "theoraenc ! oggmux");
  g_autofree char *mkv = make_file (fixture, "mute.mp3", VIDEO (3) "theoraenc ! matroskamux");
  const char *silent[] = { mute, mkv };

  if (both) {
    g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, both);

    decoder_assert_tone (item, 3, 0.15);
  }
  for (guint i = 0; i < G_N_ELEMENTS (silent); i++) {
    gint64 started = g_get_monotonic_time ();

    if (!silent[i])
      continue;
    decoder_assert_refused (decoder, DECODER_MONO, silent[i], SEGUE_ERROR_DATA, "audio");
    g_assert_cmpint (g_get_monotonic_time () - started, <, 20 * G_TIME_SPAN_SECOND);
  }
}

/* Two concatenated songs, at different rates. */
static void
test_chained (DecoderFixture *fixture, gconstpointer decoder)
{
  g_autofree char *first = make_file (fixture, "1.ogg", TONE (2) "vorbisenc quality=0.9 ! oggmux");
  g_autofree char *second =
    make_file (fixture, "2.ogg",
               TONE (2) "audioresample ! audio/x-raw,rate=32000 ! vorbisenc quality=0.9 ! oggmux");
  g_autofree char *path = decoder_path (fixture, "chain.ogg");
  g_autofree char *a = NULL, *b = NULL;
  g_autoptr (GByteArray) both = g_byte_array_new ();
  gsize n, m;

  if (!first || !second) {
    g_test_skip ("no Vorbis encoder");
    return;
  }
  g_assert_true (g_file_get_contents (first, &a, &n, NULL));
  g_assert_true (g_file_get_contents (second, &b, &m, NULL));
  g_byte_array_append (both, (guint8 *) a, (guint) n);
  g_byte_array_append (both, (guint8 *) b, (guint) m);
  decoder_put_bytes (path, (char *) both->data, both->len);
  {
    g_autoptr (SegueItem) item = decoder_decode (decoder, DECODER_MONO, path);

    g_assert_cmpfloat_with_epsilon (segue_item_get_double (item, SEGUE_META_DURATION, 0), 4, 0.15);
  }
}

/* Elements that push before decodebin has linked them used to lose one song in five. */
static void
test_again_and_again (DecoderFixture *fixture, gconstpointer decoder)
{
  static const guint formats[] = { 0, 3, 4, 5 };
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 0.2, 44100, 2, &n_frames);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    const TestFormat *format = &test_formats[formats[i]];
    char *path = decoder_path (fixture, format->name);

    test_write_audio (path, format, frames, n_frames, 44100, 2);
    g_ptr_array_add (paths, path);
  }
  for (guint i = 0; i < 80; i++) {
    g_autoptr (SegueItem) item =
      decoder_decode (decoder, DECODER_MONO, g_ptr_array_index (paths, i % G_N_ELEMENTS (formats)));

    g_assert_cmpuint (decoder_length (item), ==, 3200);
  }
}

typedef struct {
  gint made, alive; /* atomic */
} Pipelines;

static Pipelines pipelines;

static void
on_pipeline_gone (gpointer unused, GObject *where)
{
  g_atomic_int_add (&pipelines.alive, -1);
}

typedef GstTracer Watcher;
typedef GstTracerClass WatcherClass;
GType watcher_get_type (void);
G_DEFINE_TYPE (Watcher, watcher, GST_TYPE_TRACER)

static void
watcher_class_init (WatcherClass *class)
{
}

static void
watcher_init (Watcher *watcher)
{
}

/* A hook of GStreamer's tracers: every element when it is created, in any thread. */
static void
on_element_new (GObject *tracer, GstClockTime time, GstElement *element)
{
  if (!GST_IS_PIPELINE (element))
    return;
  g_object_weak_ref (G_OBJECT (element), on_pipeline_gone, NULL);
  g_atomic_int_inc (&pipelines.made);
  g_atomic_int_inc (&pipelines.alive);
}

/* Player and pipeline reference each other while they play; a finished song, however it ends, must
 * not leave them so: that would leak 100 kB per song. */
static void
test_nothing_stays (DecoderFixture *fixture, gconstpointer decoder)
{
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 2, 44100, 2, &n_frames);
  g_autofree char *path = decoder_path (fixture, "song.flac");
  g_autofree char *bytes = NULL;
  gsize length;

  test_write_audio (path, &test_formats[4], frames, n_frames, 44100, 2);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  pipelines = (Pipelines){ 0, 0 };
  for (guint i = 0; i < 6; i++) {
    static const char *const configs[] = { DECODER_MONO, "{ max_duration: 1, when_long: cut }",
                                           "{ completeness: 0 }" };
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) item = NULL;

    /* The second time without most of its frames. */
    g_assert_true (g_file_set_contents (path, bytes, i < 3 ? (gssize) length : 200, NULL));
    item = decoder_try (decoder, configs[i % 3], path, &error);
    g_assert_true ((item != NULL) == (i < 3));
  }
  for (guint i = 0; i < 12000 && g_atomic_int_get (&pipelines.alive) > 0; i++)
    g_usleep (5000);
  g_assert_cmpint (g_atomic_int_get (&pipelines.made), >=, 6);
  g_assert_cmpint (g_atomic_int_get (&pipelines.alive), ==, 0);
}

/* No thread gets a stack like that. */
static void
refuse_threads (void)
{
  pthread_attr_t attributes;

  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, (gsize) 1 << 46), ==, 0);
  g_assert_cmpint (pthread_setattr_default_np (&attributes), ==, 0);
  pthread_attr_destroy (&attributes);
}

/* The pipeline is abandoned, so the process exits without the leak check. */
static void
decode_without_threads (const TestDecoder *decoder, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) whole = decoder_decode (decoder, DECODER_MONO, path), none = NULL;

  /* GStreamer warns. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  refuse_threads ();
  /* A song that is accepted although incomplete is not accepted in this case. */
  none = decoder_try (decoder, "{ completeness: 0 }", path, &error);
  g_assert_null (none);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, "thread"));
  _exit (0);
}

/* GStreamer would wait forever for a thread that was never created. */
static void
test_no_threads (DecoderFixture *fixture, gconstpointer decoder)
{
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 2, 44100, 2, &n_frames);
  const char *given = g_getenv ("SEGUE_TEST_SONG");
  g_autofree char *path = decoder_path (fixture, "song.wav");

  if (g_test_subprocess ())
    decode_without_threads (decoder, given);
  test_write_audio (path, &test_formats[0], frames, n_frames, 44100, 2);
  g_setenv ("SEGUE_TEST_SONG", path, TRUE);
  g_test_trap_subprocess (NULL, 30 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv ("SEGUE_TEST_SONG");
  g_test_trap_assert_passed ();
}

static const TestDecoderCase cases[] = {
  { "more-formats", test_more_formats },
  { "more-cut-short", test_cut_short },
  { "video", test_video },
  { "chained", test_chained },
  { "again-and-again", test_again_and_again },
  { "nothing-stays", test_nothing_stays },
  { "no-threads", test_no_threads },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  const TestDecoder decoder = { .plugin = segue_plugin_query (),
                                .stage = "decode-gstreamer",
                                .fingerprint = { "GStreamer 1.", "soxr" },
                                .cases = cases };
  g_autoptr (GstTracer) watcher = NULL;
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  framework_init (&error);
  g_assert_no_error (error);
  watcher = g_object_new (watcher_get_type (), NULL);
  gst_tracing_register_hook (watcher, "element-new", G_CALLBACK (on_element_new));
  test_add_decoder (&decoder);
  return g_test_run ();
}
