/* Stockham's algorithm, decimation in frequency: stage after stage writes to the other buffer, so that the result is
 * in order. */
#include "nn-private.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/fft.h>

#define LANES       (SEGUE_NN_FFT_SIGNALS / 2)
#define MAX_LENGTH  65536
#define MAX_FACTORS 16
#define MAX_RADIX   13

/* One element of LANES signals. */
typedef float Lanes __attribute__ ((vector_size (LANES * sizeof (float)), aligned (4), may_alias));

typedef struct {
  Lanes re, im;
} Complex;

typedef struct {
  float re, im;
} Twiddle;

struct _SegueNnFft {
  gsize n;
  guint n_factors;
  guint factors[MAX_FACTORS];
  Twiddle *twiddles;                       /* of all stages: [length / radix][radix − 1] */
  Twiddle roots[MAX_RADIX + 1][MAX_RADIX]; /* by radix: e^(−2πi j / radix) */
  Complex *a, *b;                          /* [n] */
};

static const guint radices[] = { 4, 2, 3, 5, 7, 11, 13 };

gboolean
segue_nn_fft_supports (gsize n)
{
  if (n < 2 || n > MAX_LENGTH)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (radices); i++)
    while (n % radices[i] == 0)
      n /= radices[i];
  return n == 1;
}

static void
factorise (SegueNnFft *fft)
{
  gsize rest = fft->n;
  for (gsize i = 0; i < G_N_ELEMENTS (radices); i++)
    for (; rest % radices[i] == 0; rest /= radices[i])
      fft->factors[fft->n_factors++] = radices[i];
}

static Twiddle
root_of_unity (gsize k, gsize n)
{
  double angle = -2.0 * G_PI * (double) (k % n) / (double) n;
  return (Twiddle){ .re = (float) cos (angle), .im = (float) sin (angle) };
}

static gboolean
make_twiddles (SegueNnFft *fft)
{
  gsize total = 0, length = fft->n;
  for (guint f = 0; f < fft->n_factors; length /= fft->factors[f++])
    total += length / fft->factors[f] * (fft->factors[f] - 1);
  fft->twiddles = g_try_new (Twiddle, total);
  if (!fft->twiddles)
    return FALSE;
  Twiddle *w = fft->twiddles;
  length = fft->n;
  for (guint f = 0; f < fft->n_factors; length /= fft->factors[f++])
    for (gsize p = 0; p < length / fft->factors[f]; p++)
      for (guint k = 1; k < fft->factors[f]; k++)
        *w++ = root_of_unity (p * k, length);
  for (gsize i = 0; i < G_N_ELEMENTS (radices); i++)
    for (guint j = 0; j < radices[i]; j++)
      fft->roots[radices[i]][j] = root_of_unity (j, radices[i]);
  return TRUE;
}

SegueNnFft *
segue_nn_fft_new (gsize n, GError **error)
{
  if (!segue_nn_fft_supports (n)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "can't compute an FFT of %" G_GSIZE_FORMAT
                 " points: must be 2 to 65536, without prime factors above 13",
                 n);
    return NULL;
  }
  g_autoptr (SegueNnFft) fft = g_new0 (SegueNnFft, 1);
  fft->n = n;
  factorise (fft);
  fft->a = g_try_new (Complex, n);
  fft->b = g_try_new (Complex, n);
  if (!fft->a || !fft->b || !make_twiddles (fft)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory for an FFT");
    return NULL;
  }
  return g_steal_pointer (&fft);
}

void
segue_nn_fft_free (SegueNnFft *fft)
{
  if (!fft)
    return;
  g_free (fft->twiddles);
  g_free (fft->a);
  g_free (fft->b);
  g_free (fft);
}

#define ADD(x, y)      ((Complex){ (x).re + (y).re, (x).im + (y).im })
#define SUBTRACT(x, y) ((Complex){ (x).re - (y).re, (x).im - (y).im })
/* x − i y, x + i y */
#define MINUS_I(x, y) ((Complex){ (x).re + (y).im, (x).im - (y).re })
#define PLUS_I(x, y)  ((Complex){ (x).re - (y).im, (x).im + (y).re })

