#include "resampler.h"

#include <math.h>
#include <soxr.h>
#include <string.h>

#define MIN_RATE     1000
#define MAX_RATE     1536000
#define MAX_CHANNELS RESAMPLER_MAX_CHANNELS
/* Twice the highest audible frequency, and more: higher rates of files are reduced to it. */
#define MAX_OWN_RATE 48000
/* Frames that are mixed and resampled at once: small enough to stay in the first-level cache. */
#define BLOCK 2048
/* One sample in this many counts for the energy; no usual tone has that period. */
#define ENERGY_STEP 13
/* Full scale is 1. Louder values are not audio, and their sums may become infinite. */
#define LOUDEST 1e30f

struct _Resampler {
  guint rate; /* of the output; 0: no input yet */
  gboolean keep_channels;
  double expected_seconds;

  soxr_t soxr; /* NULL: the native rate is the output rate, or there was no input yet */
  guint native_rate;
  guint channels;        /* of the output; 0: no input yet */
  guint64 native_frames; /* since the rate last changed */
  guint64 base_length;   /* output frames before the rate last changed */
  double seconds;        /* before the rate last changed */
  double energy[2];      /* of the channels, the mean of them; of their mean */

  float *output; /* [capacity, channels] */
  gsize length;
  gsize capacity;
};

Resampler *
resampler_new (guint rate, gboolean keep_channels, double expected_seconds)
{
  Resampler *self = g_new0 (Resampler, 1);

  self->rate = rate;
  self->keep_channels = keep_channels;
  self->expected_seconds = MAX (expected_seconds, 0);
  return self;
}

void
resampler_free (Resampler *self)
{
  if (!self)
    return;
  soxr_delete (self->soxr);
  g_free (self->output);
  g_free (self);
}

guint
resampler_get_rate (const Resampler *self)
{
  return self->rate;
}

double
resampler_get_seconds (const Resampler *self)
{
  return self->seconds + (self->native_rate ? (double) self->native_frames / self->native_rate : 0);
}

double
resampler_get_mono_share (const Resampler *self)
{
  return self->energy[0] > 0 ? self->energy[1] / self->energy[0] : 1;
}

static gboolean
out_of_memory (const Resampler *self, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "not enough memory for a song of more than %.0f s; decode fewer songs at once (-j "
               "1)" SEGUE_ADVICE (", or skip long songs with ", "max_duration=600"),
               (double) self->length / self->rate);
  return FALSE;
}

/* Makes room for @extra more frames. Growing by half keeps the waste bounded for songs without a declared
 * length. */
static gboolean
reserve (Resampler *self, gsize extra, GError **error)
{
  gsize wanted, bytes;
  float *grown;

  if (extra <= self->capacity - self->length)
    return TRUE;
  if (!g_size_checked_add (&wanted, self->length, extra))
    return out_of_memory (self, error);
  wanted = MAX (wanted, self->capacity + self->capacity / 2);
  if (!self->output)
    wanted = MAX (wanted, (gsize) (self->expected_seconds * self->rate) + BLOCK);
  if (!g_size_checked_mul (&bytes, wanted, sizeof (float) * self->channels))
    return out_of_memory (self, error);
  grown = g_try_realloc (self->output, bytes);
  if (!grown)
    return out_of_memory (self, error);
  self->output = grown;
  self->capacity = wanted;
  return TRUE;
}

/* Runs @frames ([n_frames, channels]; NULL: the end of the input) through the filter. */
static gboolean
resample (Resampler *self, const float *frames, gsize n_frames, GError **error)
{
  gsize room = (gsize) ((double) BLOCK * self->rate / self->native_rate) + 64;
  gsize used, made;

  do {
    soxr_error_t problem;

    if (!reserve (self, room, error))
      return FALSE;
    used = made = 0;
    problem = soxr_process (self->soxr, frames, n_frames, frames ? &used : NULL,
                            self->output + self->length * self->channels, room, &made);
    if (problem) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "soxr: %s", soxr_strerror (problem));
      return FALSE;
    }
    self->length += made;
    if (frames)
      frames += used * self->channels;
    n_frames -= used;
  } while (n_frames > 0 || made == room || (!frames && made > 0));
  return TRUE;
}

