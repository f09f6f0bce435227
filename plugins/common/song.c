#include "song.h"

#include "resampler.h"

#include <errno.h>
#include <math.h>
#include <segue/format.h>
#include <soxr.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole output is kept in memory. */
#define MAX_BYTES (G_GUINT64_CONSTANT (2) << 30)
/* Full scale is 1: below this (-84 dB) there is at most dither. */
#define SILENCE 0x1p-14f
/* Energy that mixing may leave where channels cancel each other: -40 dB. */
#define CANCELLED 1e-4
/* Before and after a passage, for the resampler's filter. */
#define MARGIN 0.1
/* Before that, for decoders that begin in the middle: what a frame depends on is in the frames of the last few tenths
 * of a second. */
#define RUN_UP 1.0
/* Decoders may drop their undeclared delay, a frame or two. */
#define DELAY_SLACK 0.06

static const char *const channel_choices[] = { "mono", "keep", NULL };
static const char *const when_long_choices[] = { "fail", "cut", NULL };
static const char *const silence_choices[] = { "fail", "keep", NULL };

const SegueParam *const song_params[] = {
  SEGUE_PARAM (SongConfig, rate, SEGUE_PARAM_INT, .flags = SEGUE_PARAM_OPTIONAL, .min = 4000,
               .max = 192000, .unit = "Hz",
               .doc =
                 "Sample rate of the output. Unset: as in the file, up to 48 kHz, for `embed`; "
                 "models that are trained on audio need one rate for all songs."),
  SEGUE_PARAM (SongConfig, channels, SEGUE_PARAM_CHOICE, .def = "keep", .choices = channel_choices,
               .doc = "`mono`: the mean of all channels; `keep`: as in the file."),
  SEGUE_PARAM (SongConfig, min_duration, SEGUE_PARAM_DOUBLE, .def = "0", .relaxed = "0", .min = 0,
               .max = 3600, .unit = "s",
               .doc = "Songs that are shorter are skipped, with the reason."),
  SEGUE_PARAM (
    SongConfig, max_duration, SEGUE_PARAM_DOUBLE, .def = "1800", .relaxed = "10800", .min = 1,
    .max = 86400, .unit = "s", .flags = SEGUE_PARAM_COST,
    .doc = "Maximum length of a song. A decoded second takes 64 kB in mono at 16 kHz, 353 kB in "
           "stereo at 44.1 kHz, and a song at most 2 GiB; each worker has one song in memory."),
  SEGUE_PARAM (
    SongConfig, when_long, SEGUE_PARAM_CHOICE, .def = "fail", .relaxed = "cut",
    .choices = when_long_choices,
    .doc =
      "What to do with a longer song: `fail` skips it, with the reason; `cut` uses its beginning."),
  SEGUE_PARAM (SongConfig, completeness, SEGUE_PARAM_DOUBLE, .def = "0.99", .relaxed = "0",
               .min = 0, .max = 1, .flags = SEGUE_PARAM_ON_REQUEST,
               .doc = "Minimum fraction of the declared audio that must be present and decode; "
                      "truncated and damaged files fall below it. 0: not checked."),
  SEGUE_PARAM (SongConfig, silence, SEGUE_PARAM_CHOICE, .def = "fail", .choices = silence_choices,
               .doc = "What to do with a song of digital silence, or whose channels cancel each "
                      "other in mono: `fail` skips it, with the reason; `keep` uses it."),
  SEGUE_PARAM (SongConfig, timeout, SEGUE_PARAM_DOUBLE, .def = "60", .min = 1, .max = 3600,
               .unit = "s", .flags = SEGUE_PARAM_VOLATILE,
               .doc = "Time limit for decoding, in addition to the song's length. A song that "
                      "exceeds it is retried by the next run."),
  NULL,
};

const SeguePort *const song_inputs[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Audio files."),
                                         NULL };
const SeguePort *const song_outputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Whole songs."),
                                          NULL };

struct _Song {
  const SongConfig *config;
  SegueItem *file;
  GCancellable *cancellable;
  int fd;
  guint64 size; /* of the file */
  Probe probe;
  double declared; /* s; NAN: not in the file */
  double begin,
    end;         /* s: of the passage that is wanted, with margins; all of the song: 0, infinity */
  double passed; /* s of the song before what the resampler got */
  Resampler *resampler;
  gint64 started; /* µs, monotonic */
};

gboolean
song_negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const SongConfig *config = data;
  SegueFormat *audio = segue_negotiation_get_output (negotiation, "audio");

  audio->rate = config->rate > 0 ? (guint) config->rate : SEGUE_FORMAT_VARIES;
  audio->channels = config->channels == SONG_CHANNELS_MONO ? 1 : SEGUE_FORMAT_VARIES;
  audio->frames = SEGUE_FORMAT_VARIES;
  return TRUE;
}

