#include "reader.h"
#include "formats.h"
#include "input.h"
#include "samples.h"

#include <math.h>

/* Samples of a frame in each channel: 20 s at the highest rate; the longest that encoders write last a few. */
#define MAX_FRAME (1 << 22)

/* Bytes of the index of packets read, which only serves seeking back. */
#define MAX_INDEX 2048

static const char unreadable[] =
  "can't be decoded: its data is damaged, or in a format that FFmpeg does not support; get another "
  "copy, or export it as WAV or FLAC";

struct _Reader {
  Song *song;
  Input *input;
  AVFormatContext *format;
  const AVStream *stream; /* of @format */
  AVCodecContext *codec;
  AVPacket *packet;
  AVFrame *frame;
  Samples samples;
  gboolean is_draining; /* all packets were sent to the decoder */
  int problem;          /* libav's: the last packet that could not be decoded; 0: none */
  gboolean has_begun;
  double first;    /* s: the time stamp of the first frame, which is at 0; NAN: not known */
  gboolean jumps;  /* packets are omitted up to the part that is needed */
  gboolean landed; /* the next frame is the first after the gap */
};

/* Maps libav's errors to segue's: caused by the file or by the environment? */
static gboolean
fail (const Reader *self, int number, const char *what, GError **error)
{
  char text[AV_ERROR_MAX_STRING_SIZE] = "";

  if (self->input && input_failed (self->input, error))
    return FALSE;
  if (number == AVERROR (ENOMEM) && libav_out_of_memory ())
    return song_error (self->song, error, SEGUE_ERROR_RESOURCE,
                       "can't be decoded: out of memory; decode fewer songs at once (-j)");
  /* The format is not allowed, or unknown; libav's message adds nothing. */
  if (number == AVERROR (EINVAL) || number == AVERROR_INVALIDDATA)
    return song_error (self->song, error, SEGUE_ERROR_UNSUPPORTED, "%s", what);
  libav.av_strerror (number, text, sizeof text);
  return song_error (self->song, error, SEGUE_ERROR_UNSUPPORTED, "%s: %s", what, text);
}

/* A container that refers to other files can't open them. */
static int
refuse_file (AVFormatContext *format, AVIOContext **io, const char *url, int flags,
             AVDictionary **options)
{
  *io = NULL;
  return AVERROR (EPERM);
}

static gboolean
open_container (Reader *self, const ProbePart *part, GError **error)
{
  int result;

  self->input = input_new (self->song, part);
  self->format = libav.avformat_alloc_context ();
  if (!self->input || !self->format)
    return fail (self, AVERROR (ENOMEM), "can't be decoded", error);
  self->format->pb = input_get_io (self->input);
  self->format->flags |= AVFMT_FLAG_CUSTOM_IO;
  self->format->io_open = refuse_file;
  self->format->max_index_size = MAX_INDEX;
  self->format->protocol_whitelist = libav.av_strdup ("");
  self->format->format_whitelist = libav.av_strdup (formats_containers);
  self->format->codec_whitelist = libav.av_strdup (formats_codecs ());
  if (!self->format->protocol_whitelist || !self->format->format_whitelist ||
      !self->format->codec_whitelist)
    return fail (self, AVERROR (ENOMEM), "can't be decoded", error);
  /* Frees the format on failure. */
  result = libav.avformat_open_input (&self->format, NULL, NULL, NULL);
  if (result < 0)
    return fail (
      self, result,
      result == AVERROR (EINVAL)
        ? "is not audio in any known format; export it as WAV or FLAC"
        : "is not audio in any known format, or is damaged at its beginning; get another "
          "copy, or export it as WAV or FLAC",
      error);
  result = libav.avformat_find_stream_info (self->format, NULL);
  return result >= 0 || fail (self, result, unreadable, error);
}