/* Flushes the filter, and adjusts the length to match the rates exactly. */
static gboolean
drain (Resampler *self, GError **error)
{
  guint64 exact;

  if (!self->soxr)
    return TRUE;
  if (!resample (self, NULL, 0, error))
    return FALSE;
  soxr_delete (self->soxr);
  self->soxr = NULL;
  exact = self->base_length +
          (guint64) ((double) self->native_frames * self->rate / self->native_rate + 0.5);
  while (self->length < exact) {
    if (!reserve (self, 1, error))
      return FALSE;
    memset (self->output + self->length * self->channels, 0, sizeof (float) * self->channels);
    self->length++;
  }
  self->length = exact;
  return TRUE;
}

static gboolean
start_rate (Resampler *self, guint rate, GError **error)
{
  soxr_io_spec_t io = soxr_io_spec (SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  soxr_quality_spec_t quality = soxr_quality_spec (SOXR_HQ, 0);
  /* One thread: songs are decoded in parallel, not channels. */
  soxr_runtime_spec_t runtime = soxr_runtime_spec (1);
  soxr_error_t problem = NULL;

  if (!drain (self, error))
    return FALSE;
  self->seconds = resampler_get_seconds (self);
  self->native_frames = 0;
  self->base_length = self->length;
  self->native_rate = rate;
  if (rate == self->rate)
    return TRUE;
  self->soxr = soxr_create (rate, self->rate, self->channels, &problem, &io, &quality, &runtime);
  if (problem || !self->soxr) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "can't resample from %u to %u Hz: %s",
                 rate, self->rate, problem ? soxr_strerror (problem) : "out of memory");
    return FALSE;
  }
  return TRUE;
}

/* The rate of the output for input at @rate, if none was requested. */
static guint
own_rate (guint rate)
{
  if (rate <= MAX_OWN_RATE)
    return rate;
  return rate % 44100 == 0 ? 44100 : MAX_OWN_RATE;
}

static gboolean
check_format (Resampler *self, guint rate, guint channels, GError **error)
{
  if (rate < MIN_RATE || rate > MAX_RATE || channels < 1 || channels > MAX_CHANNELS) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED,
                 "declares %u channels at %u Hz, which is outside the supported range", channels,
                 rate);
    return FALSE;
  }
  if (self->rate == 0)
    self->rate = own_rate (rate);
  if (self->channels == 0)
    self->channels = self->keep_channels ? channels : 1;
  if (self->keep_channels && self->channels != channels) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "changes from %u to %u channels partway" SEGUE_ADVICE ("; decode it with ", "channels=mono"),
      self->channels, channels);
    return FALSE;
  }
  return rate == self->native_rate || start_rate (self, rate, error);
}

/* Adds every @stride-th sample of @x to the sums in @output, or starts these; FALSE: a sample is not a number, or
 * far out of range. */
static inline gboolean
add_samples (float *output, const float *x, gsize stride, gsize n, gboolean begins)
{
  gboolean fine = TRUE;

  for (gsize i = 0; i < n; i++) {
    fine &= fabsf (x[i * stride]) <= LOUDEST;
    output[i] = begins ? x[i * stride] : output[i] + x[i * stride];
  }
  return fine;
}

/* The usual strides as constants, which makes the loops run over vectors. */
static gboolean
add_channel (float *output, const float *x, gsize stride, gsize n, gboolean begins)
{
  if (stride == 1)
    return add_samples (output, x, 1, n, begins);
  if (stride == 2)
    return add_samples (output, x, 2, n, begins);
  return add_samples (output, x, stride, n, begins);
}

