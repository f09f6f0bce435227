/* The settings of a training in the pipeline, and the result with the model type's own recipe. */
#pragma once

#include <segue/model.h>
#include <segue/nn/schedule.h>

typedef enum { TRAIN_BEST_ACCURACY, TRAIN_BEST_LOSS, TRAIN_BEST_LAST } TrainBest;
#define TRAIN_BEST_CHOICES SEGUE_NAMES ("accuracy", "loss", "last")

typedef enum { TRAIN_WEIGHTS_NONE, TRAIN_WEIGHTS_BALANCED } TrainWeights;
#define TRAIN_WEIGHTS_CHOICES SEGUE_NAMES ("none", "balanced")

/** TrainConfig: the parameters as parsed; unset where the recipe decides. */
typedef struct {
  SegueModelChoice model;
  char *init;
  gint64 epochs;
  gint64 batch;
  gint64 accumulate;
  double learning_rate;
  int schedule; /* SegueSchedule, -1 unset */
  double warmup;
  double weight_decay;
  double label_smoothing;
  double gradient_clip;
  int class_weights;
  int best;
  gint64 early_stopping;
  int precision; /* SegueModelPrecision */
  double checkpoint;
} TrainConfig;

/**
 * TrainSettings: all final values.
 * @batch: items that pass through the model together
 * @step_items: items of an optimiser's step: batch × accumulate
 * @checkpoint: µs of training that a kill may lose
 * @patience: epochs without an improvement after which training stops; 0: never
 */
typedef struct {
  guint epochs;
  guint batch;
  guint step_items;
  double learning_rate;
  SegueNnSchedule schedule;
  double weight_decay;
  double label_smoothing;
  double gradient_clip;
  TrainWeights class_weights;
  TrainBest best;
  guint patience;
  gint64 checkpoint;
  guint64 steps_per_epoch;
  guint64 seed;
} TrainSettings;

/** train_settings_check: rules between parameters. */
gboolean train_settings_check (const TrainConfig *config, GError **error);

/** train_settings_get_batch: items that pass through the model together. */
guint train_settings_get_batch (const TrainConfig *config);

/** train_settings_resolve: for @n_train > 0 items. The last step of an epoch may have fewer
 * items. */
void train_settings_resolve (const TrainConfig *config, guint n_train, guint64 seed,
                             TrainSettings *settings);

/** train_settings_get_rate: the learning rate of @step, counted from 0. */
double train_settings_get_rate (const TrainSettings *settings, guint64 step);
