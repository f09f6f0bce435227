/* The model's performance on the validation set. */
#pragma once

#include "job.h"

/** train_validate: fills the validation_… fields of @epoch. A song's prediction is the mean of its segments'
 * probabilities; items whose label the model does not have count as wrong and have no loss. */
gboolean train_validate (TrainJob *job, TrainEpoch *epoch, GError **error);
