#include "player.h"
#include "descriptor-source.h"
#include "task-threads.h"

#include <errno.h>
#include <gst/app/gstappsink.h>
#include <gst/audio/audio.h>
#include <gst/pbutils/missing-plugins.h>
#include <math.h>
#include <segue/error.h>
#include <string.h>

#define WAIT      (50 * G_TIME_SPAN_MILLISECOND)
#define STOP_WAIT (5 * G_TIME_SPAN_SECOND)
/* Consecutive waits without a thread that reads the file: by then all data read must have been output. */
#define STUCK_WAITS 20
/* A thread that is woken for each buffer, of 1,000 frames often, takes as long to wake as to work. So the reader
 * of the output is woken for this many at once, and the file's reader runs ahead of the decoder by the whole of a
 * usual song. */
#define BATCH       32
#define MAX_BUFFERS 64
#define AHEAD_BYTES (16u * 1024 * 1024)
/* The maximum time a thread is blocked while decodebin links the element that it belongs to. */
#define HOLD G_TIME_SPAN_SECOND

/* Shared with GStreamer's threads and with the thread that ends the pipeline: the last one frees it. */
struct _Player {
  GstElement *pipeline;
  GstElement *source;
  GstElement *convert;
  GstAppSink *sink;
  GstBus *bus;
  TaskThreads *threads;
  gboolean is_pausing; /* before its first buffer */

  GMutex lock; /* accessed by any thread: */
  GCond changed;
  gboolean is_linked;
  gboolean has_all_pads;
  gboolean is_stopped;
  guint n_samples; /* queued in the sink */
  gboolean is_over;
  GThread *finder; /* the thread that detects the file type: the first that reads */
  gboolean is_found;

  guint n_idle;      /* consecutive waits without data and without a working thread */
  GstSample *sample; /* mapped as @map, or NULL */
  GstMapInfo map;
  GstCaps *caps; /* @info was read from these */
  GstAudioInfo info;
  float *aligned; /* a copy, where a buffer does not start at a multiple of four bytes */
};

static void
clear_player (gpointer data)
{
  Player *self = data;

  g_clear_object (&self->bus);
  g_clear_object (&self->threads);
  gst_clear_object (&self->pipeline);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

static void
release_player (gpointer player, GClosure *unused)
{
  g_atomic_rc_box_release_full (player, clear_player);
}

static void
release_player_of_probe (gpointer player)
{
  release_player (player, NULL);
}

static void
on_pad_added (GstElement *decoder, GstPad *pad, gpointer data)
{
  Player *self = data;
  g_autoptr (GstPad) input = gst_element_get_static_pad (self->convert, "sink");
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  /* The first audio stream; others stay unlinked, which decodebin allows. The streams of a chained file come one
   * after the other, each after the last one's pad was removed. */
  if (!gst_pad_is_linked (input) && gst_pad_link (pad, input) == GST_PAD_LINK_OK)
    self->is_linked = TRUE;
}

static void
on_no_more_pads (GstElement *decoder, gpointer data)
{
  Player *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->has_all_pads = TRUE;
}

static void
connect (Player *self, GstElement *element, const char *signal, GCallback callback,
         GConnectFlags flags)
{
  g_signal_connect_data (element, signal, callback, g_atomic_rc_box_acquire (self), release_player,
                         flags);
}

/* decodebin detects the type of a file in one thread, and while it still links the element for it, that element
 * may pull and push in its own thread: into pads that are not linked yet, and its errors are dropped. So other
 * threads that read the file wait until the type's signal has been handled. */
static void
on_type_dealt_with (GstElement *finder, guint probability, GstCaps *caps, gpointer data)
{
  Player *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_found = TRUE;
  g_cond_broadcast (&self->changed);
}

static GstPadProbeReturn
on_pull (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Player *self = data;
  gint64 deadline = g_get_monotonic_time () + HOLD;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->finder)
    self->finder = g_thread_self ();
  while (!self->is_found && self->finder != g_thread_self () &&
         g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  return GST_PAD_PROBE_OK;
}

static void
hold_pulls (Player *self, GstElement *decoder)
{
  g_autoptr (GstElement) finder = gst_bin_get_by_name (GST_BIN (decoder), "typefind");
  g_autoptr (GstPad) source_pad = gst_element_get_static_pad (self->source, "src");

  if (!finder)
    return;
  connect (self, finder, "have-type", G_CALLBACK (on_type_dealt_with), G_CONNECT_AFTER);
  gst_pad_add_probe (source_pad, GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BUFFER, on_pull,
                     g_atomic_rc_box_acquire (self), release_player_of_probe);
}

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer data)
{
  Player *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (++self->n_samples >= BATCH)
    g_cond_broadcast (&self->changed);
  return GST_FLOW_OK;
}

