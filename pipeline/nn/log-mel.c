#include "nn-private.h"

#include <kiss_fftr.h>
#include <math.h>
#include <segue/error.h>
#include <segue/nn/log-mel.h>
#include <string.h>

#define FRAMES_PER_TILE 32

/* The bins under one triangle. */
typedef struct {
  gsize first;
  gsize n;
  gsize weights; /* index of the first one's */
} Band;

/* Buffers of one thread: kissfft keeps its own scratch in the plan. */
typedef struct {
  kiss_fftr_cfg fft;
  float *samples;     /* [fft] */
  kiss_fft_cpx *bins; /* [fft / 2 + 1] */
} Worker;

struct _SegueNnLogMel {
  SegueNnLogMelConfig config;
  float *window; /* [window] */
  Band *bands;
  GArray *weights; /* float */
  Worker *workers;
  guint n_workers;
};

static double
mel_from_hz (SegueNnMelScale scale, double hz)
{
  if (scale == SEGUE_NN_MEL_HTK)
    return 2595.0 * log10 (1.0 + hz / 700.0);
  return hz < 1000.0 ? 3.0 * hz / 200.0 : 15.0 + 27.0 * log (hz / 1000.0) / log (6.4);
}

static double
hz_from_mel (SegueNnMelScale scale, double mel)
{
  if (scale == SEGUE_NN_MEL_HTK)
    return 700.0 * (pow (10.0, mel / 2595.0) - 1.0);
  return mel < 15.0 ? 200.0 * mel / 3.0 : 1000.0 * pow (6.4, (mel - 15.0) / 27.0);
}

static gboolean
check_config (const SegueNnLogMelConfig *c, GError **error)
{
  const char *wrong = NULL;
  if (!(c->rate > 0.0 && c->rate <= 1e6))
    wrong = "the rate must be between 0 and 1000000 Hz";
  else if (c->fft < 4 || c->fft > SEGUE_NN_LOG_MEL_MAX_FFT || c->fft % 2 != 0)
    wrong = "the FFT must have 4 to 65536 points, an even number";
  else if (c->window < 2 || c->window > c->fft)
    wrong = "the window must be at least 2 samples and no longer than the FFT";
  else if (c->hop < 1 || c->hop > SEGUE_NN_LOG_MEL_MAX_FFT)
    wrong = "the hop must be 1 to 65536 samples";
  else if (c->bands < 1 || c->bands > SEGUE_NN_LOG_MEL_MAX_BANDS)
    wrong = "there must be 1 to 1024 mel bands";
  else if (!(c->low >= 0.0 && c->low < c->high && c->high <= c->rate / 2.0))
    wrong = "the mel bands must be between 0 Hz and half the sample rate, low end first";
  else if (!(c->floor > 0.0 && isfinite (c->floor)))
    wrong = "the floor under the logarithm must be above 0";
  else if (c->scale != SEGUE_NN_MEL_HTK && c->scale != SEGUE_NN_MEL_SLANEY)
    wrong = "the mel scale must be htk or slaney";
  if (wrong == NULL)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't compute log-mel frames: %s", wrong);
  return FALSE;
}

static gboolean
no_memory (GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory for an FFT");
  return FALSE;
}

static gboolean
make_window (SegueNnLogMel *log_mel, GError **error)
{
  gsize n = log_mel->config.window;
  double sum = 0.0;
  log_mel->window = g_try_new (float, n);
  if (log_mel->window == NULL)
    return no_memory (error);
  for (gsize i = 0; i < n; i++)
    sum += 0.5 - 0.5 * cos (2.0 * G_PI * (double) i / (double) n);
  for (gsize i = 0; i < n; i++)
    log_mel->window[i] = (float) ((1.0 - cos (2.0 * G_PI * (double) i / (double) n)) / sum);
  return TRUE;
}

