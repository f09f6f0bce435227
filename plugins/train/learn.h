/* The loop: steps, epochs, validation. */
#pragma once

#include "job.h"

/** train_learn: trains to the end, or on from where an interrupted run was; leaves the kept
 * epoch's weights in the model.  Also where it fails or is
 * cancelled, a checkpoint of the last finished step is left. */
gboolean train_learn (TrainJob *job, GError **error);
