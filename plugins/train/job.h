/* All data of one training: made once by train.c, used by each of its parts. */
#pragma once

#include "feed.h"
#include "optimiser.h"
#include "settings.h"

#include <segue/calibration.h>
#include <segue/collect.h>
#include <segue/model.h>

/**
 * TrainEpoch: the results of a finished epoch.
 * @rate: the learning rate of its last step
 * @validation_…: NaN where there is no validation set; accuracies are shares, 0…1
 */
typedef struct {
  double loss;
  double rate;
  double validation_loss;
  double validation_accuracy; /* of segments */
  double validation_song_accuracy;
} TrainEpoch;

/** TrainStep: the results of a finished step: its loss, and the L2 norm of all gradients. */
typedef struct {
  double loss;
  double norm;
} TrainStep;

/**
 * TrainProgress: the progress of a training: with the weights and the optimiser's state, all data
 * needed to resume it, bit for bit.
 * @step: finished steps of all epochs
 * @loss_sum, @loss_weight: of the current epoch, over its finished steps
 * @epochs: #TrainEpoch of each finished epoch
 * @steps: #TrainStep of each finished step
 */
typedef struct {
  guint64 step;
  double loss_sum;
  double loss_weight;
  GArray *epochs;
  GArray *steps;
} TrainProgress;

/**
 * TrainSaved: the part of it that is on disk.
 * @step, @n_epochs: of the last checkpoint
 * @at: when it was written, or training began; monotonic, µs
 * @slot: of the next one; two slots alternate
 * @stored: per slot: the epoch whose weights its checkpoint needs, or %TRAIN_NO_EPOCH
 */
typedef struct {
  guint64 step;
  guint n_epochs;
  gint64 at;
  guint slot;
  guint stored[2];
} TrainSaved;

/**
 * TrainJob:
 * @length: samples of every item, or numbers of every vector
 * @rate: of audio, Hz; 0: vectors
 * @like: id of the item that @length was taken from
 * @train, @validation: the sources of their rows
 * @part: items of a training batch in one pass; fewer than settings->batch where the workspace
 *   would be too large and items don't influence each other
 * @infer_part: likewise for inference
 * @workspace: 64-byte aligned, enough for any pass of this job
 * @weights: (nullable): [n_labels] of the loss
 * @logits, @gradient: [max part, n_labels]; @targets, @keys: [max part]
 * @calibration: (nullable): of a cross-validation
 * @fingerprint: of everything that a checkpoint has to match
 */
typedef struct {
  SegueContext *context;
  TrainSettings settings;
  TrainSets *sets;
  SegueModel *model;
  const SegueModelType *type;
  gpointer impl;
  SegueModelInfo info;
  gsize length;
  guint rate;
  char *like;

  TrainSource train;
  TrainSource validation;
  TrainFeed *feed;
  guint part;
  guint infer_part;
  void *workspace;
  float *weights;
  float *logits;
  float *gradient;
  gint32 *targets;
  guint64 *keys;
  guint32 *order;

  TrainOptimiser *optimiser;
  TrainProgress progress;
  TrainSaved saved;
  SegueCalibration *calibration;
  guint64 fingerprint;
} TrainJob;

/** train_make_model: the initial model: random weights, or those of `init`. */
SegueModel *train_make_model (SegueRegistry *registry, const TrainConfig *config,
                              const SegueModelSpec *spec, GError **error);
/** train_job_new: reads one item, makes or loads the model, and makes all buffers. */
TrainJob *train_job_new (SegueContext *context, const TrainConfig *config, GError **error);
void train_job_free (TrainJob *job);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainJob, train_job_free)
