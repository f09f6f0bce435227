#include "testing-encode.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>

#define MAX_TRACKS  4
#define WIDTH       64
#define HEIGHT      48
#define PICTURES    10 /* a second */
#define USUAL_FRAME 1024

typedef struct {
  const TestTrack *asked;
  AVCodecContext *encoder;
  AVStream *stream;
  AVFrame *frame;
  gint64 at, end; /* in samples or pictures */
} Track;

static void
set_sound (AVCodecContext *encoder, const AVCodec *codec, guint rate)
{
  encoder->sample_fmt = codec->sample_fmts[0];
  encoder->sample_rate = (int) rate;
  encoder->bit_rate = 192000;
  encoder->time_base = (AVRational){ 1, (int) rate };
  av_channel_layout_default (&encoder->ch_layout, 2);
}

static void
set_pictures (AVCodecContext *encoder, const AVCodec *codec)
{
  encoder->pix_fmt = codec->pix_fmts[0];
  encoder->width = WIDTH;
  encoder->height = HEIGHT;
  encoder->time_base = (AVRational){ 1, PICTURES };
}

static void
make_frame (Track *track)
{
  const AVCodecContext *encoder = track->encoder;

  track->frame = av_frame_alloc ();
  if (track->asked->rate) {
    track->frame->format = encoder->sample_fmt;
    track->frame->sample_rate = encoder->sample_rate;
    track->frame->nb_samples = encoder->frame_size > 0 ? encoder->frame_size : USUAL_FRAME;
    g_assert_cmpint (av_channel_layout_copy (&track->frame->ch_layout, &encoder->ch_layout), ==, 0);
  } else {
    track->frame->format = encoder->pix_fmt;
    track->frame->width = WIDTH;
    track->frame->height = HEIGHT;
  }
  g_assert_cmpint (av_frame_get_buffer (track->frame, 0), ==, 0);
}

static gboolean
open_track (Track *track, AVFormatContext *format, double seconds)
{
  const AVCodec *codec = avcodec_find_encoder_by_name (track->asked->codec);

  if (!codec)
    return FALSE;
  if (track->asked->seconds > 0)
    seconds = track->asked->seconds;
  track->encoder = avcodec_alloc_context3 (codec);
  track->encoder->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  if (track->asked->rate)
    set_sound (track->encoder, codec, track->asked->rate);
  else
    set_pictures (track->encoder, codec);
  if (format->oformat->flags & AVFMT_GLOBALHEADER)
    track->encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  g_assert_cmpint (avcodec_open2 (track->encoder, codec, NULL), ==, 0);
  track->stream = avformat_new_stream (format, NULL);
  track->stream->time_base = track->encoder->time_base;
  avcodec_parameters_from_context (track->stream->codecpar, track->encoder);
  track->end = llround (seconds * (track->asked->rate ? track->asked->rate : PICTURES));
  make_frame (track);
  return TRUE;
}

static void
put_sample (const AVFrame *frame, int i, int c, double x)
{
  enum AVSampleFormat format = (enum AVSampleFormat) frame->format;
  gboolean is_planar = av_sample_fmt_is_planar (format);
  guint8 *plane = frame->extended_data[is_planar ? c : 0];
  int at = is_planar ? i : i * frame->ch_layout.nb_channels + c;

  switch (av_get_packed_sample_fmt (format)) {
  case AV_SAMPLE_FMT_U8:
    plane[at] = (guint8) lrint (x * 0x1p7 + 128);
    break;
  case AV_SAMPLE_FMT_S16:
    ((gint16 *) (gpointer) plane)[at] = (gint16) lrint (x * 0x1p15);
    break;
  case AV_SAMPLE_FMT_S32:
    ((gint32 *) (gpointer) plane)[at] = (gint32) lrint (x * 0x1p31);
    break;
  case AV_SAMPLE_FMT_S64:
    ((gint64 *) (gpointer) plane)[at] = (gint64) llrint (x * 0x1p63);
    break;
  case AV_SAMPLE_FMT_FLT:
    ((float *) (gpointer) plane)[at] = (float) x;
    break;
  case AV_SAMPLE_FMT_DBL:
    ((double *) (gpointer) plane)[at] = x;
    break;
  default:
    g_assert_not_reached ();
  }
}

