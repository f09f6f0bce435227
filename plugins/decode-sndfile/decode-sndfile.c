/* decode-sndfile: songs as audio, with only libsndfile. */
#include "song.h"

#include <errno.h>
#include <segue/decoder.h>
#include <segue/plugin.h>
#include <sndfile.h>

/* Samples (frames × channels) per read. */
#define BLOCK 8192

static char *
fingerprint (const void *config)
{
  g_autofree char *resampler = song_resampler_version ();

  return g_strdup_printf ("%s; %s", sf_version_string (), resampler);
}

/* libsndfile does not distinguish a damaged file from a temporary read error: the first is recorded as a failure
 * of the song, the second must not be. So it reads through these. */
typedef struct {
  int fd;
  const ProbePart *part;
  sf_count_t length, at;
  int failed; /* errno */
} Input;

static sf_count_t
input_get_length (void *data)
{
  return ((Input *) data)->length;
}

static sf_count_t
input_seek (sf_count_t offset, int whence, void *data)
{
  Input *input = data;
  sf_count_t from = whence == SEEK_CUR ? input->at : whence == SEEK_END ? input->length : 0;

  if (offset < -from || offset > G_MAXINT64 - from)
    return -1;
  return input->at = from + offset;
}

static sf_count_t
input_tell (void *data)
{
  return ((Input *) data)->at;
}

static sf_count_t
input_read (void *buffer, sf_count_t size, void *data)
{
  Input *input = data;
  sf_count_t got = 0;

  while (got < size && !input->failed) {
    gssize n = probe_part_read (input->part, input->fd, (char *) buffer + got, (gsize) (size - got),
                                (guint64) input->at);

    if (n < 0)
      input->failed = errno;
    if (n <= 0)
      break;
    got += n;
    input->at += n;
  }
  return got;
}

static SF_VIRTUAL_IO input_functions = {
  .get_filelen = input_get_length,
  .seek = input_seek,
  .read = input_read,
  .tell = input_tell,
};

static gboolean
read_frames (Song *song, SNDFILE *file, const SF_INFO *info, GError **error)
{
  g_autofree float *block = g_new (float, BLOCK);
  sf_count_t step = BLOCK / info->channels, n;

  while (!song_is_full (song) && (n = sf_readf_float (file, block, step)) > 0)
    if (!song_push (song, block, (gsize) n, (guint) info->samplerate, (guint) info->channels,
                    error))
      return FALSE;
  if (sf_error (file) != SF_ERR_NO_ERROR && !song_takes_what_is_there (song))
    return song_error (song, error, SEGUE_ERROR_UNSUPPORTED, "can't be decoded: %s",
                       sf_strerror (file));
  return TRUE;
}

/* (nullable): libsndfile stores the reason for a failed open per process, so it could be that of another thread's
 * song. */
static SNDFILE *
open_input (Song *song, Input *input, SF_INFO *info, GError **error)
{
  static GMutex opening;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&opening);
  SNDFILE *file = sf_open_virtual (&input_functions, SFM_READ, info, input);

  if (!file)
    song_error (song, error, SEGUE_ERROR_UNSUPPORTED, "is not audio that libsndfile reads: %s",
                sf_strerror (NULL));
  return file;
}

static gboolean
decode (Song *song, Input *input, GError **error)
{
  SF_INFO info = { 0 };
  SNDFILE *file = open_input (song, input, &info, error);
  gboolean ok;

  if (!file)
    return FALSE;
  if (info.samplerate > 0)
    song_trust_duration (song, (double) info.frames / info.samplerate);
  if (info.channels < 1 || info.channels > BLOCK)
    ok = song_error (song, error, SEGUE_ERROR_UNSUPPORTED, "declares %d channels", info.channels);
  else
    ok = read_frames (song, file, &info, error);
  sf_close (file);
  return ok;
}

static gboolean
decode_part (Song *song, const ProbePart *part, GError **error)
{
  Input input = { .fd = song_get_fd (song),
                  .part = part,
                  .length = (sf_count_t) probe_part_size (part) };
  g_autoptr (GError) problem = NULL;
  gboolean ok = decode (song, &input, &problem);

  if (input.failed)
    return song_read_error (song, error, input.failed);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&problem));
  return ok;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autoptr (Song) song = song_open (segue_context_get_config (context), item, context, error);
  const ProbePart *part;

  if (!song)
    return FALSE;
  for (guint i = 0; !song_is_full (song) && (part = song_get_part (song, i)); i++)
    if (!decode_part (song, part, error))
      return FALSE;
  return song_emit (song, context, error);
}

static void
preload (gpointer instance)
{
  song_preload ();
}

/* clang-format off */
static const char *const extensions[] = {
  "aif", "aifc", "aiff", "au", "caf", "flac", "mp1", "mp2", "mp3", "oga", "ogg", "opus", "rf64", "snd", "voc",
  "w64", "wav", "wave",
  NULL,
};
/* clang-format on */

static const SegueDecodes decodes =
  SEGUE_INIT (SegueDecodes, .rank = 100, .extensions = extensions);

static const SegueStageType decode_sndfile = {
  SEGUE_STAGE_TYPE,
  SONG_DECODER,
  .name = "decode-sndfile",
  .summary = "Decodes songs with libsndfile: WAV, AIFF, FLAC, Ogg Vorbis, Opus and MP3",
  .doc =
    "Decodes the formats that libsndfile reads, as they are, or averaged to mono and resampled "
    "with soxr HQ as a stream, with a fraction of the dependencies of other "
    "decoders.\n\nDecoders do not report truncated files. The container is parsed first, and "
    "the decoded length is compared with the declared one: see `completeness`. Runs in a "
    "separate process with a time limit, because malicious files crash and hang decoders. "
    "`use: decode` tries this decoder and the other installed ones.",
  .result_version = 2,
  .fingerprint = fingerprint,
  .process = process,
  .preload = preload,
  .decodes = &decodes,
};

static const SegueStageType *const stages[] = { &decode_sndfile, NULL };

SEGUE_PLUGIN (.name = "decode-sndfile", .version = "1.0", .licence = "MIT", .stages = stages)
