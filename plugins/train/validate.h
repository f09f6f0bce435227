/* The model's performance on the validation set. */
#pragma once

#include "job.h"

/** TrainAnswered: @row: [n_labels] probabilities, borrowed; @loss: 0 where the label is unknown. */
typedef void (*TrainAnswered) (const TrainSample *sample, const double *row, double loss,
                               gpointer data);

/** train_validate_each: predicts every item of the validation set, in stored order. */
gboolean train_validate_each (TrainJob *job, TrainAnswered answered, gpointer data, GError **error);

/** train_validate: fills the validation_… fields of @epoch.  A song's prediction is the mean of its segments'
 * probabilities; items whose label the model does not have count as wrong and have no loss. */
gboolean train_validate (TrainJob *job, TrainEpoch *epoch, GError **error);
