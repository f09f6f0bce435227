/* How strange songs are to a model that was not trained on them. */
#pragma once

#include "fit.h"

#include <segue/calibration.h>

/** train_calibrate: cross-validation of a type that is fitted in one step: a model of each fold's other songs predicts the
 * songs of the fold. Sets job->calibration; leaves it %NULL
 * if the other songs of a fold are not enough for a model.
 * @train: (inout): reordered
 * @validation: as for the model itself */
gboolean train_calibrate (TrainJob *job, TrainMatrix *train, const TrainMatrix *validation,
                          GError **error);
