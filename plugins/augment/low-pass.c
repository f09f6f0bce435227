/* low-pass: removes high frequencies, as lossy encoders do.
 *
 * A linear-phase filter, applied to overlapping blocks by Fourier transforms (overlap-save). Its taps are those of the
 * ideal filter in Kaiser's window: A. V. Oppenheim, R. W. Schafer, “Discrete-Time Signal Processing”, 3rd ed., 7.6.
 */
#include "op.h"

#include <math.h>
#include <segue/nn/fft.h>
#include <segue/random.h>
#include <string.h>

/* Taps at either side of the middle one: at 44.1 kHz, 430 Hz from the last frequency that passes to the first that
 * does not. */
#define REACH 256
/* Attenuation of what does not pass, in dB, and the shape of Kaiser's window for it. */
#define ATTENUATION 80.0
#define SHAPE       (0.1102 * (ATTENUATION - 8.7))
/* Length of a transform; in each, the frames that all taps reach are kept. */
#define BLOCK 4096
#define KEPT  (BLOCK - 2 * REACH)
#define BINS  (BLOCK / 2 + 1)
#define LANES SEGUE_NN_FFT_SIGNALS

typedef struct {
  double p;
  double hz[2];
} LowPassConfig;

static const SegueParam *const low_pass_params[] = {
  OP_PROBABILITY (LowPassConfig),
  SEGUE_PARAM (LowPassConfig, hz, SEGUE_PARAM_RANGE, .def = "[11000, 17000]", .min = 1000,
               .max = 90000, .unit = "Hz",
               .doc = "Frequency above which nothing remains; drawn uniformly from the range."),
  NULL,
};

/* @x: [BLOCK, LANES]; @re, @im: its spectra [BINS, LANES].
 * @response: of the filter: real, so it causes no delay, and over BLOCK, since a Hartley transform is then its own inverse */
typedef struct {
  SegueNnFft *fft;
  float *x, *re, *im;
  float response[BINS];
} Filter;

static void
filter_clear (Filter *filter)
{
  segue_nn_fft_free (filter->fft);
  g_free (filter->x);
  g_free (filter->re);
  g_free (filter->im);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Filter, filter_clear)

/* The modified Bessel function of order 0, by its power series. */
static double
bessel (double x)
{
  double sum = 1, term = 1;
  for (guint k = 1; term > 1e-12 * sum; k++) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

/* Tap @i from the middle, for a filter whose response is a half at @cutoff (1: the sample rate). */
static double
tap (guint i, double cutoff)
{
  double at = (double) i / REACH;
  double window = bessel (SHAPE * sqrt (1 - at * at)) / bessel (SHAPE);
  return i == 0 ? 2 * cutoff : window * sin (2 * G_PI * cutoff * i) / (G_PI * i);
}

/* @from: the lowest frequency that does not pass. */
static gboolean
filter_init (Filter *filter, double from)
{
  double transition = (ATTENUATION - 7.95) / (14.36 * 2 * REACH);
  filter->fft = segue_nn_fft_new (BLOCK, NULL);
  filter->x = g_try_new0 (float, BLOCK *LANES);
  filter->re = g_try_new (float, BINS *LANES);
  filter->im = g_try_new (float, BINS *LANES);
  if (!filter->fft || !filter->x || !filter->re || !filter->im)
    return FALSE;
  for (guint i = 0; i <= REACH; i++) {
    float value = (float) tap (i, MAX (from - transition / 2, 0));
    filter->x[i * LANES] = filter->x[(BLOCK - i) % BLOCK * LANES] = value;
  }
  segue_nn_fft_forward (filter->fft, filter->x, filter->re, filter->im);
  for (guint k = 0; k < BINS; k++)
    filter->response[k] = filter->re[k * LANES] / BLOCK;
  return TRUE;
}

/* Replaces the signals in x by their Hartley transforms, times @response unless it is NULL: the differences of the real
 * and the imaginary parts of their spectra. */
static void
hartley (Filter *filter, const float *response)
{
  segue_nn_fft_forward (filter->fft, filter->x, filter->re, filter->im);
  for (guint k = 0; k < BINS; k++) {
    float scale = response ? response[k] : 1;
    float *low = filter->x + k * LANES, *high = filter->x + (BLOCK - k) % BLOCK * LANES;
    const float *re = filter->re + k * LANES, *im = filter->im + k * LANES;
    for (guint lane = 0; lane < LANES; lane++) {
      high[lane] = scale * (re[lane] + im[lane]);
      low[lane] = scale * (re[lane] - im[lane]);
    }
  }
}

/* The frames of a block that are kept: of channel @channel, from @start. */
typedef struct {
  guint channel;
  gsize start;
} Block;

static Block
get_block (gsize index, guint channels)
{
  return (Block){ .channel = (guint) (index % channels), .start = index / channels * KEPT };
}

/* Copies the block and what its taps reach into a lane; silence where there are no frames. */
static void
read_block (Filter *filter, guint lane, const float *samples, const OpSound *sound, Block block)
{
  for (gsize t = 0; t < BLOCK; t++) {
    gsize at = block.start + t;
    gboolean there = at >= REACH && at - REACH < sound->n_frames;
    filter->x[t * LANES + lane] =
      there ? samples[(at - REACH) * sound->channels + block.channel] : 0;
  }
}

static void
write_block (const Filter *filter, guint lane, const OpSound *sound, Block block)
{
  gsize n = MIN (sound->n_frames - block.start, (gsize) KEPT);
  for (gsize t = 0; t < n; t++)
    sound->samples[(block.start + t) * sound->channels + block.channel] =
      filter->x[(t + REACH) * LANES + lane];
}

static gboolean
low_pass (gconstpointer data, guint64 seed, const OpSound *sound)
{
  const LowPassConfig *config = data;
  double hz = segue_random_between (seed, 0, config->hz[0], config->hz[1]);
  if (2 * hz >= sound->rate)
    return TRUE;
  gsize size = sound->n_frames * sound->channels * sizeof (float);
  g_autofree float *samples = g_try_malloc (size);
  g_auto (Filter) filter = { NULL };
  if ((!samples && size > 0) || !filter_init (&filter, hz / sound->rate))
    return FALSE;
  memcpy (samples, sound->samples, size);
  gsize n_blocks = (sound->n_frames + KEPT - 1) / KEPT * sound->channels;
  for (gsize first = 0; first < n_blocks; first += LANES) {
    guint n = (guint) MIN (n_blocks - first, (gsize) LANES);
    memset (filter.x, 0, BLOCK * LANES * sizeof (float));
    for (guint lane = 0; lane < n; lane++)
      read_block (&filter, lane, samples, sound, get_block (first + lane, sound->channels));
    hartley (&filter, filter.response);
    hartley (&filter, NULL);
    for (guint lane = 0; lane < n; lane++)
      write_block (&filter, lane, sound, get_block (first + lane, sound->channels));
  }
  return TRUE;
}

const Op op_low_pass = {
  .group =
    SEGUE_INIT (SegueParamGroup, .name = "low-pass",
                .doc = "Removes high frequencies, as lossy encoders do: a model then does not "
                       "recognise artists by the encoder that their songs came from.",
                .size = sizeof (LowPassConfig), .params = low_pass_params),
  .apply = low_pass,
};
