/* crossings: an encoder that lives outside segue's tree: how often a sound crosses zero, and how loud it is.
 *
 *   samples [length] → frames [length / hop, 2]: ln (1 + zero crossings per second), level in dB
 */
#include <math.h>
#include <segue/encoder.h>
#include <segue/plugin.h>

#define RATE  16000 /* Hz */
#define WIDTH 2

typedef struct {
  double hop;
} Params;

static const SegueParam *const params[] = {
  SEGUE_PARAM (Params, hop, SEGUE_PARAM_DOUBLE, .def = "0.1", .min = 0.01, .max = 10, .unit = "s",
               .doc = "Length of a frame."),
  NULL,
};

/* The model: never changed after create (), so that all threads can use it at once. */
typedef struct {
  gsize hop; /* samples */
} Crossings;

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  Crossings *crossings = g_new0 (Crossings, 1);
  crossings->hop = (gsize) (p->hop * RATE + 0.5);
  return crossings;
}

static void
describe (gpointer model, SegueModelInfo *info)
{
  const Crossings *crossings = model;
  info->rate = RATE;
  info->min_length = crossings->hop;
}

static void
describe_layer (gpointer model, guint layer, SegueEncoderInfo *info)
{
  info->rate = RATE;
  info->channels = 1;
  info->n_layers = 1;
  info->width = WIDTH;
  info->parallel = TRUE;
}

static gsize
count_frames (gpointer model, gsize length)
{
  return length / ((const Crossings *) model)->hop;
}

static gsize
plan (gpointer model, guint batch, gsize length, guint layer)
{
  return 0;
}

static void
encode_frame (const float *samples, gsize n, float *frame)
{
  guint n_crossings = 0;
  double power = 0;
  for (gsize i = 0; i < n; i++) {
    n_crossings += i > 0 && (samples[i] < 0) != (samples[i - 1] < 0);
    power += (double) samples[i] * (double) samples[i];
  }
  frame[0] = (float) log1p (n_crossings * (double) RATE / (double) n);
  frame[1] = (float) (10 * log10 (power / (double) n + 1e-10));
}

static gboolean
encode (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  gsize hop = ((const Crossings *) model)->hop, n_frames = count_frames (model, pass->length);
  for (guint i = 0; i < pass->batch; i++)
    for (gsize t = 0; t < n_frames; t++)
      encode_frame (pass->input + i * pass->length + t * hop, hop,
                    pass->output + (i * n_frames + t) * WIDTH);
  return TRUE;
}

static const SegueEncoder encoder =
  SEGUE_INIT (SegueEncoder, .describe = describe_layer, .count_frames = count_frames, .plan = plan,
              .encode = encode);

static const SegueModelType crossings = {
  SEGUE_MODEL_TYPE,
  .name = "crossings",
  .summary = "Zero crossings and level",
  .doc =
    "For each frame, how often the waveform crosses zero (a rough measure of pitch and noise), "
    "and its level.",
  .result_version = 1,
  .params = params,
  .config_size = sizeof (Params),
  .create = create,
  .free = g_free,
  .describe = describe,
  .encoder = &encoder,
};

static const SegueModelType *const models[] = { &crossings, NULL };

SEGUE_PLUGIN (.name = "crossings", .version = "1.0", .licence = "MIT", .models = models)
