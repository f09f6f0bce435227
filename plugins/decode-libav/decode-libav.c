/* decode-libav: songs as audio, with FFmpeg's libraries. */
#include "formats.h"
#include "libav.h"
#include "reader.h"

#include <segue/decoder.h>
#include <segue/plugin.h>

static char *
fingerprint (const void *config)
{
  g_autofree char *resampler = song_resampler_version (), *libraries = NULL;
  g_autoptr (GError) error = NULL;

  if (!libav_load (&error))
    return g_steal_pointer (&resampler);
  libraries = libav_describe ();
  return g_strdup_printf ("%s; %s", libraries, resampler);
}

/* Nothing is kept between songs; but later no library can be loaded. */
static gboolean
load_libraries (SegueContext *context, gpointer *instance, GError **error)
{
  return libav_load (error);
}

/* Tables of codecs, and functions that the linker resolves when they are first called. */
static void
preload_codec (enum AVCodecID id)
{
  const AVCodec *codec = formats_find_decoder (id);
  AVCodecContext *context = codec ? libav.avcodec_alloc_context3 (codec) : NULL;

  if (!context)
    return;
  context->thread_count = 1;
  context->sample_rate = 44100;
  /* Some need a header first, and fail here after their tables are filled. */
  libav.avcodec_open2 (context, codec, NULL);
  libav.avcodec_free_context (&context);
}

/* Common formats. */
static void
preload (gpointer instance)
{
  static const enum AVCodecID ids[] = { AV_CODEC_ID_MP3,  AV_CODEC_ID_AAC,    AV_CODEC_ID_FLAC,
                                        AV_CODEC_ID_OPUS, AV_CODEC_ID_VORBIS, AV_CODEC_ID_ALAC };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    preload_codec (ids[i]);
  song_preload ();
}

static gboolean
read_frames (Song *song, Reader *reader, GError **error)
{
  ReaderResult result = READER_END;
  ReaderBlock block;

  while (!song_is_full (song) && (result = reader_pull (reader, &block, error)) == READER_FRAMES)
    if (!song_push_planes (song, block.planes, block.stride, block.n_frames, block.rate,
                           block.channels, error))
      return FALSE;
  return result != READER_FAILED;
}

/* One link of a chained file; any other file is a single link. */
static gboolean
decode_part (Song *song, const ProbePart *part, GError **error)
{
  g_autoptr (Reader) reader = reader_new (song, part, error);

  if (!reader)
    return FALSE;
  song_trust_duration (song, reader_get_duration (reader));
  return read_frames (song, reader, error);
}

static gboolean
decode (Song *song, GError **error)
{
  const ProbePart *part;

  for (guint i = 0; !song_is_full (song) && (part = song_get_part (song, i)); i++) {
    g_autoptr (GError) problem = NULL;

    if (decode_part (song, part, &problem))
      continue;
    if (problem->code == SEGUE_ERROR_UNSUPPORTED && song_takes_what_is_there (song))
      break;
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  return TRUE;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autoptr (Song) song = song_open (segue_context_get_config (context), item, context, error);
  gboolean ok;

  if (!song)
    return FALSE;
  libav_log_to (context);
  ok = decode (song, error);
  libav_log_to (NULL);
  return ok && song_emit (song, context, error);
}

/* clang-format off */
static const char *const extensions[] = {
  "3ga", "3gp", "aac", "ac3", "aif", "aifc", "aiff", "alac", "amr", "ape", "asf", "au", "avi", "awb", "caf", "dff",
  "dsf", "dts", "eac3", "ec3", "flac", "flv", "latm", "loas", "m4a", "m4b", "m4r", "m4v", "mka", "mkv", "mlp",
  "mov", "mp+", "mp1", "mp2", "mp3", "mp4", "mpc", "mpeg", "mpg", "mpga", "oga", "ogg", "ogm", "ogv", "opus",
  "ra", "rf64", "rm", "shn", "snd", "spx", "tak", "thd", "tta", "voc", "w64", "wav", "wave", "weba", "webm",
  "wma", "wmv", "wv",
  NULL,
};
/* clang-format on */

static const SegueDecodes decodes =
  SEGUE_INIT (SegueDecodes, .rank = 300, .extensions = extensions);

static const SegueStageType decode_libav = {
  SEGUE_STAGE_TYPE,
  SONG_DECODER,
  .name = "decode-libav",
  .summary = "Decodes songs of all common formats with FFmpeg's libraries",
  .doc = "Decodes the first audio stream of a file (MP3, FLAC, Ogg, AAC, ALAC, WMA, WAV, …), "
         "as it is, or averaged to mono and resampled with soxr HQ as a stream. What encoders "
         "add before and after the music of MP3, AAC and Opus is removed. Only available if segue "
         "was built with FFmpeg.\n\nDecoders do not report truncated files. The container is "
         "parsed first, and the decoded length is compared with the declared one: see "
         "`completeness`. Runs in a separate process with a time limit, because malicious files "
         "crash and hang decoders. `use: decode` tries this decoder and the other installed ones.",
  .result_version = 2,
  .fingerprint = fingerprint,
  .open = load_libraries,
  .preload = preload,
  .process = process,
  .decodes = &decodes,
};

static const SegueStageType *const stages[] = { &decode_libav, NULL };

SEGUE_PLUGIN (.name = "decode-libav", .version = "1.0", .licence = "MIT", .stages = stages)