/* Before the sink itself, which reports the end only when everything has been pulled. */
static GstPadProbeReturn
on_sink_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Player *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS) {
    self->is_over = TRUE;
    g_cond_broadcast (&self->changed);
  }
  return GST_PAD_PROBE_OK;
}

static void
watch_sink (Player *self)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  g_autoptr (GstPad) input = gst_element_get_static_pad (GST_ELEMENT (self->sink), "sink");

  gst_app_sink_set_callbacks (self->sink, &callbacks, g_atomic_rc_box_acquire (self),
                              release_player_of_probe);
  gst_pad_add_probe (input, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_sink_event,
                     g_atomic_rc_box_acquire (self), release_player_of_probe);
}

/* (transfer none): a new element of the pipeline; %NULL where it is not installed. */
static GstElement *
add_element (Player *self, const char *name, GError **error)
{
  GstElement *element = gst_element_factory_make (name, NULL);
  g_autoptr (GstElementFactory) factory = element ? NULL : gst_element_factory_find (name);

  if (element)
    gst_bin_add (GST_BIN (self->pipeline), element);
  else if (factory)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "GStreamer's ‘%s’ is installed, but can't be loaded: there is not enough memory "
                 "for it, or its file is damaged (check with ‘gst-inspect-1.0 %s’)",
                 name, name);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "GStreamer's ‘%s’ is not installed: install gstreamer1.0-plugins-base and -good",
                 name);
  return element;
}

static GstElement *
add_source (Player *self, int fd, const ProbePart *part, GError **error)
{
  GstElement *source = descriptor_source_new (fd, part);

  if (source)
    gst_bin_add (GST_BIN (self->pipeline), source);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "the song's file can't be opened again: %s", g_strerror (errno));
  return source;
}

static gboolean
build (Player *self, int fd, const ProbePart *part, GError **error)
{
  g_autoptr (GstCaps) raw = gst_caps_new_empty_simple ("audio/x-raw");
  g_autoptr (GstCaps) wanted =
    gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, GST_AUDIO_NE (F32), "layout",
                         G_TYPE_STRING, "interleaved", NULL);
  GstElement *decoder, *sink;

  self->pipeline = gst_pipeline_new (NULL);
  self->bus = gst_element_get_bus (self->pipeline);
  self->threads = task_threads_new ();
  task_threads_serve (self->threads, self->pipeline);
  if (!(self->source = add_source (self, fd, part, error)) ||
      !(decoder = add_element (self, "decodebin", error)) ||
      !(self->convert = add_element (self, "audioconvert", error)) ||
      !(sink = add_element (self, "appsink", error)))
    return FALSE;
  self->sink = GST_APP_SINK (sink);
  g_object_set (decoder, "caps", raw, "expose-all-streams", FALSE, "max-size-bytes", AHEAD_BYTES,
                "max-size-buffers", G_MAXINT, "max-size-time", (guint64) G_MAXINT64, NULL);
  /* A bounded queue: the decoder waits for the resampler, never the other way round. */
  g_object_set (sink, "caps", wanted, "sync", FALSE, "max-buffers", MAX_BUFFERS,
                "enable-last-sample", FALSE, NULL);
  watch_sink (self);
  gst_element_link (self->source, decoder);
  gst_element_link (self->convert, sink);
  hold_pulls (self, decoder);
  connect (self, decoder, "pad-added", G_CALLBACK (on_pad_added), 0);
  connect (self, decoder, "no-more-pads", G_CALLBACK (on_no_more_pads), 0);
  return TRUE;
}

static void
drop_sample (Player *self)
{
  if (!self->sample)
    return;
  gst_buffer_unmap (gst_sample_get_buffer (self->sample), &self->map);
  g_clear_pointer (&self->sample, gst_sample_unref);
}

