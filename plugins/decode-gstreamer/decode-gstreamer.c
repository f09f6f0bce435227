/* decode-gstreamer: songs as audio, with GStreamer. */
#include "framework.h"
#include "player.h"
#include "preload.h"
#include "song.h"

#include <segue/decoder.h>
#include <segue/plugin.h>

/* How often a song is started when GStreamer loses it before the first samples. */
#define TRIES 3u

static char *
fingerprint (const void *config)
{
  g_autofree char *resampler = song_resampler_version (), *framework = NULL;
  g_autoptr (GError) error = NULL;

  if (!framework_init (&error))
    return g_steal_pointer (&resampler);
  framework = framework_describe ();
  return g_strdup_printf ("%s; %s", framework, resampler);
}

/* Nothing is kept between songs; but the first scan of GStreamer's plugins may take seconds, which should not
 * count against a song's timeout. */
static gboolean
open_framework (SegueContext *context, gpointer *instance, GError **error)
{
  if (!framework_init (error))
    return FALSE;
  framework_allow (context);
  return TRUE;
}

static void
preload (gpointer instance)
{
  preload_plugins ();
  song_preload ();
}

/* Reads to the end, an error, or the moment when the player is stuck. */
static PlayerResult
read_frames (Song *song, Player *player, gboolean *has_begun, GError **error)
{
  PlayerBlock block;

  while (!song_is_full (song)) {
    g_autoptr (GError) problem = NULL;
    PlayerResult result = player_pull (player, &block, &problem);

    if (result == PLAYER_FRAMES) {
      if (!*has_begun)
        song_trust_duration (song, player_get_duration (player));
      *has_begun = TRUE;
      if (!song_push (song, block.frames, block.n_frames, block.rate, block.channels, error))
        return PLAYER_FAILED;
    } else if (result == PLAYER_FAILED) {
      if (problem->code == SEGUE_ERROR_UNSUPPORTED && song_takes_what_is_there (song))
        return PLAYER_END;
      song_error (song, error, (SegueErrorCode) problem->code, "%s", problem->message);
      return PLAYER_FAILED;
    } else if (result != PLAYER_NOTHING_YET) {
      return result;
    } else if (!song_check_clock (song, error)) {
      return PLAYER_FAILED;
    }
  }
  return PLAYER_END;
}

/* One pipeline from beginning to end. */
static PlayerResult
play (Song *song, const ProbePart *part, SegueContext *context, gboolean *has_begun, GError **error)
{
  Player *player = player_new (song_get_fd (song), part, error);
  PlayerResult result;

  if (!player)
    return PLAYER_FAILED;
  result = read_frames (song, player, has_begun, error);
  if (!player_stop (player))
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "‘%s’ hangs its decoder, which could not be stopped", song_get_name (song));
  return result;
}

static gboolean
decode_part (Song *song, const ProbePart *part, SegueContext *context, GError **error)
{
  PlayerResult result = PLAYER_STUCK;
  gboolean has_begun = FALSE;

  for (guint i = 0; i < TRIES && result == PLAYER_STUCK && !has_begun; i++)
    result = play (song, part, context, &has_begun, error);
  /* A song that stops without an end of stream is truncated. */
  if (result == PLAYER_STUCK && !has_begun)
    return song_error (song, error, SEGUE_ERROR_TIMEOUT,
                       "can't be decoded: its decoder stopped %u times without an error", TRIES);
  return result != PLAYER_FAILED;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autoptr (Song) song = song_open (segue_context_get_config (context), item, context, error);
  const ProbePart *part;

  if (!song)
    return FALSE;
  for (guint i = 0; !song_is_full (song) && (part = song_get_part (song, i)); i++)
    if (!decode_part (song, part, context, error))
      return FALSE;
  return song_emit (song, context, error);
}

/* clang-format off */
static const char *const extensions[] = {
  "aac", "ac3", "aif", "aifc", "aiff", "alac", "amr", "ape", "asf", "au", "avi", "dsf", "dts", "flac", "flv",
  "m4a", "m4b", "m4r", "m4v", "mka", "mkv", "mov", "mp1", "mp2", "mp3", "mp4", "mpc", "mpeg", "mpg", "oga",
  "ogg", "ogm", "ogv", "opus", "rf64", "snd", "spx", "tta", "w64", "wav", "wave", "weba", "webm", "wma",
  "wmv", "wv",
  NULL,
};
/* clang-format on */

static const SegueDecodes decodes =
  SEGUE_INIT (SegueDecodes, .rank = 200, .extensions = extensions);

static const SegueStageType decode_gstreamer = {
  SEGUE_STAGE_TYPE,
  SONG_DECODER,
  .name = "decode-gstreamer",
  .summary = "Decodes songs of any format with GStreamer",
  .doc =
    "Decodes the first audio stream of a file (MP3, FLAC, Ogg, AAC, ALAC, WMA, WAV, …: every "
    "format that GStreamer has a decoder for; pictures and video are ignored), as it is, or "
    "averaged to mono and resampled with soxr HQ as a stream.\n\nDecoders do not report truncated files. The container is parsed "
    "first, and the decoded length is compared with the declared one: see `completeness`. "
    "Runs in a separate process with a time limit, because malicious files crash and hang "
    "decoders. `use: decode` tries this decoder and the other installed ones.",
  .result_version = 2,
  .fingerprint = fingerprint,
  .open = open_framework,
  .process = process,
  .decodes = &decodes,
  .preload = preload,
};

static const SegueStageType *const stages[] = { &decode_gstreamer, NULL };

SEGUE_PLUGIN (.name = "decode-gstreamer", .version = "1.0", .licence = "MIT", .stages = stages)
