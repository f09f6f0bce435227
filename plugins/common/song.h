/* Shared by the decoders: parameters, limits, the completeness check, the resulting item.
 *
 *   g_autoptr (Song) song = song_open (config, file, context, &error);
 *   while (… frames from a decoder …)
 *     if (!song_push (song, frames, n, rate, channels, &error)) return FALSE;
 *     if (song_is_full (song)) break;
 *   return song_emit (song, context, &error);
 *
 * Every error names the song by its id: under isolation the path is that of a file descriptor.
 */
#pragma once

#include "probe.h"

#include <segue/decoder.h>
#include <segue/error.h>
#include <segue/format.h>

typedef enum { SONG_CHANNELS_MONO, SONG_CHANNELS_KEEP } SongChannels;
typedef enum { SONG_WHEN_LONG_FAIL, SONG_WHEN_LONG_CUT } SongWhenLong;
typedef enum { SONG_SILENCE_FAIL, SONG_SILENCE_KEEP } SongSilence;

typedef struct {
  gint64 rate;
  int channels;  /* SongChannels */
  int when_long; /* SongWhenLong */
  double min_duration;
  double max_duration;
  double completeness;
  int silence; /* SongSilence */
  double timeout;
} SongConfig;

/* The rows of SongConfig: all decoders take the same parameters. */
extern const SegueParam *const song_params[];

gboolean song_check_config (const void *config, GError **error);
/* The output of all decoders. */
extern const SeguePort *const song_inputs[], *const song_outputs[];
gboolean song_negotiate (const void *config, SegueNegotiation *negotiation, GError **error);

typedef struct _Song Song;

/** song_open: opens and probes the file of @file (borrowed; must outlive the song). Immediately
 * refuses files that are empty, not regular, damaged, or declared to be too long. */
Song *song_open (const SongConfig *config, SegueItem *file, SegueContext *context, GError **error);
/** song_free: accepts %NULL. */
void song_free (Song *song);

/** song_get_fd: the file, open for reading; the song closes it. */
int song_get_fd (const Song *song);
/** song_get_name: for messages. */
const char *song_get_name (const Song *song);
/** song_get_part: (transfer none) (nullable): the @i-th file for a decoder: without tags, one link of a chain;
 * %NULL where there is no part @i. */
const ProbePart *song_get_part (const Song *song, guint i);
/** song_trust_duration: (decoder) the demuxer reports @seconds. Used only for containers that
 * declare a duration and that the probe doesn't read itself. */
void song_trust_duration (Song *song, double seconds);
/** song_push: as resampler_push(), and checks the limits, the clock and the cancellable. */
gboolean song_push (Song *song, const float *frames, gsize n_frames, guint rate, guint channels,
                    GError **error);
/** song_push_planes: the same for channels stored separately, as resampler_push_planes(). */
gboolean song_push_planes (Song *song, const float *const *planes, gsize stride, gsize n_frames,
                           guint rate, guint channels, GError **error);
/** song_check_clock: %FALSE with %SEGUE_ERROR_TIMEOUT or %SEGUE_ERROR_CANCELLED. A song may take
 * its own duration plus `timeout` seconds. */
gboolean song_check_clock (Song *song, GError **error);
/** song_get_begin: in s: nothing before that time is needed: a decoder may begin there, if it knows where it is; else at
 * 0, as the frames before it are dropped. */
double song_get_begin (const Song *song);
/** song_jump: the next frames that are pushed are at @seconds, or nothing is pushed before them. */
void song_jump (Song *song, double seconds);
/** song_is_full: no more frames are needed. */
gboolean song_is_full (const Song *song);
/** song_has_begun: whether anything has been pushed. */
gboolean song_has_begun (const Song *song);
/** song_takes_what_is_there: `completeness: 0` was requested and some audio was decoded: an error of the decoder
 * then counts as a normal end. */
gboolean song_takes_what_is_there (const Song *song);
/** song_emit: checks completeness and emits the audio item. */
gboolean song_emit (Song *song, SegueContext *context, GError **error);

/** song_error: sets an error whose message starts with the song's name. Returns %FALSE. */
gboolean song_error (const Song *song, GError **error, SegueErrorCode code, const char *format, ...)
  G_GNUC_PRINTF (4, 5);

/** song_read_error: error for a song file that can't be read: @number is an errno. Returns
 * %FALSE. */
gboolean song_read_error (const Song *song, GError **error, int number);

/** song_preload: for a decoder's preload (): does what the first song would load and initialise. */
void song_preload (void);

/** song_resampler_version: (transfer full): for fingerprints. */
char *song_resampler_version (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Song, song_free)

/** SONG_DECODER: fields common to the stage types of all decoders. */
#define SONG_DECODER                                                                               \
  .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE | SEGUE_STAGE_ISOLATE,                      \
  .inputs = song_inputs, .outputs = song_outputs, .params = song_params,                           \
  .config_size = sizeof (SongConfig), .check = song_check_config, .negotiate = song_negotiate