gboolean
song_check_config (const void *config, GError **error)
{
  const SongConfig *self = config;

  if (self->min_duration <= self->max_duration)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "min_duration (%g s) must not be above max_duration (%g s)", self->min_duration,
               self->max_duration);
  return FALSE;
}

gboolean
song_error (const Song *self, GError **error, SegueErrorCode code, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SEGUE_ERROR, (int) code, "‘%s’ %s", segue_item_get_id (self->file), text);
  return FALSE;
}

gboolean
song_read_error (const Song *self, GError **error, int number)
{
  return segue_set_error_from_errno (error, number, SEGUE_ERROR_NO_INPUT, "can't read the song",
                                     segue_item_get_id (self->file));
}

/* Adds the song's name to an error of a part that doesn't know it. */
static gboolean
name_error (const Song *self, GError **error)
{
  if (error && *error && (*error)->code != SEGUE_ERROR_CANCELLED)
    g_prefix_error (error, "‘%s’ ", segue_item_get_id (self->file));
  return FALSE;
}

static gboolean
open_file (Song *self, GError **error)
{
  struct stat info;

  self->fd = segue_item_open (self->file, error);
  if (self->fd < 0)
    return FALSE;
  if (fstat (self->fd, &info) != 0)
    return song_read_error (self, error, errno);
  if (info.st_size == 0)
    return song_error (self, error, SEGUE_ERROR_DATA, "is empty");
  self->size = (guint64) info.st_size;
  return TRUE;
}

static gboolean
too_long (const Song *self, GError **error)
{
  return song_error (
    self, error, SEGUE_ERROR_DATA,
    "is longer than %g s" SEGUE_ADVICE ("; use its beginning with ", "when_long=cut")
      SEGUE_ADVICE (", or all of it with ", "max_duration=14400"),
    self->config->max_duration);
}

static gboolean
probe (Song *self, GError **error)
{
  const SongConfig *config = self->config;

  if (!probe_file (self->fd, &self->probe, self->cancellable, error))
    return name_error (self, error);
  if (self->probe.refusal)
    return song_error (self, error, SEGUE_ERROR_DATA, "%s", self->probe.refusal);
  self->declared = self->probe.declared;
  if (self->probe.intact < config->completeness)
    return song_error (self, error, SEGUE_ERROR_DATA,
                       "is damaged: %s; get a complete copy" SEGUE_ADVICE (
                         ", or use what is left with ", "completeness=0"),
                       self->probe.damage);
  if (config->when_long == SONG_WHEN_LONG_FAIL && self->declared > config->max_duration)
    return too_long (self, error);
  return TRUE;
}

/* A file that is accepted although it is not quite complete is accepted with a message. */
static void
report (const Song *self, SegueContext *context)
{
  const Probe *found = &self->probe;

  if (found->intact < 1)
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "‘%s’ is used, but %.2g %% of it is damaged: %s",
                       segue_item_get_id (self->file), 100 * (1 - found->intact), found->damage);
  else if (found->remark)
    segue_context_log (context, G_LOG_LEVEL_WARNING, "‘%s’ %s", segue_item_get_id (self->file),
                       found->remark);
  if (found->intact < 1)
    segue_context_count (context, "songs with damage below the limit", 1);
}

Song *
song_open (const SongConfig *config, SegueItem *file, SegueContext *context, GError **error)
{
  g_autoptr (Song) self = g_new0 (Song, 1);
  double expected;
  gboolean is_passage;

  self->config = config;
  self->file = file;
  self->fd = -1;
  self->cancellable = segue_context_get_cancellable (context);
  self->started = g_get_monotonic_time ();
  if (!open_file (self, error) || !probe (self, error))
    return NULL;
  is_passage = segue_item_get_passage (file, &self->begin, &self->end);
  self->begin = is_passage ? MAX (self->begin - MARGIN, 0) : 0;
  self->end += MARGIN;
  expected = isnan (self->declared) ? 0 : MIN (self->declared, config->max_duration);
  expected = MIN (expected, self->end - self->begin);
  self->resampler = resampler_new (config->rate > 0 ? (guint) config->rate : 0,
                                   config->channels == SONG_CHANNELS_KEEP, expected);
  return g_steal_pointer (&self);
}

void
song_free (Song *self)
{
  if (!self)
    return;
  if (self->fd >= 0)
    close (self->fd);
  probe_clear (&self->probe);
  resampler_free (self->resampler);
  g_free (self);
}