static gboolean
make_bands (SegueNnLogMel *log_mel, GError **error)
{
  const SegueNnLogMelConfig *c = &log_mel->config;
  double low = mel_from_hz (c->scale, c->low), high = mel_from_hz (c->scale, c->high);
  double step = (high - low) / (double) (c->bands + 1);

  log_mel->bands = g_new0 (Band, c->bands);
  log_mel->weights = g_array_new (FALSE, FALSE, sizeof (float));
  for (gsize m = 0; m < c->bands; m++) {
    Band *band = &log_mel->bands[m];
    double left = hz_from_mel (c->scale, low + (double) m * step);
    double centre = hz_from_mel (c->scale, low + (double) (m + 1) * step);
    double right = hz_from_mel (c->scale, low + (double) (m + 2) * step);
    band->weights = log_mel->weights->len;
    for (gsize k = 0; k <= c->fft / 2; k++) {
      double hz = (double) k * c->rate / (double) c->fft;
      float weight = (float) MIN ((hz - left) / (centre - left), (right - hz) / (right - centre));
      if (weight <= 0.0f)
        continue;
      if (band->n++ == 0)
        band->first = k;
      g_array_append_val (log_mel->weights, weight);
    }
    if (band->n == 0) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                   "mel band %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                   " (%.0f to %.0f Hz) is narrower than the bins of an FFT of %" G_GSIZE_FORMAT
                   " points: use fewer bands or a longer window",
                   m + 1, c->bands, left, right, c->fft);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
make_workers (SegueNnLogMel *log_mel, guint n_threads, GError **error)
{
  gsize fft = log_mel->config.fft;
  log_mel->n_workers = n_threads;
  log_mel->workers = g_new0 (Worker, n_threads);
  for (guint i = 0; i < n_threads; i++) {
    Worker *worker = &log_mel->workers[i];
    worker->fft = kiss_fftr_alloc ((int) fft, 0, NULL, NULL);
    worker->samples = g_try_new (float, fft);
    worker->bins = g_try_new (kiss_fft_cpx, fft / 2 + 1);
    if (worker->fft == NULL || worker->samples == NULL || worker->bins == NULL)
      return no_memory (error);
  }
  return TRUE;
}

SegueNnLogMel *
segue_nn_log_mel_new (const SegueNnLogMelConfig *config, SegueNnThreads *threads, GError **error)
{
  if (!check_config (config, error))
    return NULL;
  g_autoptr (SegueNnLogMel) log_mel = g_new0 (SegueNnLogMel, 1);
  log_mel->config = *config;
  if (!make_window (log_mel, error) || !make_bands (log_mel, error) ||
      !make_workers (log_mel, segue_nn_threads_get_count (threads), error))
    return NULL;
  return g_steal_pointer (&log_mel);
}

void
segue_nn_log_mel_free (SegueNnLogMel *log_mel)
{
  if (log_mel == NULL)
    return;
  for (guint i = 0; i < log_mel->n_workers; i++) {
    if (log_mel->workers[i].fft != NULL)
      kiss_fftr_free (log_mel->workers[i].fft);
    g_free (log_mel->workers[i].samples);
    g_free (log_mel->workers[i].bins);
  }
  g_free (log_mel->workers);
  g_free (log_mel->window);
  g_free (log_mel->bands);
  g_clear_pointer (&log_mel->weights, g_array_unref);
  g_free (log_mel);
}

gsize
segue_nn_log_mel_frames (const SegueNnLogMelConfig *config, gsize samples)
{
  return samples < config->window ? 0 : (samples - config->window) / config->hop + 1;
}

typedef struct {
  SegueNnLogMel *log_mel;
  gsize samples, frames;
  gsize tiles; /* per item */
  const float *x;
  float *y;
} Forward;

/* y [bands] of one frame. */
NN_INLINE void
make_frame (const SegueNnLogMel *log_mel, Worker *worker, const float *x, float *y)
{
  const SegueNnLogMelConfig *c = &log_mel->config;
  const float *weights = (const float *) (gpointer) log_mel->weights->data;
  float *power = worker->samples; /* the transform no longer needs them */

  for (gsize i = 0; i < c->window; i++)
    worker->samples[i] = x[i] * log_mel->window[i];
  memset (worker->samples + c->window, 0, (c->fft - c->window) * sizeof *worker->samples);
  kiss_fftr (worker->fft, worker->samples, worker->bins);
  for (gsize k = 0; k <= c->fft / 2; k++)
    power[k] = worker->bins[k].r * worker->bins[k].r + worker->bins[k].i * worker->bins[k].i;
  for (gsize m = 0; m < c->bands; m++) {
    const Band *band = &log_mel->bands[m];
    float sum = 0.0f;
    for (gsize k = 0; k < band->n; k++)
      sum += weights[band->weights + k] * power[band->first + k];
    y[m] = logf ((float) c->floor + sum);
  }
}

static void
run_tile (gpointer data, gsize tile, guint thread)
{
  const Forward *f = data;
  const SegueNnLogMelConfig *c = &f->log_mel->config;
  gsize item = tile / f->tiles, first = tile % f->tiles * FRAMES_PER_TILE;
  gsize last = MIN (first + FRAMES_PER_TILE, f->frames);

  for (gsize t = first; t < last; t++)
    make_frame (f->log_mel, &f->log_mel->workers[thread], f->x + item * f->samples + t * c->hop,
                f->y + (item * f->frames + t) * c->bands);
}

void
segue_nn_log_mel_forward (SegueNnThreads *threads, SegueNnLogMel *log_mel, gsize batch,
                          gsize samples, const float *x, float *y)
{
  g_assert (segue_nn_threads_get_count (threads) <= log_mel->n_workers);
  Forward f = { .log_mel = log_mel,
                .samples = samples,
                .frames = segue_nn_log_mel_frames (&log_mel->config, samples),
                .x = x,
                .y = y };
  f.tiles = nn_tiles (f.frames, FRAMES_PER_TILE);
  segue_nn_threads_run (threads, batch * f.tiles, run_tile, &f);
}
