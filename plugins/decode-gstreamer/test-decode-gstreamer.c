/* Tests of decode-gstreamer: the guarantees of every decoder, and those specific to GStreamer. */
#include "framework.h"
#include "testing.h"

/* Its hooks have existed for years, and are still declared unstable. */
#define GST_USE_UNSTABLE_API 1
#include <gst/gst.h>
#include <gst/gsttracer.h>
#include <pthread.h>
#include <segue/file.h>
#include <string.h>
#include <unistd.h>

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

/* Runs a pipeline that writes @name; %NULL where an element is not installed. */
static char *
make_file (Fixture *fixture, const char *name, const char *description)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (fixture->folder, name, NULL);
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

static SegueItem *
decode (const char *config, const char *path, GError **error)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "decode-gstreamer", config);
  g_autoptr (SegueItem) file = segue_item_new_file ("song", path);

  return segue_harness_try_push (harness, file, error) ? segue_harness_pull (harness) : NULL;
}

static void
assert_tone (const char *path, double seconds)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) item = decode ("{}", path, &error);

  g_assert_no_error (error);
  g_test_message ("%s: %.3f s, level %.2f dB, rest %.1f dB", path,
                  segue_item_get_double (item, SEGUE_META_DURATION, 0), test_level_db (item, 440),
                  test_residue_db (item, 440));
  g_assert_cmpfloat_with_epsilon (segue_item_get_double (item, SEGUE_META_DURATION, 0), seconds,
                                  0.15);
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 440), -6.02, 0.5);
  g_assert_cmpfloat (test_residue_db (item, 440), <, -35);
}

static void
test_more_formats (Fixture *fixture, gconstpointer unused)
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

    if (!path)
      continue;
    if (g_str_has_suffix (path, ".spx")) {
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueItem) item = decode ("{}", path, &error);

      g_assert_no_error (error);
    } else {
      assert_tone (path, 4);
    }
    n++;
  }
  g_test_message ("%u formats", n);
}

static void
test_cut_short (Fixture *fixture, gconstpointer unused)
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
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) item = NULL;
    gsize length;

    if (!path)
      continue;
    g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
    g_assert_true (g_file_set_contents (path, bytes, (gssize) (length * 7 / 10), NULL));
    item = decode ("{}", path, &error);
    g_test_message ("%s: %s", formats[i].name, error ? error->message : "taken");
    g_assert_null (item);
    g_assert_true (segue_error_is_lasting (error));
  }
}

static void
test_video (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *both = make_file (
    fixture, "both.ogg",
    "oggmux name=m " TONE (3) "vorbisenc ! queue ! m. " VIDEO (3) "theoraenc ! queue ! m. m.");
  g_autofree char *mute = make_file (fixture, "mute.ogg", VIDEO (3) "theoraenc ! oggmux");
  g_autofree char *mkv = make_file (fixture, "mute.mp3", VIDEO (3) "theoraenc ! matroskamux");
  const char *silent[] = { mute, mkv };

  if (both)
    assert_tone (both, 3);
  for (guint i = 0; i < G_N_ELEMENTS (silent); i++) {
    g_autoptr (GError) error = NULL;
    gint64 started = g_get_monotonic_time ();

    if (!silent[i])
      continue;
    g_assert_null (decode ("{}", silent[i], &error));
    g_assert_true (segue_error_is_lasting (error));
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, "audio"));
    g_assert_cmpint (g_get_monotonic_time () - started, <, 20 * G_TIME_SPAN_SECOND);
  }
}

/* Two concatenated songs, at different rates. */
static void
test_chained (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *first = make_file (fixture, "1.ogg", TONE (2) "vorbisenc quality=0.9 ! oggmux");
  g_autofree char *second =
    make_file (fixture, "2.ogg",
               TONE (2) "audioresample ! audio/x-raw,rate=32000 ! vorbisenc quality=0.9 ! oggmux");
  g_autofree char *path = g_build_filename (fixture->folder, "chain.ogg", NULL);
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
  g_assert_true (g_file_set_contents (path, (char *) both->data, (gssize) both->len, NULL));
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) item = decode ("{}", path, &error);

    g_assert_no_error (error);
    g_assert_cmpfloat_with_epsilon (segue_item_get_double (item, SEGUE_META_DURATION, 0), 4, 0.15);
  }
}

