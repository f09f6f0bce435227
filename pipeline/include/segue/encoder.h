/* Encoders: the part of a model that turns audio into vectors, for `embed` and for authors of model types.
 *
 * A model type with an #SegueEncoder offers its hidden layers: [frames, width] numbers for a segment. A type may
 * offer nothing else (statistics of a spectrum): then it has no recipe, save (), list_tensors (), plan (), forward ()
 * or backward (), and `train` refuses it; without weights, it has no load () either.
 *
 *   static const SegueEncoder encoder = SEGUE_INIT (SegueEncoder, .describe = describe,
 *                                                   .count_frames = count_frames, .plan = plan, .encode = encode);
 *
 *   static const SegueModelType loudness = { SEGUE_MODEL_TYPE, …, .create = create, .free = g_free, .describe = describe_model,
 *                                            .encoder = &encoder };
 */
#pragma once

#include <segue/model.h>

G_BEGIN_DECLS

/**
 * SegueEncoderInfo: the properties of one layer of an encoder.
 * @struct_size: set by the caller with SEGUE_INIT(); a type's describe () gets one of full size, zeroed
 * @rate: of the input in Hz
 * @channels: of the input: 1 or 2
 * @n_layers: number of layers to choose from, ≥ 1
 * @layer: index of the one that is used if a pipeline names none
 * @width: numbers per frame of the described layer
 * @parallel: encode () may be called by several threads at once, each with a workspace of its own, and computes in
 *   the calling thread only. Otherwise one thread at a time calls it, and it uses the model's threads
 */
typedef struct {
  gsize struct_size;
  guint rate;
  guint channels;
  guint n_layers;
  guint layer;
  guint width;
  gboolean parallel;
} SegueEncoderInfo;

/**
 * SegueEncoderPass: a batch of segments of equal length.
 * @struct_size: set by SEGUE_INIT()
 * @input: [batch, length, channels]
 * @workspace: plan () bytes, 64-byte aligned; %NULL if that is 0
 * @output: [batch, count_frames (length), width of @layer]; finite numbers
 */
typedef struct {
  gsize struct_size;
  guint batch;
  gsize length;
  guint layer;
  const float *input;
  void *workspace;
  float *output;
} SegueEncoderPass;

/**
 * SegueEncoder: the callbacks; @model is what the type's create () or load () returned.
 * @struct_size: set by SEGUE_INIT()
 * @describe: @layer < n_layers
 * @count_frames: frames for @length samples per channel; 0: too short
 * @plan: bytes of workspace for a pass
 * @encode: the same bits for any @batch, number of threads, and order of calls
 */
struct _SegueEncoder {
  gsize struct_size;
  void (*describe) (gpointer model, guint layer, SegueEncoderInfo *info);
  gsize (*count_frames) (gpointer model, gsize length);
  gsize (*plan) (gpointer model, guint batch, gsize length, guint layer);
  gboolean (*encode) (gpointer model, const SegueEncoderPass *pass, GError **error);
};

/** segue_encoder_describe: @model's type has an encoder; @layer must be in range. */
SEGUE_API
void segue_encoder_describe (SegueModel *model, guint layer, SegueEncoderInfo *info);
/** segue_encoder_count_frames: 0: a segment of @length samples is too short. */
SEGUE_API
gsize segue_encoder_count_frames (SegueModel *model, gsize length);
/** segue_encoder_plan: bytes of workspace for a pass. */
SEGUE_API
gsize segue_encoder_plan (SegueModel *model, guint batch, gsize length, guint layer);
/** segue_encoder_encode: calls encode () of @model's type and checks it: a result that disagrees with its error, or
 * contains a number that is not finite, is %SEGUE_ERROR_INTERNAL. */
SEGUE_API
gboolean segue_encoder_encode (SegueModel *model, const SegueEncoderPass *pass, GError **error);

G_END_DECLS