static void
draw_sound (Track *track)
{
  AVFrame *frame = track->frame;

  frame->nb_samples = (int) MIN (frame->nb_samples, track->end - track->at);
  for (int i = 0; i < frame->nb_samples; i++)
    for (int c = 0; c < frame->ch_layout.nb_channels; c++)
      put_sample (
        frame, i, c,
        0.5 * sin (2 * G_PI * track->asked->hz * (double) (track->at + i) / track->asked->rate));
}

static void
draw_picture (Track *track)
{
  for (int plane = 0; plane < 3; plane++)
    for (int i = 0; i < track->frame->linesize[plane] * HEIGHT / (plane ? 2 : 1); i++)
      track->frame->data[plane][i] = (guint8) (i + track->at);
}

static void
write_packets (Track *track, AVFormatContext *format)
{
  AVPacket *packet = av_packet_alloc ();

  while (avcodec_receive_packet (track->encoder, packet) == 0) {
    av_packet_rescale_ts (packet, track->encoder->time_base, track->stream->time_base);
    packet->stream_index = track->stream->index;
    g_assert_cmpint (av_interleaved_write_frame (format, packet), ==, 0);
  }
  av_packet_free (&packet);
}

static void
encode_frame (Track *track, AVFormatContext *format)
{
  g_assert_cmpint (av_frame_make_writable (track->frame), ==, 0);
  track->frame->pts = track->at;
  if (track->asked->rate)
    draw_sound (track);
  else
    draw_picture (track);
  track->at += track->asked->rate ? track->frame->nb_samples : 1;
  g_assert_cmpint (avcodec_send_frame (track->encoder, track->frame), ==, 0);
  write_packets (track, format);
}

/* The track with the least progress. */
static Track *
next_track (Track *tracks, guint n)
{
  Track *least = NULL;

  for (guint i = 0; i < n; i++)
    if (tracks[i].at < tracks[i].end &&
        (!least || tracks[i].at * least->end < least->at * tracks[i].end))
      least = &tracks[i];
  return least;
}

static void
encode_all (Track *tracks, guint n, AVFormatContext *format, const char *path)
{
  Track *track;

  g_assert_cmpint (avio_open (&format->pb, path, AVIO_FLAG_WRITE), ==, 0);
  g_assert_cmpint (avformat_write_header (format, NULL), >=, 0);
  while ((track = next_track (tracks, n)))
    encode_frame (track, format);
  for (guint i = 0; i < n; i++) {
    avcodec_send_frame (tracks[i].encoder, NULL);
    write_packets (&tracks[i], format);
  }
  g_assert_cmpint (av_write_trailer (format), >=, 0);
  avio_closep (&format->pb);
}

gboolean
test_encode (const char *path, const char *container, const TestTrack *asked, double seconds)
{
  Track tracks[MAX_TRACKS] = { 0 };
  AVFormatContext *format = NULL;
  int level = av_log_get_level ();
  gboolean ok = TRUE;
  guint n = 0;

  av_log_set_level (AV_LOG_QUIET);
  if (avformat_alloc_output_context2 (&format, NULL, container, path) < 0)
    return FALSE;
  for (; ok && asked[n].codec; n++) {
    g_assert_cmpuint (n, <, MAX_TRACKS);
    tracks[n].asked = &asked[n];
    ok = open_track (&tracks[n], format, seconds);
  }
  if (ok)
    encode_all (tracks, n, format, path);
  else
    g_test_message ("%s can't be written here", path);
  for (guint i = 0; i < n; i++) {
    av_frame_free (&tracks[i].frame);
    avcodec_free_context (&tracks[i].encoder);
  }
  avformat_free_context (format);
  av_log_set_level (level);
  return ok;
}
