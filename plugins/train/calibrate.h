/* The probabilities of right answers for validation songs, computed with the kept weights. */
#pragma once

#include "job.h"

#include <segue/calibration.h>

/** train_calibrate: (transfer full): makes one more pass over the validation set; without such a set, the result
 * has no songs. Segments of a song are adjacent, as in datasets. */
SegueCalibration *train_calibrate (TrainJob *job, GError **error);
