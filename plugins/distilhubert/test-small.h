/* A model of a few thousand weights, and passes over it: shared by this plugin's tests. */
#pragma once

#include "folder.h"

#define SMALL_LENGTH 400
#define SMALL_BATCH  4

/* "a", "b", "c". */
extern const char *const small_labels[];

/* Parameters in which everything random in training is off, and an empty folder. */
typedef struct {
  char *folder;
  HubertParams params;
} SmallFixture;

void small_set_up (SmallFixture *f, gconstpointer data);
void small_tear_down (SmallFixture *f, gconstpointer data);

/* A model of the fixture's parameters, with weights large enough to distinguish differences from
 * rounding. */
HubertModel *small_create (const SmallFixture *f, guint64 seed);
/* Parameters of a loaded model where the pipeline sets nothing. */
HubertParams small_as_the_folder (void);
/* The model in the fixture's folder, where the pipeline sets nothing about training. */
HubertModel *small_load (const SmallFixture *f, const char *const *labels, GError **error);
void small_save (const SmallFixture *f, HubertModel *model);
float *small_samples (guint batch, gsize length);

/* A pass with its workspace. */
typedef struct {
  gpointer block;
  SegueModelPass pass;
  float *d_logits;
  guint64 items[SMALL_BATCH];
} SmallRun;

void small_run_clear (SmallRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SmallRun, small_run_clear)

/* A forward pass, and a backward pass of d_logits = the loss's, labels 0, 1, 2, 0 from @first_item on;
 * returns the loss, as this pass's part of a step of SMALL_BATCH items. */
double small_run_pass (SmallRun *run, HubertModel *model, SegueModelMode mode, guint batch,
                       const float *input, guint64 first_item, gboolean backward);
gsize small_logits_bytes (const HubertModel *model);