/* Elements that push before decodebin has linked them used to lose one song in five. */
static void
test_again_and_again (Fixture *fixture, gconstpointer unused)
{
  static const guint formats[] = { 0, 3, 4, 5 };
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 0.2, 44100, 2, &n_frames);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    const TestFormat *format = &test_formats[formats[i]];
    char *path = g_build_filename (fixture->folder, format->name, NULL);

    test_write_audio (path, format, frames, n_frames, 44100, 2);
    g_ptr_array_add (paths, path);
  }
  for (guint i = 0; i < 80; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) item =
      decode ("{}", g_ptr_array_index (paths, i % G_N_ELEMENTS (formats)), &error);

    g_assert_no_error (error);
    segue_item_get_frames (item, &n_frames);
    g_assert_cmpuint (n_frames, ==, 3200);
  }
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
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 300, 44100, 2, &n_frames);
  g_autofree char *path = g_build_filename (fixture->folder, "long.flac", NULL);
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "decode-gstreamer", "{}");
  g_autoptr (SegueItem) file = segue_item_new_file ("song", path);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  test_write_audio (path, &test_formats[4], frames, n_frames, 44100, 2);
  thread = g_thread_new ("cancel", cancel_soon, segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_thread_join (thread);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
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
test_nothing_stays (Fixture *fixture, gconstpointer unused)
{
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 2, 44100, 2, &n_frames);
  g_autofree char *path = g_build_filename (fixture->folder, "song.flac", NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  test_write_audio (path, &test_formats[4], frames, n_frames, 44100, 2);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  pipelines = (Pipelines){ 0, 0 };
  for (guint i = 0; i < 6; i++) {
    static const char *const configs[] = { "{}", "{ max_duration: 1, when_long: cut }",
                                           "{ completeness: 0 }" };
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) item = NULL;

    /* The second time without most of its frames. */
    g_assert_true (g_file_set_contents (path, bytes, i < 3 ? (gssize) length : 200, NULL));
    item = decode (configs[i % 3], path, &error);
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
decode_without_threads (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) whole = decode ("{}", path, &error), none = NULL;

  g_assert_no_error (error);
  /* GStreamer warns. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  refuse_threads ();
  /* A song that is accepted although incomplete is not accepted in this case. */
  none = decode ("{ completeness: 0 }", path, &error);
  g_assert_null (none);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
  g_assert_nonnull (strstr (error->message, "thread"));
  _exit (0);
}

/* GStreamer would wait forever for a thread that was never created. */
static void
test_no_threads (Fixture *fixture, gconstpointer unused)
{
  gsize n_frames;
  g_autofree float *frames = test_sines (440, 2, 44100, 2, &n_frames);
  const char *given = g_getenv ("SEGUE_TEST_SONG");
  g_autofree char *path = g_build_filename (fixture->folder, "song.wav", NULL);

  if (g_test_subprocess ())
    decode_without_threads (given);
  test_write_audio (path, &test_formats[0], frames, n_frames, 44100, 2);
  g_setenv ("SEGUE_TEST_SONG", path, TRUE);
  g_test_trap_subprocess (NULL, 30 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv ("SEGUE_TEST_SONG");
  g_test_trap_assert_passed ();
}

static void
test_fingerprint (void)
{
  const SegueStageType *type = segue_plugin_query ()->stages[0];
  g_autofree char *first = type->fingerprint (NULL), *again = type->fingerprint (NULL);

  g_test_message ("%s", first);
  g_assert_cmpstr (first, ==, again);
  g_assert_nonnull (strstr (first, "GStreamer 1."));
  g_assert_nonnull (strstr (first, "soxr"));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/decode-gstreamer/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_autoptr (GstTracer) watcher = NULL;
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  framework_init (&error);
  g_assert_no_error (error);
  watcher = g_object_new (watcher_get_type (), NULL);
  gst_tracing_register_hook (watcher, "element-new", G_CALLBACK (on_element_new));
  test_add_decoder (segue_plugin_query (), "decode-gstreamer");
  ADD ("more-formats", test_more_formats);
  ADD ("more-cut-short", test_cut_short);
  ADD ("video", test_video);
  ADD ("chained", test_chained);
  ADD ("again-and-again", test_again_and_again);
  ADD ("cancel-on-the-way", test_cancel_on_the_way);
  ADD ("nothing-stays", test_nothing_stays);
  ADD ("no-threads", test_no_threads);
  g_test_add_func ("/decode-gstreamer/fingerprint", test_fingerprint);
  return g_test_run ();
}
