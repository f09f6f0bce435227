#include "nn-private.h"

#include <kiss_fftr.h>
#include <math.h>
#include <segue/error.h>
#include <segue/nn/log-mel.h>
#include <string.h>

#define FRAMES_PER_TILE 32

/* Buffers of one thread: kissfft keeps its own scratch in the plan. */
typedef struct {
  kiss_fftr_cfg fft;
  float *samples;     /* [fft] */
  kiss_fft_cpx *bins; /* [fft / 2 + 1] */
} Worker;

struct _SegueNnLogMel {
  SegueNnLogMelConfig config;
  float *window; /* [window] */
  SegueNnMelBands *bands;
  Worker *workers;
  guint n_workers;
};

static gboolean
check_config (const SegueNnLogMelConfig *c, GError **error)
{
  const char *wrong = NULL;
  if (c->fft < 4 || c->fft > SEGUE_NN_LOG_MEL_MAX_FFT || c->fft % 2 != 0)
    wrong = "the FFT must have 4 to 65536 points, an even number";
  else if (c->window < 2 || c->window > c->fft)
    wrong = "the window must be at least 2 samples and no longer than the FFT";
  else if (c->hop < 1 || c->hop > SEGUE_NN_LOG_MEL_MAX_FFT)
    wrong = "the hop must be 1 to 65536 samples";
  else if (!(c->floor > 0.0 && isfinite (c->floor)))
    wrong = "the floor under the logarithm must be above 0";
  else if (!(c->gain >= 0.0 && isfinite (c->gain)))
    wrong = "the gain must not be negative";
  if (!wrong)
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
  double sum = 0.0, gain = log_mel->config.gain > 0.0 ? sqrt (log_mel->config.gain) : 1.0;
  log_mel->window = g_try_new (float, n);
  if (!log_mel->window)
    return no_memory (error);
  for (gsize i = 0; i < n; i++)
    sum += 0.5 - 0.5 * cos (2.0 * G_PI * (double) i / (double) n);
  for (gsize i = 0; i < n; i++)
    log_mel->window[i] = (float) (gain * (1.0 - cos (2.0 * G_PI * (double) i / (double) n)) / sum);
  return TRUE;
}

static gboolean
make_bands (SegueNnLogMel *log_mel, GError **error)
{
  const SegueNnLogMelConfig *c = &log_mel->config;
  SegueNnMelBandsConfig bands = { .scale = c->scale,
                                  .rate = c->rate,
                                  .fft = c->fft,
                                  .n = c->bands,
                                  .low = c->low,
                                  .high = c->high,
                                  .equal_area = c->equal_area };
  log_mel->bands = segue_nn_mel_bands_new (&bands, error);
  return log_mel->bands != NULL;
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
    if (!worker->fft || !worker->samples || !worker->bins)
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
  if (!log_mel)
    return;
  for (guint i = 0; i < log_mel->n_workers; i++) {
    if (log_mel->workers[i].fft)
      kiss_fftr_free (log_mel->workers[i].fft);
    g_free (log_mel->workers[i].samples);
    g_free (log_mel->workers[i].bins);
  }
  g_free (log_mel->workers);
  g_free (log_mel->window);
  segue_nn_mel_bands_free (log_mel->bands);
  g_free (log_mel);
}

gsize
segue_nn_log_mel_frames (const SegueNnLogMelConfig *config, gsize samples)
{
  if (config->centred)
    return samples <= config->window / 2 ? 0 : samples / config->hop + 1;
  return samples < config->window ? 0 : (samples - config->window) / config->hop + 1;
}

typedef struct {
  SegueNnLogMel *log_mel;
  gsize samples, frames;
  gsize tiles; /* per item */
  const float *x;
  float *y;
} Forward;

/* to [window] = x [samples] from `first` on, reflected at both ends. */
static void
take_samples (const SegueNnLogMelConfig *c, gsize samples, const float *x, gssize first, float *to)
{
  gssize n = (gssize) samples;
  if (first >= 0 && first + (gssize) c->window <= n) {
    memcpy (to, x + first, c->window * sizeof *to);
    return;
  }
  for (gsize i = 0; i < c->window; i++) {
    gssize at = ABS (first + (gssize) i);
    to[i] = x[at < n ? at : 2 * (n - 1) - at];
  }
}

/* y [bands] of one frame, whose samples are the worker's. */
static void
make_frame (const SegueNnLogMel *log_mel, Worker *worker, float *y)
{
  const SegueNnLogMelConfig *c = &log_mel->config;
  float *power = worker->samples; /* the transform no longer needs them */

  for (gsize i = 0; i < c->window; i++)
    worker->samples[i] *= log_mel->window[i];
  memset (worker->samples + c->window, 0, (c->fft - c->window) * sizeof *worker->samples);
  kiss_fftr (worker->fft, worker->samples, worker->bins);
  for (gsize k = 0; k <= c->fft / 2; k++)
    power[k] = worker->bins[k].r * worker->bins[k].r + worker->bins[k].i * worker->bins[k].i;
  segue_nn_mel_bands_forward (log_mel->bands, 1, power, y);
  for (gsize m = 0; m < c->bands; m++)
    y[m] = logf ((float) c->floor + y[m]);
}

static void
run_tile (gpointer data, gsize tile, guint thread)
{
  const Forward *f = data;
  const SegueNnLogMelConfig *c = &f->log_mel->config;
  gsize item = tile / f->tiles, first = tile % f->tiles * FRAMES_PER_TILE;
  gsize last = MIN (first + FRAMES_PER_TILE, f->frames);

  Worker *worker = &f->log_mel->workers[thread];
  gsize before = c->centred ? c->window / 2 : 0;

  for (gsize t = first; t < last; t++) {
    take_samples (c, f->samples, f->x + item * f->samples, (gssize) (t * c->hop) - (gssize) before,
                  worker->samples);
    make_frame (f->log_mel, worker, f->y + (item * f->frames + t) * c->bands);
  }
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