/* Maps GStreamer's errors to segue's: caused by the file or by the environment? */
static void
translate (const GError *problem, gboolean is_about_reading, const char *missing, GError **error)
{
  if (missing)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED,
                 "needs a decoder that is not installed (%s): install gstreamer1.0-plugins-good, "
                 "-bad, -ugly and gstreamer1.0-libav",
                 missing);
  else if (g_error_matches (problem, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    /* decodebin's report that it ignored all streams. */
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "contains no audio stream");
  else if (g_error_matches (problem, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND) ||
           g_error_matches (problem, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED,
                 "is not audio in any known format: %s", problem->message);
  else if (is_about_reading &&
           g_error_matches (problem, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't be read: %s", problem->message);
  else if (is_about_reading)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "can't be read: %s", problem->message);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "can't be decoded: %s",
                 problem->message);
}

/* The first error on the bus; a message about a missing decoder comes before it. */
static gboolean
take_error (Player *self, GError **error)
{
  g_autofree char *missing = NULL;
  GstMessage *message;
  gboolean found = FALSE;

  while (!found &&
         (message = gst_bus_pop_filtered (self->bus, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) problem = NULL;

      gst_message_parse_error (message, &problem, NULL);
      translate (problem, GST_MESSAGE_SRC (message) == GST_OBJECT (self->source), missing, error);
      found = TRUE;
    } else if (!missing && gst_is_missing_plugin_message (message)) {
      missing = gst_missing_plugin_message_get_description (message);
    }
    gst_message_unref (message);
  }
  return found;
}

static gboolean
has_no_audio (Player *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->has_all_pads && !self->is_linked;
}

/* Whether a thread reads data from the file: the source's own, or that of an element that pulls. */
static void
look_for_reader (const GValue *value, gpointer is_read)
{
  GstPad *pad = g_value_get_object (value);
  GstObject *parent = GST_OBJECT_PARENT (pad);
  gboolean reads =
    GST_PAD_IS_SINK (pad) || (parent && GST_OBJECT_FLAG_IS_SET (parent, GST_ELEMENT_FLAG_SOURCE));

  if (reads && gst_pad_get_task_state (pad) == GST_TASK_STARTED)
    *(gboolean *) is_read = TRUE;
}

static void
look_into_element (const GValue *value, gpointer is_read)
{
  GstIterator *pads = gst_element_iterate_pads (g_value_get_object (value));

  while (gst_iterator_foreach (pads, look_for_reader, is_read) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (pads);
  gst_iterator_free (pads);
}

static gboolean
is_stuck (Player *self)
{
  GstIterator *elements = gst_bin_iterate_recurse (GST_BIN (self->pipeline));
  gboolean is_read = FALSE;

  while (gst_iterator_foreach (elements, look_into_element, &is_read) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
  gst_iterator_free (elements);
  self->n_idle = is_read ? 0 : self->n_idle + 1;
  return self->n_idle >= STUCK_WAITS;
}

Player *
player_new (int fd, const ProbePart *part, GError **error)
{
  Player *self = g_atomic_rc_box_new0 (Player);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  if (!build (self, fd, part, error)) {
    release_player (self, NULL);
    return NULL;
  }
  /* A failure is on the bus, where the first pull reads it. */
  gst_element_set_state (self->pipeline, GST_STATE_PAUSED);
  self->is_pausing = TRUE;
  return self;
}

/* A pipeline that is set to play directly is changed from paused to playing by a thread of GLib's pool, and hangs
 * where that thread can't be created. So player_pull () makes that change itself. */
static void
play_once_paused (Player *self)
{
  GstState state;
  GstStateChangeReturn change =
    gst_element_get_state (self->pipeline, &state, NULL, WAIT * GST_USECOND);

  /* An element without a thread counts as paused, but waiting for it would never end. */
  if (change == GST_STATE_CHANGE_SUCCESS && state == GST_STATE_PAUSED &&
      !task_threads_are_refused (self->threads, NULL))
    gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  self->is_pausing = change == GST_STATE_CHANGE_ASYNC;
}

static gboolean
read_sample (Player *self, PlayerBlock *block, GError **error)
{
  GstCaps *caps = gst_sample_get_caps (self->sample);
  GstBuffer *buffer = gst_sample_get_buffer (self->sample);

  if (caps != self->caps) {
    if (!caps || !gst_audio_info_from_caps (&self->info, caps)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED,
                           "can't be decoded: no format");
      g_clear_pointer (&self->sample, gst_sample_unref);
      return FALSE;
    }
    gst_caps_replace (&self->caps, caps);
  }
  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "not enough memory for the decoded audio");
    g_clear_pointer (&self->sample, gst_sample_unref);
    return FALSE;
  }
  block->rate = (guint) GST_AUDIO_INFO_RATE (&self->info);
  block->channels = (guint) GST_AUDIO_INFO_CHANNELS (&self->info);
  block->n_frames = self->map.size / (gsize) GST_AUDIO_INFO_BPF (&self->info);
  block->frames = (const float *) (gconstpointer) self->map.data;
  if (GPOINTER_TO_SIZE (self->map.data) % sizeof (float) != 0) {
    g_free (self->aligned);
    self->aligned = g_memdup2 (self->map.data, self->map.size);
    block->frames = self->aligned;
  }
  return TRUE;
}

