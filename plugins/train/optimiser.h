/* AdamW over all trained tensors of a model. */
#pragma once

#include "settings.h"

typedef struct _TrainOptimiser TrainOptimiser;

TrainOptimiser *train_optimiser_new (SegueModel *model, const TrainSettings *settings,
                                     guint threads, GError **error);
void train_optimiser_free (TrainOptimiser *optimiser);

/** train_optimiser_step: makes step @step (from 0) with the current gradients, and zeroes them. @norm: (out): of
 * the gradients before clipping; where it is not finite, nothing is changed and %FALSE is returned. */
gboolean train_optimiser_step (TrainOptimiser *optimiser, guint64 step, double *norm);

/** train_optimiser_drop_step: undoes the passes of an unfinished step: gradients, and in a model whose items
 * influence each other the running statistics. Restores the state after the last step. */
void train_optimiser_drop_step (TrainOptimiser *optimiser);
/** train_optimiser_take_values: call it after the tensors were set from outside to those after a finished step. */
void train_optimiser_take_values (TrainOptimiser *optimiser);

/** train_optimiser_get_tensors: (transfer none): #SegueModelTensor array of the model. */
GArray *train_optimiser_get_tensors (TrainOptimiser *optimiser);
/** train_optimiser_get_state: (transfer none): both moments of all trained tensors, @n floats. */
float *train_optimiser_get_state (TrainOptimiser *optimiser, gsize *n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainOptimiser, train_optimiser_free)
