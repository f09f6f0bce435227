/* decode-sndfile: songs as audio, with libsndfile alone. */
#include "song.h"

#include <segue/plugin.h>
#include <sndfile.h>

/* Samples (frames × channels) that are read in one go. */
#define BLOCK 8192

static char *
fingerprint (const void *config)
{
  g_autofree char *resampler = song_resampler_version ();

  return g_strdup_printf ("%s; %s", sf_version_string (), resampler);
}

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
    return song_error (song, error, SEGUE_ERROR_DATA, "can't be decoded: %s", sf_strerror (file));
  return TRUE;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autoptr (Song) song = song_open (segue_context_get_config (context), item, context, error);
  SF_INFO info = { 0 };
  SNDFILE *file;
  gboolean ok;

  if (!song)
    return FALSE;
  /* By descriptor: names are bytes, and under isolation there is nothing else. */
  file = sf_open_fd (song_get_fd (song), SFM_READ, &info, SF_FALSE);
  if (!file)
    return song_error (song, error, SEGUE_ERROR_DATA, "is not audio that libsndfile reads: %s",
                       sf_strerror (NULL));
  if (info.samplerate > 0)
    song_trust_duration (song, (double) info.frames / info.samplerate);
  if (info.channels < 1 || info.channels > BLOCK)
    ok = song_error (song, error, SEGUE_ERROR_DATA, "claims %d channels", info.channels);
  else
    ok = read_frames (song, file, &info, error);
  sf_close (file);
  return ok && song_emit (song, context, error);
}

static const SeguePort inputs[] = { { "songs", SEGUE_KIND_FILE, 0, "Audio files." }, {} };
static const SeguePort outputs[] = { { "audio", SEGUE_KIND_AUDIO, 0, "Whole songs." }, {} };

static const SegueStageType decode_sndfile = {
  .struct_size = sizeof (SegueStageType),
  .name = "decode-sndfile",
  .summary = "Decodes songs with libsndfile: WAV, AIFF, FLAC, Ogg Vorbis, Opus and MP3",
  .doc =
    "Takes the same parameters as `decode` and gives the same audio, for the formats that "
    "libsndfile reads, in a fraction of the dependencies: native samples are averaged to mono and "
    "resampled with soxr HQ as they come.\n\n"
    "A decoder that runs into the end of a file that was cut short says nothing.  So each file's "
    "container is read first, and what comes out is held against what it promises: see "
    "`completeness`.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = inputs,
  .outputs = outputs,
  .params = song_params,
  .config_size = sizeof (SongConfig),
  .check = song_check_config,
  .fingerprint = fingerprint,
  .process = process,
};

static const SegueStageType *const stages[] = { &decode_sndfile, NULL };

SEGUE_PLUGIN (.name = "decode-sndfile", .version = "1.0", .licence = "MIT", .stages = stages)