/* The mean of all channels: [n]. */
static gboolean
mix (float *output, const float *const *planes, gsize stride, gsize n, guint channels)
{
  const float scale = 1.0f / (float) channels;
  gboolean fine = TRUE;

  for (guint c = 0; c < channels; c++)
    fine &= add_channel (output, planes[c], stride, n, c == 0);
  for (gsize i = 0; i < n && channels > 1; i++)
    output[i] *= scale;
  return fine;
}

/* The energy that mixing loses here, or in a later stage, to detect channels that cancel each other. */
static void
note_energy (Resampler *self, const float *const *planes, gsize stride, gsize n, guint channels)
{
  for (gsize i = 0; i < n; i += ENERGY_STEP) {
    double sum = 0, energy = 0;

    for (guint c = 0; c < channels; c++) {
      double x = (double) planes[c][i * stride];

      sum += x;
      energy += x * x;
    }
    self->energy[0] += energy / channels;
    self->energy[1] += sum / channels * (sum / channels);
  }
}

/* All channels unchanged: [n, channels]. */
static gboolean
interleave (float *output, const float *const *planes, gsize stride, gsize n, guint channels)
{
  gboolean fine = TRUE;

  for (guint c = 0; c < channels; c++)
    for (gsize i = 0; i < n; i++) {
      fine &= fabsf (planes[c][i * stride]) <= LOUDEST;
      output[i * channels + c] = planes[c][i * stride];
    }
  return fine;
}

/* @block: [n, self->channels] */
static gboolean
take (Resampler *self, const float *block, gsize n, GError **error)
{
  if (self->soxr)
    return resample (self, block, n, error);
  if (!reserve (self, n, error))
    return FALSE;
  memcpy (self->output + self->length * self->channels, block, n * self->channels * sizeof (float));
  self->length += n;
  return TRUE;
}

gboolean
resampler_push_planes (Resampler *self, const float *const *planes, gsize stride, gsize n_frames,
                       guint rate, guint channels, GError **error)
{
  const float *at[MAX_CHANNELS];
  float block[BLOCK];

  if (!check_format (self, rate, channels, error))
    return FALSE;
  for (gsize done = 0, n; done < n_frames; done += n) {
    gboolean fine;

    n = MIN (n_frames - done, BLOCK / self->channels);
    for (guint c = 0; c < channels; c++)
      at[c] = planes[c] + done * stride;
    fine = self->keep_channels ? interleave (block, at, stride, n, channels)
                               : mix (block, at, stride, n, channels);
    if (!fine) {
      g_set_error (
        error, SEGUE_ERROR, SEGUE_ERROR_DATA,
        "contains samples that are not numbers, or infinite, after %.2f s: export the file again",
        resampler_get_seconds (self));
      return FALSE;
    }
    if (!take (self, block, n, error))
      return FALSE;
    if (channels > 1)
      note_energy (self, at, stride, n, channels);
    self->native_frames += n;
  }
  return TRUE;
}

gboolean
resampler_push (Resampler *self, const float *frames, gsize n_frames, guint rate, guint channels,
                GError **error)
{
  const float *planes[MAX_CHANNELS];

  for (guint c = 0; c < MIN (channels, MAX_CHANNELS); c++)
    planes[c] = frames + c;
  return resampler_push_planes (self, planes, channels, n_frames, rate, channels, error);
}

GBytes *
resampler_finish (Resampler *self, guint *channels, GError **error)
{
  gsize bytes;
  float *output;

  if (!drain (self, error))
    return NULL;
  *channels = MAX (self->channels, 1);
  bytes = self->length * sizeof (float) * *channels;
  /* Shrinking can't really fail; if it does, the larger block can be used as well. */
  output = bytes ? g_try_realloc (self->output, bytes) : NULL;
  if (!output)
    output = g_steal_pointer (&self->output);
  self->output = NULL;
  self->length = self->capacity = 0;
  return g_bytes_new_take (output, bytes);
}
