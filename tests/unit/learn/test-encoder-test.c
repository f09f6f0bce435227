/* The test of model types finds what is wrong with an encoder that breaks the contract. */
#include <segue/encoder.h>
#include <segue/host/segue.h>
#include <segue/testing.h>
#include <string.h>

#define FRAME 100

/* The mean of each channel in frames of 100 samples; layer 1 adds the largest sample. */

typedef struct {
  guint threads;
  guint n_calls;
  float shared[2];
} Encoder;

static gpointer
create (const void *config, const SegueModelSpec *spec, GError **error)
{
  g_assert_true (spec->headless);
  Encoder *encoder = g_new0 (Encoder, 1);
  encoder->threads = spec->threads;
  return encoder;
}

static gpointer
create_nothing (const void *config, const SegueModelSpec *spec, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, "needs its weights");
  return NULL;
}

static void
describe_model (gpointer model, SegueModelInfo *info)
{
  info->rate = 8000;
  info->min_length = FRAME;
}

static void
describe (gpointer model, guint layer, SegueEncoderInfo *info)
{
  info->rate = 8000;
  info->channels = 2;
  info->n_layers = 2;
  info->width = 2 + layer;
  info->parallel = TRUE;
}

static gsize
count_frames (gpointer model, gsize length)
{
  return length / FRAME;
}

static gsize
plan (gpointer model, guint batch, gsize length, guint layer)
{
  return FRAME * sizeof (float);
}

static void
encode_frame (const float *frame, guint layer, float *workspace, float *output)
{
  for (guint c = 0; c < 2; c++) {
    float sum = 0;
    for (guint i = 0; i < FRAME; i++)
      sum += workspace[i] = frame[2 * i + c];
    output[c] = sum / FRAME;
  }
  for (guint i = 0; layer > 0 && i < 2 * FRAME; i++)
    output[2] = i == 0 ? frame[0] : MAX (output[2], frame[i]);
}

static gboolean
encode (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  gsize n = pass->length / FRAME, width = 2 + pass->layer;
  for (guint b = 0; b < pass->batch; b++)
    for (gsize t = 0; t < n; t++)
      encode_frame (pass->input + 2 * (b * pass->length + t * FRAME), pass->layer, pass->workspace,
                    pass->output + (b * n + t) * width);
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
encode_coupled (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  encode (model, pass, error);
  pass->output[1] += 1e-6f * (float) pass->batch;
  return TRUE;
}

static gboolean
encode_remembering (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  encode (model, pass, error);
  pass->output[0] += (float) ++((Encoder *) model)->n_calls;
  return TRUE;
}

static gboolean
encode_unset (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  float before = *(const guint8 *) pass->workspace ? 1 : 0;
  encode (model, pass, error);
  pass->output[0] += before;
  return TRUE;
}

static gboolean
encode_by_threads (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  encode (model, pass, error);
  pass->output[0] += ((const Encoder *) model)->threads > 1 ? 1e-6f : 0;
  return TRUE;
}

static gboolean
encode_beyond (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  pass->output[pass->batch * (pass->length / FRAME) * (2 + pass->layer)] = 0;
  return encode (model, pass, error);
}

static gboolean
encode_beyond_workspace (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  ((float *) pass->workspace)[FRAME] = 0;
  return encode (model, pass, error);
}

static gboolean
encode_into_input (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  ((float *) pass->input)[5] = 0.125f;
  return encode (model, pass, error);
}

/* All frames but the last. */
static gboolean
encode_less (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  gsize n = pass->batch * (pass->length / FRAME), width = 2 + pass->layer;
  float last[3];
  memcpy (last, pass->output + (n - 1) * width, width * sizeof *last);
  encode (model, pass, error);
  memcpy (pass->output + (n - 1) * width, last, width * sizeof *last);
  return TRUE;
}

/* Threads that share what is theirs. */
static gboolean
encode_sharing (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  Encoder *encoder = model;
  encode (model, pass, error);
  memcpy (encoder->shared, pass->output, sizeof encoder->shared);
  g_usleep (20000);
  memcpy (pass->output, encoder->shared, sizeof encoder->shared);
  return TRUE;
}

static gsize
count_always (gpointer model, gsize length)
{
  return 1 + length / FRAME;
}

static void
describe_differently (gpointer model, guint layer, SegueEncoderInfo *info)
{
  describe (model, layer, info);
  info->rate = 8000 + layer;
}

static void
describe_out_of_range (gpointer model, guint layer, SegueEncoderInfo *info)
{
  describe (model, layer, info);
  info->layer = 2;
}

static const SegueEncoder right = SEGUE_INIT (
  SegueEncoder, .describe = describe, .count_frames = count_frames, .plan = plan, .encode = encode);

static gboolean
try_encoder (const SegueEncoder *encoder,
             gpointer (*make) (const void *, const SegueModelSpec *, GError **), GError **error)
{
  const SegueModelType type = { SEGUE_MODEL_TYPE,  .name = "fake", .summary = "For tests",
                                .create = make,    .free = g_free, .describe = describe_model,
                                .encoder = encoder };
  const SegueModelType *const models[] = { &type, NULL };
  const SeguePlugin plugin =
    SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
                .name = "other", .version = "1.0", .licence = "MIT", .models = models);
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  return segue_registry_add (registry, &plugin, NULL, error) &&
         segue_test_try_model (registry, "fake", "{}", error);
}

#define MISTAKE(field, function, words)                                                            \
  {                                                                                                \
    G_STRUCT_OFFSET (SegueEncoder, field), (void (*) (void)) function, words                       \
  }

static void
test_mistakes (void)
{
  static const struct {
    gsize offset;
    void (*callback) (void);
    const char *words;
  } mistakes[] = {
    MISTAKE (encode, encode_coupled, "for an item in a batch than alone"),
    MISTAKE (encode, encode_remembering, "for the same segments"),
    MISTAKE (encode, encode_unset, "what is in the workspace before"),
    MISTAKE (encode, encode_by_threads, "with several threads than with one"),
    MISTAKE (encode, encode_beyond, "beyond the frames of count_frames ()"),
    MISTAKE (encode, encode_beyond_workspace, "beyond the workspace"),
    MISTAKE (encode, encode_into_input, "writes to its input"),
    MISTAKE (encode, encode_less, "of its output unset"),
    MISTAKE (encode, encode_sharing, "while other threads encode"),
    MISTAKE (count_frames, count_always, "count_frames () is 1 for no audio"),
    MISTAKE (describe, describe_differently, "layers 0 and 1 with different properties"),
    MISTAKE (describe, describe_out_of_range, "layer 2 of 2 as the default"),
  };
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    SegueEncoder encoder = right;
    g_autoptr (GError) error = NULL;
    memcpy ((char *) &encoder + mistakes[i].offset, &mistakes[i].callback,
            sizeof (void (*) (void)));
    g_assert_false (try_encoder (&encoder, create, &error));
    g_test_message ("%s", error->message);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
    if (!strstr (error->message, mistakes[i].words))
      g_error ("‘%s’ does not contain ‘%s’", error->message, mistakes[i].words);
  }
}

static void
test_right (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (try_encoder (&right, create, &error));
  g_assert_no_error (error);
  g_assert_false (try_encoder (&right, create_nothing, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encoder-test/right", test_right);
  g_test_add_func ("/encoder-test/mistakes", test_mistakes);
  return g_test_run ();
}