/* The first audio stream that can be decoded. */
static gboolean
choose_stream (Reader *self, const AVCodec **decoder, GError **error)
{
  const AVStream *undecodable = NULL;

  for (guint i = 0; i < self->format->nb_streams; i++) {
    AVStream *stream = self->format->streams[i];
    gboolean is_audio = stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;

    stream->discard = AVDISCARD_ALL;
    if (!is_audio || self->stream)
      continue;
    if ((*decoder = formats_find_decoder (stream->codecpar->codec_id))) {
      stream->discard = AVDISCARD_DEFAULT;
      self->stream = stream;
    } else if (!undecodable) {
      undecodable = stream;
    }
  }
  if (self->stream)
    return TRUE;
  if (input_failed (self->input, error))
    return FALSE;
  if (undecodable && undecodable->codecpar->codec_id != AV_CODEC_ID_NONE)
    return song_error (self->song, error, SEGUE_ERROR_UNSUPPORTED,
                       "is in a format that decode-libav does not read (%s)",
                       libav.avcodec_get_name (undecodable->codecpar->codec_id));
  return song_error (self->song, error, SEGUE_ERROR_UNSUPPORTED, "contains no audio stream%s",
                     undecodable ? " in a known format" : "");
}

static gboolean
open_decoder (Reader *self, const AVCodec *decoder, GError **error)
{
  int result;

  self->codec = libav.avcodec_alloc_context3 (decoder);
  self->packet = libav.av_packet_alloc ();
  self->frame = libav.av_frame_alloc ();
  if (!self->codec || !self->packet || !self->frame)
    return fail (self, AVERROR (ENOMEM), "can't be decoded", error);
  result = libav.avcodec_parameters_to_context (self->codec, self->stream->codecpar);
  self->codec->pkt_timebase = self->stream->time_base;
  /* Songs are decoded in parallel, not parts of one song. */
  self->codec->thread_count = 1;
  self->codec->max_samples = MAX_FRAME;
  /* For Opus: channels with inverted phase would cancel each other in mono. */
  libav.av_opt_set_int (self->codec, "apply_phase_inv", 0, AV_OPT_SEARCH_CHILDREN);
  /* Damage would be audible noise here, where other decoders output a gap. */
  if (decoder->id == AV_CODEC_ID_FLAC)
    self->codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  if (result >= 0)
    result = libav.avcodec_open2 (self->codec, decoder, NULL);
  return result >= 0 || fail (self, result, unreadable, error);
}

