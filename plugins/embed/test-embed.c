/* Vectors of transparent encoders: one that is parallel and takes stereo, one with layers that one thread uses. */
#include "pool.h"
#include "sound.h"

#include <math.h>
#include <segue/host/segue.h>
#include <segue/tensor.h>
#include <segue/testing.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

/* ---- levels: stereo at 8 kHz, frames of 100 samples: the mean of each channel ---- */

typedef struct {
  gboolean ladder;
  guint threads;
  gint inside; /* threads in encode () */
} Fake;

static gpointer
fake_new (gboolean ladder, const SegueModelSpec *spec)
{
  Fake *fake = g_new0 (Fake, 1);
  g_assert_true (spec->headless);
  fake->ladder = ladder;
  fake->threads = spec->threads;
  return fake;
}

static gpointer
levels_create (const void *config, const SegueModelSpec *spec, GError **error)
{
  return fake_new (FALSE, spec);
}

static gpointer
ladder_create (const void *config, const SegueModelSpec *spec, GError **error)
{
  return fake_new (TRUE, spec);
}

static void
fake_describe_model (gpointer model, SegueModelInfo *info)
{
  const Fake *fake = model;
  info->rate = fake->ladder ? 4000 : 8000;
}

static void
fake_describe (gpointer model, guint layer, SegueEncoderInfo *info)
{
  const Fake *fake = model;
  info->rate = fake->ladder ? 4000 : 8000;
  info->channels = fake->ladder ? 1 : 2;
  info->n_layers = fake->ladder ? 3 : 1;
  info->layer = fake->ladder ? 1 : 0;
  info->width = fake->ladder ? 1 + layer : 2;
  info->parallel = !fake->ladder;
}

static gsize
fake_count_frames (gpointer model, gsize length)
{
  return length / 100;
}

static gsize
fake_plan (gpointer model, guint batch, gsize length, guint layer)
{
  const Fake *fake = model;
  return fake->ladder ? batch * length * sizeof (float) : 0;
}

static double
mean_of (const float *samples, gsize n, guint stride)
{
  double sum = 0;
  for (gsize i = 0; i < n; i++)
    sum += (double) samples[i * stride];
  return sum / (double) n;
}

/* ladder: the frame's mean, plus 1 in the second column, plus 2 in the third. */
static gboolean
fake_encode (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  Fake *fake = model;
  guint channels = fake->ladder ? 1 : 2, width = fake->ladder ? 1 + pass->layer : 2;
  g_assert_true (g_atomic_int_add (&fake->inside, 1) == 0 || !fake->ladder);
  if (fake->ladder)
    memcpy (pass->workspace, pass->input, pass->length * sizeof (float));
  for (gsize t = 0; t < pass->length / 100; t++)
    for (guint c = 0; c < width; c++) {
      const float *frame = pass->input + t * 100 * channels;
      pass->output[t * width + c] =
        (float) (fake->ladder ? mean_of (frame, 100, 1) + c : mean_of (frame + c, 100, 2));
    }
  g_atomic_int_add (&fake->inside, -1);
  if (!fake->ladder || pass->input[0] < 5)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "too loud");
  return FALSE;
}

static const SegueEncoder encoder =
  SEGUE_INIT (SegueEncoder, .describe = fake_describe, .count_frames = fake_count_frames,
              .plan = fake_plan, .encode = fake_encode);

static const SegueModelType levels = { SEGUE_MODEL_TYPE,
                                       .name = "levels",
                                       .summary = "Levels",
                                       .result_version = 1,
                                       .create = levels_create,
                                       .free = g_free,
                                       .describe = fake_describe_model,
                                       .encoder = &encoder };
static const SegueModelType ladder = { SEGUE_MODEL_TYPE,
                                       .name = "ladder",
                                       .summary = "Layers",
                                       .result_version = 1,
                                       .create = ladder_create,
                                       .free = g_free,
                                       .describe = fake_describe_model,
                                       .encoder = &encoder };

static const SegueModelType *const models[] = { &levels, &ladder, NULL };
static const SeguePlugin fakes =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "fakes", .version = "1", .licence = "MIT", .models = models);

/* ---- tests ---- */

static SegueRegistry *
new_registry (void)
{
  SegueRegistry *registry = segue_registry_new ();
  g_autoptr (GError) error = NULL;
  segue_registry_add (registry, &fakes, "fakes", &error);
  g_assert_no_error (error);
  segue_registry_add (registry, segue_plugin_query (), "embed", &error);
  g_assert_no_error (error);
  return registry;
}

/* @frames of @channels, each sample @value × (1 + its channel). */
static SegueItem *
new_segment (const char *id, float value, gsize frames, guint rate, guint channels)
{
  g_autofree float *samples = g_new (float, frames *channels);
  for (gsize i = 0; i < frames * channels; i++)
    samples[i] = value * (float) (1 + i % channels);
  g_autoptr (GBytes) bytes = g_bytes_new (samples, frames * channels * sizeof (float));
  SegueItem *item = segue_item_new_audio (NULL, id, bytes, rate, channels);
  segue_item_set_double (item, SEGUE_META_START, 0);
  return item;
}

/* The vector of @segment, checked to have @n numbers. */
static const float *
pull (SegueHarness *harness, guint wanted_rank, gsize n, SegueItem **vector)
{
  guint rank;
  *vector = segue_harness_pull (harness);
  g_assert_nonnull (*vector);
  g_assert_cmpint (segue_item_get_kind (*vector), ==, SEGUE_KIND_TENSOR);
  const gsize *shape = segue_item_get_shape (*vector, &rank);
  g_assert_cmpuint (rank, ==, wanted_rank);
  g_assert_cmpuint (shape[0] * (rank > 1 ? shape[1] : 1), ==, n);
  return g_bytes_get_data (segue_item_get_bytes (*vector), NULL);
}

