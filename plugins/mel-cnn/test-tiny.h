/* A network of a few hundred weights, and passes over it: shared by this plugin's tests. */
#pragma once

#include "mel-cnn.h"

#define TINY_RATE   8000
#define TINY_LENGTH 1500
#define TINY_BATCH  5

/* "noise", "Ægir", "tone". */
extern const char *const tiny_labels[];

const SegueModelType *tiny_type (void);

/* Two blocks over 16 bands and 21 frames; every kind of augmentation. The caller unrefs `channels`. */
MelCnnConfig tiny_config (void);
MelCnn *tiny_model_new (const MelCnnConfig *config, guint threads);

/* A model, one pass over it and what it needs: noise and tones of different pitches. */
typedef struct {
  MelCnn *model;
  SegueModelPass pass;
  guint64 items[TINY_BATCH];
  gint32 targets[TINY_BATCH];
  float logits[TINY_BATCH * 3];
  float *x;
} Tiny;

void tiny_init (Tiny *f, const MelCnnConfig *config, guint threads, SegueModelMode mode);
void tiny_clear (Tiny *f);

/* Returns the loss. */
double tiny_forward (Tiny *f);
/* After a forward pass: adds to the gradients of all weights. */
void tiny_backward (Tiny *f);
/* A few steps of AdamW, after which the network distinguishes noise from tones. */
void tiny_train (Tiny *f, guint steps);