int
song_get_fd (const Song *self)
{
  return self->fd;
}

const char *
song_get_name (const Song *self)
{
  return segue_item_get_id (self->file);
}

const ProbePart *
song_get_part (const Song *self, guint i)
{
  return probe_get_part (&self->probe, i);
}

void
song_trust_duration (Song *self, double seconds)
{
  if (self->probe.trusts_decoder)
    self->declared = seconds;
}

/* Where in the song the next frames are, in s. */
static double
get_place (const Song *self)
{
  return self->passed + resampler_get_seconds (self->resampler);
}

double
song_get_begin (const Song *self)
{
  return MAX (self->begin - RUN_UP, 0);
}

void
song_jump (Song *self, double seconds)
{
  if (!song_has_begun (self))
    self->passed = MAX (self->passed, seconds);
}

gboolean
song_is_full (const Song *self)
{
  return get_place (self) >= self->end || (get_place (self) >= self->config->max_duration &&
                                           self->config->when_long == SONG_WHEN_LONG_CUT);
}

gboolean
song_has_begun (const Song *self)
{
  return resampler_get_seconds (self->resampler) > 0;
}

gboolean
song_takes_what_is_there (const Song *self)
{
  return self->config->completeness == 0 && song_has_begun (self);
}

gboolean
song_check_clock (Song *self, GError **error)
{
  double taken = (double) (g_get_monotonic_time () - self->started) / G_USEC_PER_SEC;

  if (g_cancellable_is_cancelled (self->cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  if (taken <= self->config->timeout + get_place (self))
    return TRUE;
  return song_error (
    self, error, SEGUE_ERROR_TIMEOUT,
    "timed out after %.0f s, with %.0f s of it decoded; the next run tries again" SEGUE_ADVICE (
      ", with more time if you add ", "timeout=600"),
    taken, get_place (self));
}

/* @channels: of the file. */
static gboolean
check_size (const Song *self, guint channels, GError **error)
{
  double second = (double) resampler_get_rate (self->resampler) * sizeof (float) *
                  (self->config->channels == SONG_CHANNELS_KEEP ? channels : 1);

  if (resampler_get_seconds (self->resampler) * second <= (double) MAX_BYTES)
    return TRUE;
  return song_error (
    self, error, SEGUE_ERROR_DATA,
    "takes more than 2 GiB when decoded, as any song longer than %.0f s does" SEGUE_ADVICE (
      "; use its beginning with ", "when_long=cut") SEGUE_ADVICE (" ", "max_duration=%.0f"),
    (double) MAX_BYTES / second, floor ((double) MAX_BYTES / second));
}

/* Limits @n_frames to those that the song may still have. */
static gboolean
check_limits (Song *self, gsize *n_frames, guint rate, guint channels, GError **error)
{
  double room = self->config->max_duration - get_place (self);
  gsize fits = rate && room > 0 ? (gsize) (room * rate + 0.5) : 0;

  if (!song_check_clock (self, error) || !check_size (self, channels, error))
    return FALSE;
  if (*n_frames > fits && self->config->when_long == SONG_WHEN_LONG_FAIL)
    return too_long (self, error);
  *n_frames = MIN (*n_frames, fits);
  return TRUE;
}

/* How many of the next @n_frames are before the passage; they count as passed. */
static gsize
pass (Song *self, gsize n_frames, guint rate)
{
  double before = song_has_begun (self) || rate == 0 ? 0 : (self->begin - self->passed) * rate;
  /* Sums of times are a little off; a frame that is dropped too few would shift the resampler's output. */
  gsize n = before > 0 ? (gsize) MIN (before + 1e-3, (double) n_frames) : 0;

  self->passed += n > 0 ? (double) n / rate : 0;
  return n;
}

gboolean
song_push (Song *self, const float *frames, gsize n_frames, guint rate, guint channels,
           GError **error)
{
  gsize n = pass (self, n_frames, rate);

  n_frames -= n;
  return check_limits (self, &n_frames, rate, channels, error) &&
         (n_frames == 0 ||
          resampler_push (self->resampler, frames + n * channels, n_frames, rate, channels,
                          error) ||
          name_error (self, error));
}

gboolean
song_push_planes (Song *self, const float *const *planes, gsize stride, gsize n_frames, guint rate,
                  guint channels, GError **error)
{
  const float *rest[RESAMPLER_MAX_CHANNELS] = { NULL };
  gsize n = pass (self, n_frames, rate);

  n_frames -= n;
  for (guint c = 0; c < MIN (channels, RESAMPLER_MAX_CHANNELS); c++)
    rest[c] = planes[c] + n * stride;
  return check_limits (self, &n_frames, rate, channels, error) &&
         (n_frames == 0 ||
          resampler_push_planes (self->resampler, rest, stride, n_frames, rate, channels, error) ||
          name_error (self, error));
}

static gboolean
check_result (Song *self, double seconds, GError **error)
{
  const SongConfig *config = self->config;
  double promised = MIN (self->declared, MIN (config->max_duration, self->end));

  if (seconds <= 0 && self->passed > 0)
    return song_error (self, error, SEGUE_ERROR_DATA, "has no audio at %.0f s", self->begin);
  if (seconds <= 0 && self->declared > 0)
    return song_error (
      self, error, SEGUE_ERROR_UNSUPPORTED,
      "declares %.2f s of audio, none of which this decoder can decode: it is damaged, or in a "
      "format that the decoder does not support; export it again, as WAV or FLAC with 24 bits",
      self->declared);
  if (seconds <= 0)
    return song_error (self, error, SEGUE_ERROR_UNSUPPORTED, "contains no audio");
  if (!isnan (self->declared) &&
      self->passed + seconds + DELAY_SLACK < promised * config->completeness)
    return song_error (
      self, error, SEGUE_ERROR_DATA,
      "is truncated or damaged: %.2f s of the declared %.2f s could be decoded; get a complete "
      "copy" SEGUE_ADVICE (", or use what is left with ", "completeness=0"),
      seconds, self->declared);
  if (self->passed + seconds < config->min_duration)
    return song_error (self, error, SEGUE_ERROR_DATA,
                       "lasts %.2f s, less than min_duration (%g s)" SEGUE_ADVICE (
                         "; accept it with ", "min_duration=0"),
                       seconds, config->min_duration);
  return TRUE;
}

/* @frames: [n] */
static gboolean
is_silent (const float *frames, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (fabsf (frames[i]) > SILENCE)
      return FALSE;
  return TRUE;
}

static gboolean
check_silence (Song *self, GBytes *frames, GError **error)
{
  gsize size;
  const float *x = g_bytes_get_data (frames, &size);

  /* A passage may be silent. */
  if (self->config->silence == SONG_SILENCE_KEEP || isfinite (self->end))
    return TRUE;
  if (resampler_get_mono_share (self->resampler) < CANCELLED)
    return song_error (
      self, error, SEGUE_ERROR_DATA,
      "is silent in mono: its channels cancel each other (one is inverted); repair "
      "it" SEGUE_ADVICE (", or use it with ", "silence=keep"));
  if (is_silent (x, size / sizeof *x))
    return song_error (self, error, SEGUE_ERROR_DATA,
                       "is silent from beginning to end; remove it" SEGUE_ADVICE (
                         ", or use it with ", "silence=keep"));
  return TRUE;
}

gboolean
song_emit (Song *self, SegueContext *context, GError **error)
{
  double seconds = resampler_get_seconds (self->resampler);
  g_autoptr (GBytes) frames = NULL;
  g_autoptr (SegueItem) item = NULL;
  guint channels, rate;
  gsize n_frames;

  if (!check_result (self, seconds, error))
    return FALSE;
  if (song_is_full (self) && isinf (self->end))
    segue_context_count (context, "songs cut at max_duration", 1);
  frames = resampler_finish (self->resampler, &channels, error);
  if (!frames)
    return name_error (self, error);
  n_frames = g_bytes_get_size (frames) / (sizeof (float) * channels);
  if (n_frames == 0)
    return song_error (self, error, SEGUE_ERROR_DATA, "is too short: %g s", seconds);
  if (!check_silence (self, frames, error))
    return FALSE;
  rate = resampler_get_rate (self->resampler);
  item = segue_item_new_audio (self->file, NULL, frames, rate, channels);
  segue_item_set_double (item, SEGUE_META_START, self->passed);
  segue_item_set_double (item, SEGUE_META_DURATION, (double) n_frames / rate);
  report (self, context);
  return segue_context_emit (context, g_steal_pointer (&item), error);
}

char *
song_resampler_version (void)
{
  return g_strdup_printf ("%s hq", soxr_version ());
}

/* The resampler has its own tables. */
void
song_preload (void)
{
  g_autoptr (Resampler) resampler = resampler_new (16000, FALSE, 0);
  g_autofree float *silence = g_new0 (float, 2 * 44100);
  g_autoptr (GBytes) output = NULL;
  guint channels;

  if (resampler_push (resampler, silence, 44100, 44100, 2, NULL))
    output = resampler_finish (resampler, &channels, NULL);
}
