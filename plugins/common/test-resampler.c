/* Tests of the resampler: exact lengths, changes in mid-stream, independence of block sizes. */
#include "resampler.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* Pushes @frames in blocks of @block. */
static GBytes *
run (guint rate, gboolean keep, const float *frames, gsize n_frames, guint native, guint channels,
     gsize block)
{
  g_autoptr (Resampler) resampler = resampler_new (rate, keep, 0);
  g_autoptr (GError) error = NULL;
  guint out_channels;
  GBytes *result;

  for (gsize done = 0; done < n_frames; done += block) {
    resampler_push (resampler, frames + done * channels, MIN (block, n_frames - done), native,
                    channels, &error);
    g_assert_no_error (error);
  }
  result = resampler_finish (resampler, &out_channels, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (out_channels, ==, keep ? channels : 1);
  return result;
}

static void
test_lengths (void)
{
  static const guint rates[][2] = { { 44100, 16000 }, { 48000, 16000 }, { 8000, 16000 },
                                    { 11025, 16000 }, { 192000, 4000 }, { 4000, 192000 },
                                    { 44101, 16000 }, { 16000, 22050 } };

  for (guint r = 0; r < G_N_ELEMENTS (rates); r++)
    for (gsize n = 0; n < 20000; n = n * 3 + 1) {
      g_autofree float *frames = g_new0 (float, n + 1);
      g_autoptr (GBytes) out = run (rates[r][1], FALSE, frames, n, rates[r][0], 1, 1000);

      g_assert_cmpuint (g_bytes_get_size (out) / sizeof (float), ==,
                        (gsize) floor ((double) n * rates[r][1] / rates[r][0] + 0.5));
    }
}

static void
test_blocks_do_not_matter (void)
{
  gsize n;
  g_autofree float *frames = test_sines (1000, 0.5, 44100, 2, &n);
  g_autoptr (GBytes) whole = run (16000, FALSE, frames, n, 44100, 2, n);

  for (gsize block = 1; block < 30000; block = block * 7 + 3) {
    g_autoptr (GBytes) pieces = run (16000, FALSE, frames, n, 44100, 2, block);

    g_assert_true (g_bytes_equal (whole, pieces));
  }
}

/* For any layout of channels, the bytes equal those of interleaved input. */
static void
test_planes (void)
{
  enum { CHANNELS = 3 };
  gsize n;
  g_autofree float *frames = test_sines (1000, 0.5, 44100, CHANNELS, &n);
  g_autofree float *apart = g_new (float, CHANNELS *n);
  const float *planes[CHANNELS];

  for (guint c = 0; c < CHANNELS; c++) {
    planes[c] = apart + c * n;
    for (gsize i = 0; i < n; i++)
      apart[c * n + i] = frames[i * CHANNELS + c] *= 1 - 0.7f * (float) c;
  }
  for (guint channels = 1; channels <= CHANNELS; channels++)
    for (guint keep = 0; keep < 2; keep++) {
      g_autoptr (Resampler) resampler = resampler_new (16000, keep, 0),
                            other = resampler_new (16000, keep, 0);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) lying_apart = NULL, side_by_side = NULL;
      g_autofree float *together = g_new (float, channels *n);
      guint out_channels;

      for (gsize i = 0; i < channels * n; i++)
        together[i] = planes[i % channels][i / channels];
      g_assert_true (resampler_push_planes (resampler, planes, 1, n, 44100, channels, &error));
      g_assert_true (resampler_push (other, together, n, 44100, channels, &error));
      lying_apart = resampler_finish (resampler, &out_channels, &error);
      g_assert_cmpuint (out_channels, ==, keep ? channels : 1);
      side_by_side = resampler_finish (other, &out_channels, &error);
      g_assert_true (g_bytes_equal (lying_apart, side_by_side));
    }
}

static void
test_keeps_channels (void)
{
  gsize n, size;
  g_autofree float *frames = test_sines (1000, 0.5, 44100, 3, &n);
  g_autoptr (GBytes) out = NULL;
  const float *x;

  for (gsize i = 0; i < n; i++) {
    frames[3 * i + 1] *= -1;
    frames[3 * i + 2] = 0;
  }
  out = run (16000, TRUE, frames, n, 44100, 3, 777);
  x = g_bytes_get_data (out, &size);
  g_assert_cmpuint (size, ==, 8000 * 3 * sizeof (float));
  for (gsize i = 0; i < 8000; i++) {
    g_assert_cmpfloat_with_epsilon (x[3 * i], -x[3 * i + 1], 1e-6);
    g_assert_cmpfloat (x[3 * i + 2], ==, 0);
  }
}

