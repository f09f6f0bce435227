/* One encoder of `embed`: a loaded model, the sound that it takes, and the vector that is made of its frames. */
#pragma once

#include <segue/context.h>
#include <segue/encoder.h>
#include <segue/registry.h>

typedef enum { POOL_MEAN, POOL_MEAN_MAX, POOL_STATISTICS, POOL_NONE, N_POOLS } Pool;

/** POOL_CHOICES: their names, then %NULL. */
#define POOL_CHOICES SEGUE_NAMES ("mean", "mean-max", "statistics", "none")

/** EncodingConfig: parsed; a record of the list `encoders`. */
typedef struct {
  SegueModelChoice model;
  char *init;
  gint64 layer;  /* or SEGUE_UNSET_INT */
  int pool;      /* Pool */
  int precision; /* SegueModelPrecision */
} EncodingConfig;

typedef struct _Encoding Encoding;

/** encoding_new: @blank: only to be described: weights are not filled in. */
Encoding *encoding_new (const EncodingConfig *config, SegueRegistry *registry, guint threads,
                        gboolean blank, GError **error);
/** encoding_free: accepts %NULL. */
void encoding_free (Encoding *encoding);

/** encoding_get_width: numbers per frame after pooling. */
guint encoding_get_width (const Encoding *encoding);

/** encoding_get_notice: (transfer full) (nullable): what a user should know about its weights. */
char *encoding_get_notice (const Encoding *encoding);
/** encoding_check_length: whether segments of @frames samples at @rate Hz can be encoded. %SEGUE_ERROR_PIPELINE. */
gboolean encoding_check_length (const Encoding *encoding, guint64 frames, guint rate,
                                GError **error);

/** encoding_compute: (any thread): appends the frames of @audio to @output: [frames, width] float32; one frame unless
 * the pool is %POOL_NONE. %SEGUE_ERROR_DATA if @audio is too short. */
gboolean encoding_compute (Encoding *encoding, SegueItem *audio, GCancellable *cancellable,
                           GArray *output, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Encoding, encoding_free)
