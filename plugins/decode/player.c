#include "player.h"

#include <gst/app/gstappsink.h>
#include <gst/audio/audio.h>
#include <gst/pbutils/missing-plugins.h>
#include <math.h>
#include <segue/error.h>
#include <string.h>

#define WAIT      (50 * GST_MSECOND)
#define STOP_WAIT (5 * G_TIME_SPAN_SECOND)

/* Shared with GStreamer's threads and with the thread that ends the pipeline: whoever is last
 * frees it. */
struct _Player {
  GstElement *pipeline;
  GstElement *convert;
  GstAppSink *sink;
  GstBus *bus;

  GMutex lock; /* what any thread may touch: */
  GCond changed;
  gboolean is_linked;
  gboolean has_all_pads;
  gboolean is_stopped;

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
on_pad_added (GstElement *decoder, GstPad *pad, gpointer data)
{
  Player *self = data;
  g_autoptr (GstPad) input = gst_element_get_static_pad (self->convert, "sink");
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  /* The first audio stream; others stay unlinked, which decodebin takes.  The streams of a chained
   * file come one after the other, each when the last one's pad is gone. */
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
connect (Player *self, GstElement *decoder, const char *signal, GCallback callback)
{
  g_signal_connect_data (decoder, signal, callback, g_atomic_rc_box_acquire (self), release_player,
                         0);
}

/* (transfer none): a new element of the pipeline; %NULL where it is not installed. */
static GstElement *
add_element (Player *self, const char *name, GError **error)
{
  GstElement *element = gst_element_factory_make (name, NULL);

  if (element)
    gst_bin_add (GST_BIN (self->pipeline), element);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "GStreamer's ‘%s’ is not installed: install gstreamer1.0-plugins-base and -good",
                 name);
  return element;
}

static gboolean
build (Player *self, const char *path, const char *demuxer, GError **error)
{
  g_autoptr (GstCaps) raw = gst_caps_new_empty_simple ("audio/x-raw");
  g_autoptr (GstCaps) wanted =
    gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, GST_AUDIO_NE (F32), "layout",
                         G_TYPE_STRING, "interleaved", NULL);
  GstElement *source, *demux = NULL, *decoder, *sink;

  self->pipeline = gst_pipeline_new (NULL);
  self->bus = gst_element_get_bus (self->pipeline);
  if (!(source = add_element (self, "filesrc", error)) ||
      (demuxer && !(demux = add_element (self, demuxer, error))) ||
      !(decoder = add_element (self, "decodebin", error)) ||
      !(self->convert = add_element (self, "audioconvert", error)) ||
      !(sink = add_element (self, "appsink", error)))
    return FALSE;
  self->sink = GST_APP_SINK (sink);
  g_object_set (source, "location", path, NULL);
  g_object_set (decoder, "caps", raw, "expose-all-streams", FALSE, NULL);
  /* A bounded queue: the decoder waits for the resampler, never the other way round. */
  g_object_set (sink, "caps", wanted, "sync", FALSE, "max-buffers", 8, "enable-last-sample", FALSE,
                NULL);
  if (demux)
    gst_element_link_many (source, demux, decoder, NULL);
  else
    gst_element_link (source, decoder);
  gst_element_link (self->convert, sink);
  connect (self, decoder, "pad-added", G_CALLBACK (on_pad_added));
  connect (self, decoder, "no-more-pads", G_CALLBACK (on_no_more_pads));
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

/* GStreamer's errors in our words: whose fault is it? */
static void
translate (const GError *problem, const char *missing, GError **error)
{
  if (missing)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "needs a decoder that is not installed (%s): install gstreamer1.0-plugins-good, "
                 "-bad, -ugly and gstreamer1.0-libav",
                 missing);
  else if (g_error_matches (problem, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    /* decodebin's way to say that it let all streams pass by. */
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "holds no audio stream");
  else if (g_error_matches (problem, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND) ||
           g_error_matches (problem, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "is not audio in any known format: %s",
                 problem->message);
  else if (g_error_matches (problem, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't be read: %s", problem->message);
  else if (g_error_matches (problem, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) ||
           g_error_matches (problem, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "can't be read: %s", problem->message);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't be decoded: %s", problem->message);
}

/* The first error on the bus; a note about a missing decoder comes before it. */
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
      translate (problem, missing, error);
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

Player *
player_new (const char *path, const char *demuxer, GError **error)
{
  Player *self = g_atomic_rc_box_new0 (Player);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  if (!build (self, path, demuxer, error)) {
    release_player (self, NULL);
    return NULL;
  }
  /* A failure is on the bus, where the first pull finds it. */
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  return self;
}

static gboolean
read_sample (Player *self, PlayerBlock *block, GError **error)
{
  GstCaps *caps = gst_sample_get_caps (self->sample);
  GstBuffer *buffer = gst_sample_get_buffer (self->sample);

  if (caps != self->caps) {
    if (!caps || !gst_audio_info_from_caps (&self->info, caps)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't be decoded: no format");
      g_clear_pointer (&self->sample, gst_sample_unref);
      return FALSE;
    }
    gst_caps_replace (&self->caps, caps);
  }
  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "no memory for decoded audio");
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

PlayerResult
player_pull (Player *self, PlayerBlock *block, GError **error)
{
  drop_sample (self);
  self->sample = gst_app_sink_try_pull_sample (self->sink, WAIT);
  if (self->sample)
    return read_sample (self, block, error) ? PLAYER_FRAMES : PLAYER_FAILED;
  if (take_error (self, error))
    return PLAYER_FAILED;
  if (gst_app_sink_is_eos (self->sink))
    return PLAYER_END;
  if (has_no_audio (self)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "holds no audio stream");
    return PLAYER_FAILED;
  }
  return PLAYER_NOTHING_YET;
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
  g_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  release_player (self, NULL);
  return NULL;
}

gboolean
player_stop (Player *self)
{
  gint64 deadline = g_get_monotonic_time () + STOP_WAIT;
  gboolean is_stopped;

  drop_sample (self);
  gst_clear_caps (&self->caps);
  g_clear_pointer (&self->aligned, g_free);
  /* Ending a pipeline waits for its threads, and some decoders never come back. */
  g_thread_unref (
    g_thread_new ("segue-decode-stop", stop_in_thread, g_atomic_rc_box_acquire (self)));
  g_mutex_lock (&self->lock);
  while (!self->is_stopped && g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  is_stopped = self->is_stopped;
  g_mutex_unlock (&self->lock);
  release_player (self, NULL);
  return is_stopped;
}
