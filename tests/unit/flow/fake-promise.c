/* Stages that declare what they will emit, and emit something else; a LIVE stage that is not one to one. */
#include "fake-stages.h"

typedef struct {
  int deed;
} PromiseConfig;

static const char *const deeds[] = { "right", "shape", "rank", "single", "dtype", NULL };
static const char *const lengths[] = { "right", "longer", NULL };

static const SegueParam *const tensor_params[] = {
  SEGUE_PARAM (PromiseConfig, deed, SEGUE_PARAM_CHOICE, .choices = deeds),
  NULL,
};
static const SegueParam *const audio_params[] = {
  SEGUE_PARAM (PromiseConfig, deed, SEGUE_PARAM_CHOICE, .choices = lengths),
  NULL,
};

/* ---- fake-promise: [4, any] of float32 ---- */

static gboolean
tensor_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  SegueFormat *format = segue_negotiation_get_output (negotiation, "numbers");
  format->rank = 2;
  format->dtype = SEGUE_DTYPE_F32;
  format->shape[0] = 4;
  format->shape[1] = SEGUE_FORMAT_VARIES;
  return TRUE;
}

static gboolean
tensor_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  static const struct {
    SegueDtype dtype;
    guint rank;
    gsize shape[3];
    gsize bytes;
  } emitted[] = {
    { SEGUE_DTYPE_F32, 2, { 4, 3 }, 48 },    { SEGUE_DTYPE_F32, 2, { 3, 4 }, 48 },
    { SEGUE_DTYPE_F32, 3, { 4, 1, 1 }, 16 }, { SEGUE_DTYPE_F32, 0, { 0 }, 4 },
    { SEGUE_DTYPE_I32, 2, { 4, 3 }, 48 },
  };
  static const guint8 zeros[48] = { 0 };
  int deed = ((const PromiseConfig *) segue_context_get_config (context))->deed;
  g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, emitted[deed].bytes);
  return segue_context_emit (context,
                             segue_item_new_tensor (SEGUE_KIND_TENSOR, item, NULL, bytes,
                                                    emitted[deed].dtype, emitted[deed].rank,
                                                    emitted[deed].shape),
                             error);
}

static const SeguePort *const numbers_port[] = {
  SEGUE_PORT ("numbers", SEGUE_KIND_TENSOR, "Zeros."), NULL
};

const SegueStageType fake_promise = {
  SEGUE_STAGE_TYPE,          .name = "fake-promise",        .summary = "Promises tensors",
  .result_version = 1,       .mode = SEGUE_MODE_MAP,        .inputs = fake_audio_port,
  .outputs = numbers_port,   .params = tensor_params,       .config_size = sizeof (PromiseConfig),
  .process = tensor_process, .negotiate = tensor_negotiate,
};

/* ---- fake-promise-audio: five samples, of one channel ---- */

static gboolean
audio_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  static const SegueFormat mono = SEGUE_INIT (SegueFormat, .channels = 1);
  segue_negotiation_get_output (negotiation, "audio")->frames = 5;
  return segue_negotiation_require (negotiation, "audio", &mono, "channels: mono", error);
}

static gboolean
audio_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  static const float zeros[6] = { 0 };
  int deed = ((const PromiseConfig *) segue_context_get_config (context))->deed;
  g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, (deed == 0 ? 5 : 6) * sizeof *zeros);
  return segue_context_emit (context, segue_item_new_audio (item, NULL, bytes, 100, 1), error);
}

const SegueStageType fake_promise_audio = {
  SEGUE_STAGE_TYPE,           .name = "fake-promise-audio", .summary = "Promises five samples",
  .result_version = 1,        .mode = SEGUE_MODE_MAP,       .inputs = fake_audio_port,
  .outputs = fake_audio_port, .params = audio_params,       .config_size = sizeof (PromiseConfig),
  .process = audio_process,   .negotiate = audio_negotiate,
};