/* ns that the sink may take until it has a sample, or has reached the end. */
static GstClockTime
wait_for_samples (Player *self)
{
  gint64 deadline = g_get_monotonic_time () + WAIT;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->n_samples < BATCH && !self->is_over &&
         g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  return self->is_over ? WAIT * GST_USECOND : 0;
}

/* The sink's next sample; NULL: none. A sample may be pulled before it is counted: the count then stays at 0. */
static GstSample *
take_sample (Player *self, GstClockTime wait)
{
  GstSample *sample = gst_app_sink_try_pull_sample (self->sink, wait);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_samples = sample && self->n_samples > 0 ? self->n_samples - 1 : 0;
  return sample;
}

PlayerResult
player_pull (Player *self, PlayerBlock *block, GError **error)
{
  drop_sample (self);
  if (self->is_pausing)
    play_once_paused (self);
  self->sample = take_sample (self, 0);
  if (!self->sample && !self->is_pausing)
    self->sample = take_sample (self, wait_for_samples (self));
  if (self->sample) {
    self->n_idle = 0;
    return read_sample (self, block, error) ? PLAYER_FRAMES : PLAYER_FAILED;
  }
  if (task_threads_are_refused (self->threads, error) || take_error (self, error))
    return PLAYER_FAILED;
  if (gst_app_sink_is_eos (self->sink))
    return PLAYER_END;
  if (has_no_audio (self)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "contains no audio stream");
    return PLAYER_FAILED;
  }
  return is_stuck (self) ? PLAYER_STUCK : PLAYER_NOTHING_YET;
}

double
player_get_duration (Player *self)
{
  gint64 duration;

  if (!gst_element_query_duration (self->pipeline, GST_FORMAT_TIME, &duration) || duration <= 0)
    return NAN;
  return (double) duration / GST_SECOND;
}

static gpointer
stop_in_thread (gpointer data)
{
  Player *self = data;

  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  /* Its signals reference the player, and the player references it: this breaks the cycle. */
  gst_clear_object (&self->pipeline);
  g_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  release_player (self, NULL);
  return NULL;
}

/* Ending a pipeline waits for its threads, and some decoders never return. */
static gboolean
stop_in_time (Player *self)
{
  gint64 deadline = g_get_monotonic_time () + STOP_WAIT;
  gboolean is_stopped;
  GThread *thread =
    g_thread_try_new ("segue-decode-stop", stop_in_thread, g_atomic_rc_box_acquire (self), NULL);
  if (thread)
    g_thread_unref (thread);
  else
    stop_in_thread (self);
  g_mutex_lock (&self->lock);
  while (!self->is_stopped && g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  is_stopped = self->is_stopped;
  g_mutex_unlock (&self->lock);
  return is_stopped;
}

gboolean
player_stop (Player *self)
{
  gboolean is_stopped = TRUE;

  drop_sample (self);
  gst_clear_caps (&self->caps);
  g_clear_pointer (&self->aligned, g_free);
  if (!task_threads_are_refused (self->threads, NULL))
    is_stopped = stop_in_time (self);
  release_player (self, NULL);
  return is_stopped;
}