static void
assert_near (const float *values, const double *wanted, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon ((double) values[i], wanted[i], 1e-3);
}

static void
test_join (void)
{
  g_autoptr (SegueRegistry) registry = new_registry ();
  g_autoptr (SegueHarness) harness = segue_harness_new_in (
    registry, "embed",
    "{ encoders: [levels, { model: ladder, layer: 2, pool: mean-max }, { model: ladder }] }");
  const struct {
    guint rate, channels;
    double wanted[10];
  } cases[] = {
    { 8000, 2, { .1, .2, .15, 1.15, 2.15, .15, 1.15, 2.15, .15, 1.15 } },
    { 8000, 1, { .1, .1, .1, 1.1, 2.1, .1, 1.1, 2.1, .1, 1.1 } },
    { 8000, 3, { .2, .2, .2, 1.2, 2.2, .2, 1.2, 2.2, .2, 1.2 } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *id = g_strdup_printf ("song-%u", i);
    g_autoptr (SegueItem) segment = new_segment (id, 0.1F, 8000, cases[i].rate, cases[i].channels);
    g_autoptr (SegueItem) vector = NULL;
    segue_harness_push (harness, segment);
    const float *values = pull (harness, 1, 10, &vector);
    g_assert_cmpstr (segue_item_get_id (vector), ==, id);
    /* A constant is not constant at the ends of a resampled segment: see the tolerance of the mean. */
    for (guint c = 0; c < 10; c++)
      g_assert_cmpfloat_with_epsilon ((double) values[c], cases[i].wanted[c], c < 2 ? 1e-6 : 0.02);
  }
}

static void
test_frames (void)
{
  g_autoptr (SegueRegistry) registry = new_registry ();
  g_autoptr (SegueHarness) harness =
    segue_harness_new_in (registry, "embed", "{ encoders: [{ model: levels, pool: none }] }");
  g_autoptr (SegueItem) segment = new_segment ("song", 0.1F, 250, 8000, 2), vector = NULL;
  segue_harness_push (harness, segment);
  assert_near (pull (harness, 2, 4, &vector), (const double[]){ .1, .2, .1, .2 }, 4);
}

static void
test_refused (void)
{
  static const struct {
    const char *config, *says;
  } cases[] = {
    { "{ encoders: [] }", "encoders" },
    { "{ encoders: [{ model: levels, layer: 1 }] }", "has the layers 0..0, got 1" },
    { "{ encoders: [{ model: levels, pool: none }, { model: ladder }] }", "can't be joined" },
    { "{ encoders: [{ model: levels, init: nowhere/at-all }] }", "nowhere/at-all" },
  };
  g_autoptr (SegueRegistry) registry = new_registry ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness =
      segue_harness_try_new_in (registry, "embed", cases[i].config, &error);
    g_autoptr (SegueItem) segment = new_segment ("song", 0.1F, 800, 8000, 1);
    g_assert_true (!harness || !segue_harness_try_push (harness, segment, &error));
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

static void
test_failures (void)
{
  g_autoptr (SegueRegistry) registry = new_registry ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness =
    segue_harness_new_in (registry, "embed", "{ encoders: [ladder] }");
  g_autoptr (SegueItem) brief = new_segment ("brief", 0.1F, 90, 4000, 1);
  g_assert_false (segue_harness_try_push (harness, brief, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "are too short for 'ladder'"));
  g_clear_error (&error);
  g_autoptr (SegueItem) loud = new_segment ("loud", 6, 400, 4000, 1);
  g_assert_false (segue_harness_try_push (harness, loud, &error));
  g_assert_cmpstr (error->message, ==, "too loud");
}

static void
test_pools (void)
{
  const float frames[] = { 1, -2, 3, 0, 5, 8 };
  static const struct {
    Pool pool;
    guint n;
    double wanted[6];
  } cases[] = {
    { POOL_MEAN, 2, { 3, 2 } },
    { POOL_MEAN_MAX, 4, { 3, 2, 5, 8 } },
    { POOL_STATISTICS, 4, { 3, 2, 1.6329932, 4.3204938 } },
    { POOL_NONE, 6, { 1, -2, 3, 0, 5, 8 } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GArray) output = g_array_new (FALSE, FALSE, sizeof (float));
    pool_frames (cases[i].pool, frames, 3, 2, output);
    g_assert_cmpuint (output->len, ==, cases[i].n);
    assert_near ((const float *) (const void *) output->data, cases[i].wanted, cases[i].n);
  }
}

/* A tone keeps its level and length at another rate. */
static void
test_rates (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, 44100);
  g_autoptr (GBytes) sound = sound_convert (tone, 16000, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (sound), ==, 16000 * 2 * sizeof (float));
  const float *samples = g_bytes_get_data (sound, NULL);
  double energy = 0;
  for (gsize i = 0; i < 16000; i++) {
    g_assert_true (samples[2 * i] == samples[2 * i + 1]);
    energy += (double) samples[2 * i] * (double) samples[2 * i];
  }
  g_assert_cmpfloat_with_epsilon (energy / 16000, 0.125, 1e-3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/embed/join", test_join);
  g_test_add_func ("/embed/frames", test_frames);
  g_test_add_func ("/embed/refused", test_refused);
  g_test_add_func ("/embed/failures", test_failures);
  g_test_add_func ("/embed/pools", test_pools);
  g_test_add_func ("/embed/rates", test_rates);
  return g_test_run ();
}