/* A chained stream: 1 s at 44.1 kHz stereo, 1 s at 16 kHz mono, 1 s at 48 kHz. */
static void
test_changes (void)
{
  static const guint rates[] = { 44100, 16000, 48000 }, channels[] = { 2, 1, 6 };
  g_autoptr (Resampler) resampler = resampler_new (16000, FALSE, 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (SegueItem) item = NULL;
  guint out_channels;

  for (guint i = 0; i < 3; i++) {
    gsize n;
    g_autofree float *frames = test_sines (1000, 1, rates[i], channels[i], &n);

    resampler_push (resampler, frames, n, rates[i], channels[i], &error);
    g_assert_no_error (error);
    g_assert_cmpfloat_with_epsilon (resampler_get_seconds (resampler), i + 1, 1e-9);
  }
  out = resampler_finish (resampler, &out_channels, &error);
  g_assert_cmpuint (g_bytes_get_size (out), ==, 48000 * sizeof (float));
  item = segue_item_new_audio (NULL, "x", out, 16000, 1);
  /* 1 kHz has a whole number of periods per second: the sine is continuous. */
  g_assert_cmpfloat_with_epsilon (test_level_db (item, 1000), -6.02, 0.05);
}

static void
test_refused (void)
{
  static const struct {
    float value;
    guint rate, channels;
    gboolean keep;
    SegueErrorCode code; /* UNSUPPORTED: another decoder may support it */
  } cases[] = {
    { NAN, 44100, 1, FALSE, SEGUE_ERROR_DATA },
    { INFINITY, 44100, 1, FALSE, SEGUE_ERROR_DATA },
    { 2e38f, 44100, 1, FALSE, SEGUE_ERROR_DATA },
    { -INFINITY, 16000, 1, TRUE, SEGUE_ERROR_DATA },
    { 0, 0, 1, FALSE, SEGUE_ERROR_UNSUPPORTED },
    { 0, 999, 1, FALSE, SEGUE_ERROR_UNSUPPORTED },
    { 0, 4000000000u, 1, FALSE, SEGUE_ERROR_UNSUPPORTED },
    { 0, 44100, 0, FALSE, SEGUE_ERROR_UNSUPPORTED },
    { 0, 44100, 65, TRUE, SEGUE_ERROR_UNSUPPORTED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Resampler) resampler = resampler_new (16000, cases[i].keep, 0);
    g_autoptr (GError) error = NULL;
    float frames[65 * 3] = { 0 };

    frames[0] = cases[i].value;
    g_assert_false (
      resampler_push (resampler, frames, 3, cases[i].rate, cases[i].channels, &error));
    g_assert_error (error, SEGUE_ERROR, (int) cases[i].code);
  }
  {
    g_autoptr (Resampler) resampler = resampler_new (16000, TRUE, 0);
    g_autoptr (GError) error = NULL;
    float frames[6] = { 0 };

    g_assert_true (resampler_push (resampler, frames, 3, 44100, 1, &error));
    g_assert_false (resampler_push (resampler, frames, 3, 44100, 2, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
}

static void
test_nothing (void)
{
  g_autoptr (Resampler) resampler = resampler_new (16000, FALSE, 0);
  g_autoptr (GError) error = NULL;
  guint channels;
  g_autoptr (GBytes) out = resampler_finish (resampler, &channels, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (out), ==, 0);
  g_assert_cmpuint (channels, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resampler/lengths", test_lengths);
  g_test_add_func ("/resampler/blocks-do-not-matter", test_blocks_do_not_matter);
  g_test_add_func ("/resampler/planes", test_planes);
  g_test_add_func ("/resampler/keeps-channels", test_keeps_channels);
  g_test_add_func ("/resampler/changes", test_changes);
  g_test_add_func ("/resampler/refused", test_refused);
  g_test_add_func ("/resampler/nothing", test_nothing);
  return g_test_run ();
}
