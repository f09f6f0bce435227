/* The model's performance on a set. */
#pragma once

#include "job.h"

/** train_validate: fills the validation_… fields of @epoch. A song's prediction is the mean of its segments'
 * probabilities; items whose label the model does not have count as wrong and have no loss. */
gboolean train_validate (TrainJob *job, TrainEpoch *epoch, GError **error);
/** train_measure_loss: the mean loss over @source, without class weights or label smoothing. */
gboolean train_measure_loss (TrainJob *job, const TrainSource *source, double *loss,
                             GError **error);