/* The transform of x [radix], in place; roots [radix]. Elements j and radix − j have conjugate roots. */
NN_INLINE void
transform_odd (guint radix, const Twiddle *roots, Complex *x)
{
  Complex sum[MAX_RADIX / 2 + 1], difference[MAX_RADIX / 2 + 1], first = x[0];
  for (guint j = 1; j <= radix / 2; j++) {
    sum[j] = ADD (x[j], x[radix - j]);
    difference[j] = SUBTRACT (x[j], x[radix - j]);
    x[0] = ADD (x[0], sum[j]);
  }
  for (guint k = 1; k <= radix / 2; k++) {
    Complex even = first, odd = { 0 };
    for (guint j = 1; j <= radix / 2; j++) {
      Twiddle w = roots[j * k % radix];
      even.re += w.re * sum[j].re;
      even.im += w.re * sum[j].im;
      odd.re -= w.im * difference[j].re;
      odd.im -= w.im * difference[j].im;
    }
    x[k] = MINUS_I (even, odd);
    x[radix - k] = PLUS_I (even, odd);
  }
}

NN_INLINE void
transform (guint radix, const Twiddle *roots, Complex *x)
{
  if (radix == 2) {
    Complex t = x[0];
    x[0] = ADD (t, x[1]);
    x[1] = SUBTRACT (t, x[1]);
  } else if (radix == 4) {
    Complex a = ADD (x[0], x[2]), b = SUBTRACT (x[0], x[2]);
    Complex c = ADD (x[1], x[3]), d = SUBTRACT (x[1], x[3]);
    x[0] = ADD (a, c);
    x[1] = MINUS_I (b, d);
    x[2] = SUBTRACT (a, c);
    x[3] = PLUS_I (b, d);
  } else {
    transform_odd (radix, roots, x);
  }
}

/* One stage: `stride` interleaved transforms of radix · m elements become radix times as many of m. */
NN_INLINE void
run_stage (guint radix, const Twiddle *roots, gsize m, gsize stride, const Twiddle *w,
           const Complex *in, Complex *out)
{
  for (gsize p = 0; p < m; p++, w += radix - 1)
    for (gsize q = 0; q < stride; q++) {
      Complex x[MAX_RADIX];
      for (guint j = 0; j < radix; j++)
        x[j] = in[q + stride * (p + m * j)];
      transform (radix, roots, x);
      Complex *y = out + q + stride * radix * p;
      y[0] = x[0];
      for (guint k = 1; k < radix; k++)
        y[stride * k] = (Complex){ x[k].re * w[k - 1].re - x[k].im * w[k - 1].im,
                                   x[k].re * w[k - 1].im + x[k].im * w[k - 1].re };
    }
}

NN_VECTORISED
static const Complex *
run_stages (const SegueNnFft *fft, const Complex *in)
{
  const Twiddle *w = fft->twiddles;
  Complex *out = fft->a;
  gsize stride = 1, length = fft->n;
  for (guint f = 0; f < fft->n_factors; f++) {
    guint radix = fft->factors[f];
    gsize m = length / radix;
    const Twiddle *roots = fft->roots[radix];
    switch (radix) { /* constants, so that the compiler unrolls what they count */
    case 2:
      run_stage (2, roots, m, stride, w, in, out);
      break;
    case 3:
      run_stage (3, roots, m, stride, w, in, out);
      break;
    case 4:
      run_stage (4, roots, m, stride, w, in, out);
      break;
    case 5:
      run_stage (5, roots, m, stride, w, in, out);
      break;
    case 7:
      run_stage (7, roots, m, stride, w, in, out);
      break;
    case 11:
      run_stage (11, roots, m, stride, w, in, out);
      break;
    default:
      run_stage (13, roots, m, stride, w, in, out);
    }
    w += m * (radix - 1);
    stride *= radix;
    length = m;
    in = out;
    out = in == fft->a ? fft->b : fft->a;
  }
  return in;
}

/* Real and imaginary part were two signals; of Z, they have the spectra (Z_k + Z*_−k) / 2 and (Z_k − Z*_−k) / 2i. */
NN_VECTORISED
static void
separate (gsize n, const Complex *z, float *re, float *im)
{
  for (gsize k = 0; k <= n / 2; k++) {
    Complex a = z[k], b = z[k == 0 ? 0 : n - k];
    Lanes *real = (Lanes *) (gpointer) (re + k * SEGUE_NN_FFT_SIGNALS);
    Lanes *imaginary = (Lanes *) (gpointer) (im + k * SEGUE_NN_FFT_SIGNALS);
    real[0] = (a.re + b.re) * 0.5f;
    imaginary[0] = (a.im - b.im) * 0.5f;
    real[1] = (a.im + b.im) * 0.5f;
    imaginary[1] = (b.re - a.re) * 0.5f;
  }
}

void
segue_nn_fft_forward (SegueNnFft *fft, const float *x, float *re, float *im)
{
  const Complex *in = (const Complex *) (gconstpointer) x;
  separate (fft->n, run_stages (fft, in), re, im);
}
