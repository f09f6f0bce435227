/* musicnn (Pons et al., "End-to-end learning for music audio tagging at scale", ISMIR 2018): a network that knows
 * music, as an encoder.
 *
 *   samples [B, length] → log-mel frames [B, T, bands], one norm for all numbers
 *   timbre: convolutions over some frames × most bands     tempo: over many frames × 1 band
 *           each with ReLU, norm, maximum over what is left of the bands → features [B, T, front]
 *   middle: convolutions over some frames, each with ReLU, norm; the second and later ones add their input
 *   maximum and mean over time of all of these, norm, linear, ReLU, norm → penultimate [B, hidden]
 *   linear → tags [B, labels], logits
 */
#pragma once

#include <segue/nn/conv-max.h>
#include <segue/nn/log-mel.h>
#include <segue/nn/model.h>

#define MUSICNN_MAX_BLOCKS 4 /* of each kind */

/* A convolution, its ReLU and norm. */
typedef struct {
  gsize in, out;
  gsize frames, bands; /* of the kernel; bands is 1 for tempo and middle */
  SegueNnAffine conv;
  SegueNnAffine norm;
  SegueNnWeight mean, variance;
  float *kernel; /* as the passes read it */
  float *scale, *shift;
} MusicnnBlock;

typedef struct {
  SegueNnAffine norm;
  SegueNnWeight mean, variance;
} MusicnnNorm;

typedef struct {
  SegueNnModel base;
  SegueNnLogMelConfig frames;
  SegueNnLogMel *log_mel;
  double log_factor; /* frames are log10 (1 + log_factor · power) */
  double eps;
  guint n_timbre, n_tempo, n_middle;
  MusicnnBlock timbre[MUSICNN_MAX_BLOCKS], tempo[MUSICNN_MAX_BLOCKS], middle[MUSICNN_MAX_BLOCKS];
  gsize front; /* channels of timbre and tempo */
  gsize hidden;
  MusicnnNorm input, pooled, penultimate;
  SegueNnAffine dense, tags;
  float input_scale, input_shift;   /* from log-mel frames to the first convolutions' input */
  float *dense_kernel, *dense_bias; /* with the norm before, in the order of the passes */
  float *hidden_scale, *hidden_shift;
} Musicnn;

/** musicnn_load: the model of @folder (see examples/encoder.sh), with @threads of its own.
 * @precision: AUTO is float32, the fastest
 * Errors: %SEGUE_ERROR_NO_INPUT where a file is missing; %SEGUE_ERROR_DATA for another architecture, other shapes,
 * values that are not finite, truncated files; %SEGUE_ERROR_PIPELINE for int8, and for bfloat16 where this system lacks
 * it; %SEGUE_ERROR_RESOURCE. */
Musicnn *musicnn_load (const char *folder, guint threads, SegueModelPrecision precision,
                       GError **error);
/** musicnn_free: %NULL is accepted. */
void musicnn_free (Musicnn *model);

/** musicnn_get_rate: of samples, in Hz.  musicnn_get_min_length: samples of the shortest segment. */
guint musicnn_get_rate (const Musicnn *model);
gsize musicnn_get_min_length (const Musicnn *model);

/** MusicnnPass: one forward pass.
 * @samples: [batch, length]
 * @workspace: musicnn_plan() bytes, 64-byte aligned
 * @penultimate: (nullable): [batch, hidden], written
 * @tags: (nullable): [batch, labels], written: logits */
typedef struct {
  guint batch;
  gsize length;
  const float *samples;
  gpointer workspace;
  float *penultimate;
  float *tags;
} MusicnnPass;

/** musicnn_plan: bytes of the workspace; %G_MAXSIZE if a segment is too short, or the sizes are impossible. */
gsize musicnn_plan (Musicnn *model, guint batch, gsize length);

/** musicnn_forward: the result for an item does not depend on the others, nor on the number of threads. One pass at
 * a time per model; it is cancelled by the model's cancellable.
 * Errors: %SEGUE_ERROR_DATA for a segment that is too short; %SEGUE_ERROR_CANCELLED, %SEGUE_ERROR_RESOURCE. */
gboolean musicnn_forward (Musicnn *model, const MusicnnPass *pass, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Musicnn, musicnn_free)

/* ---- Internal ---- */

/* To compare with other implementations: passes over log-mel frames, natural logarithms. @pass->samples are [batch,
 * length, bands], and @pass->length counts frames. */
gsize musicnn_plan_frames (Musicnn *model, guint batch, gsize time);
gboolean musicnn_forward_frames (Musicnn *model, const MusicnnPass *pass, GError **error);

/* fold.c: a SegueNnDeriveFunc: what the passes read, from the weights. */
void musicnn_fold (gpointer model, SegueNnThreads *threads);
/* Shape of a block over [time, bands], for one item; kernels depend on it as well. */
SegueNnConvMax musicnn_get_conv (const Musicnn *model, const MusicnnBlock *block, gsize time);

/* Padding of frames before and after for a kernel of `frames`. */
static inline gsize
musicnn_pad_before (gsize frames)
{
  return (frames - 1) / 2;
}