Reader *
reader_new (Song *song, const ProbePart *part, GError **error)
{
  g_autoptr (Reader) self = g_new0 (Reader, 1);
  const AVCodec *decoder = NULL;

  self->song = song;
  if (!open_container (self, part, error) || !choose_stream (self, &decoder, error) ||
      !open_decoder (self, decoder, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
reader_free (Reader *self)
{
  if (!self)
    return;
  samples_clear (&self->samples);
  libav.av_frame_free (&self->frame);
  libav.av_packet_free (&self->packet);
  libav.avcodec_free_context (&self->codec);
  libav.avformat_close_input (&self->format);
  input_free (self->input);
  g_free (self);
}

double
reader_get_duration (const Reader *self)
{
  const AVFormatContext *format = self->format;

  if (format->duration_estimation_method != AVFMT_DURATION_FROM_STREAM)
    return NAN;
  if (self->stream->duration > 0)
    return (double) self->stream->duration * av_q2d (self->stream->time_base);
  return format->duration > 0 ? (double) format->duration / AV_TIME_BASE : NAN;
}

/* The decoder's result for a packet: 0 where it continues, with or without it. */
static int
pass_over (Reader *self, int result)
{
  if (result >= 0 || result == AVERROR (EAGAIN) || result == AVERROR_EOF)
    return 0;
  self->problem = result;
  return result == AVERROR (ENOMEM) ? result : 0;
}

/* ---- The gap before a passage ---- */

/* Whether a frame depends on nothing but the frames of the last few tenths of a second. */
static gboolean
can_begin_anywhere (enum AVCodecID id)
{
  static const enum AVCodecID ids[] = { AV_CODEC_ID_MP3,  AV_CODEC_ID_AAC,    AV_CODEC_ID_FLAC,
                                        AV_CODEC_ID_OPUS, AV_CODEC_ID_VORBIS, AV_CODEC_ID_ALAC };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    if (ids[i] == id)
      return TRUE;
  return FALSE;
}

static double
get_time (const Reader *self, gint64 stamp)
{
  return stamp == AV_NOPTS_VALUE ? NAN : (double) stamp * av_q2d (self->stream->time_base);
}

/* The first frame of the song tells which time stamp its beginning has. */
static void
look_ahead (Reader *self)
{
  self->first = get_time (self, self->frame->best_effort_timestamp);
  /* Of a chained file, no link knows where it is in the song. */
  self->jumps = isfinite (self->first) && song_get_begin (self->song) > 0 &&
                !song_get_part (self->song, 1) && can_begin_anywhere (self->codec->codec_id);
}

/* Whether the packet is before the part that is needed. */
static gboolean
is_omitted (Reader *self)
{
  double time = get_time (self, self->packet->pts);

  self->jumps = self->jumps && !song_has_begun (self->song);
  if (!self->jumps || time - self->first < song_get_begin (self->song))
    return self->jumps && isfinite (time);
  self->jumps = FALSE;
  self->landed = TRUE;
  libav.avcodec_flush_buffers (self->codec);
  return FALSE;
}

/* The first frame after the gap. %FALSE: where it is in the song is not known. */
static gboolean
land (Reader *self, GError **error)
{
  double time = get_time (self, self->frame->best_effort_timestamp);

  self->landed = FALSE;
  if (!isfinite (time))
    return song_error (self->song, error, SEGUE_ERROR_UNSUPPORTED,
                       "has no time stamps by which a passage can be found");
  song_jump (self->song, time - self->first);
  return TRUE;
}

/* Sends the next packet of the stream to the decoder; 0, or libav's error where it can't continue. */
static int
feed (Reader *self)
{
  int result = libav.av_read_frame (self->format, self->packet);

  /* Demuxers report a truncated file with many different errors. */
  if (result == AVERROR_EOF || (result < 0 && input_get_io (self->input)->eof_reached)) {
    self->is_draining = TRUE;
    return pass_over (self, libav.avcodec_send_packet (self->codec, NULL));
  }
  if (result < 0)
    return result == AVERROR (EAGAIN) ? 0 : result;
  if (self->packet->stream_index == self->stream->index && !is_omitted (self))
    result = pass_over (self, libav.avcodec_send_packet (self->codec, self->packet));
  libav.av_packet_unref (self->packet);
  return result;
}

static ReaderResult
give_frame (Reader *self, ReaderBlock *block, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (!self->has_begun)
    look_ahead (self);
  self->has_begun = TRUE;
  if (self->landed && !land (self, error))
    return READER_FAILED;
  if (!samples_convert (&self->samples, self->frame, &problem)) {
    song_error (self->song, error, (SegueErrorCode) problem->code, "%s", problem->message);
    return READER_FAILED;
  }
  *block = (ReaderBlock){ .planes = self->samples.planes,
                          .stride = self->samples.stride,
                          .n_frames = (gsize) self->frame->nb_samples,
                          .rate = (guint) self->frame->sample_rate,
                          .channels = (guint) self->frame->ch_layout.nb_channels };
  return READER_FRAMES;
}

static ReaderResult
end (Reader *self, GError **error)
{
  if (input_failed (self->input, error))
    return READER_FAILED;
  if (self->has_begun || !self->problem)
    return READER_END;
  fail (self, self->problem, unreadable, error);
  return READER_FAILED;
}

ReaderResult
reader_pull (Reader *self, ReaderBlock *block, GError **error)
{
  while (song_check_clock (self->song, error)) {
    int result = libav.avcodec_receive_frame (self->codec, self->frame);

    if (result >= 0)
      return give_frame (self, block, error);
    if ((result = pass_over (self, result)) == 0) {
      if (self->is_draining)
        return end (self, error);
      result = feed (self);
    }
    if (result < 0) {
      fail (self, result, unreadable, error);
      return READER_FAILED;
    }
  }
  return READER_FAILED;
}
