/* How probable right answers about validation songs are, from the weights that are kept. */
#pragma once

#include "job.h"

#include <segue/calibration.h>

/** train_calibrate: (transfer full): one more pass over the validation set; without one, of no songs.
 * Segments of a song stand together, as datasets have them. */
SegueCalibration *train_calibrate (TrainJob *job, GError **error);
