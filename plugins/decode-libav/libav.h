/* libavformat and libavcodec, loaded just before the first song is decoded.
 *
 * They need 130 other libraries: linked, they would cost every command of segue 26 ms and 25 MB, as
 * plugins are loaded to read what they provide. The functions have their own names and types:
 *
 *   libav.av_read_frame (format, packet)
 */
#pragma once

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <segue/context.h>

/* clang-format off */
#define LIBAV_UTIL_FUNCTIONS(X) \
  X (av_version_info) X (av_strerror) X (av_log_set_callback) X (av_malloc) X (av_free) X (av_strdup) \
  X (av_opt_set_int) X (av_frame_alloc) X (av_frame_free) X (av_sample_fmt_is_planar)
#define LIBAV_CODEC_FUNCTIONS(X) \
  X (avcodec_version) X (avcodec_get_name) X (av_codec_iterate) X (av_codec_is_decoder) \
  X (avcodec_alloc_context3) X (avcodec_free_context) X (avcodec_parameters_to_context) X (avcodec_open2) \
  X (avcodec_send_packet) X (avcodec_receive_frame) X (avcodec_flush_buffers) X (av_packet_alloc) X (av_packet_free) X (av_packet_unref)
#define LIBAV_FORMAT_FUNCTIONS(X) \
  X (avformat_version) X (avformat_alloc_context) X (avformat_open_input) X (avformat_close_input) \
  X (avformat_find_stream_info) X (av_read_frame) X (avio_alloc_context) X (avio_context_free)
/* clang-format on */

#define LIBAV_MEMBER(name) __typeof__ (name) *name;

typedef struct {
  LIBAV_UTIL_FUNCTIONS (LIBAV_MEMBER)
  LIBAV_CODEC_FUNCTIONS (LIBAV_MEMBER)
  LIBAV_FORMAT_FUNCTIONS (LIBAV_MEMBER)
} Libav;

/** libav: no function may be called before libav_load() has succeeded. */
extern Libav libav;

/**
 * libav_load: (any thread): once a process; the libraries stay.
 *
 * Also takes over their messages, which they would print: these go to the log of the stage that is
 * decoding in the thread of the message, see libav_log_to(); messages caused by other code go to
 * GLib's log. There is one such hook in a process: a program that embeds segue, decodes in-process
 * (`isolate: false`) and wants libav's messages itself has to set its own hook after the first
 * song.
 */
gboolean libav_load (GError **error);

/** libav_describe: (transfer full): versions, for fingerprints; after libav_load(). */
char *libav_describe (void);

/** libav_log_to: (nullable): the log of the first few warnings in this thread from now on. */
void libav_log_to (SegueContext *context);

/** libav_out_of_memory: after AVERROR (ENOMEM): whether the system is out of memory, rather than
 * the file requesting too much. */
gboolean libav_out_of_memory (void);
