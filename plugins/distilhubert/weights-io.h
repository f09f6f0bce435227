/* model.safetensors. */
#pragma once

#include "hubert.h"

/* What a file has of a head. */
typedef struct {
  gboolean projector;  /* of the wanted shape */
  gboolean classifier; /* with `n_labels` rows */
} HubertHead;

gboolean hubert_weights_has (SegueSafetensors *file, const char *name);
/* What of the head can be kept, if the folder's own labels number `n_labels`. */
HubertHead hubert_weights_look_at_head (SegueSafetensors *file,
                                        const HubertArchitecture *architecture, gsize n_labels);
/* Whether every tensor of the base is there in its shape: before anything is allocated. */
gboolean hubert_weights_check (const HubertWeights *weights, SegueSafetensors *file,
                               const char *folder, GError **error);
/* Fills all values: the base from @file; the head too where @rows is given, classifier row i
 * from the file's row @rows[i] of @n_rows; what the file doesn't have is initialised from @seed. */
gboolean hubert_weights_load (HubertWeights *weights, const HubertArchitecture *architecture,
                              SegueSafetensors *file, const HubertHead *head, const guint *rows,
                              gsize n_rows, guint64 seed, SegueNnPool *pool, GError **error);
gboolean hubert_weights_save (const HubertModel *model, const char *folder, GError **error);
