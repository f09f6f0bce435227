/* The loop: steps, epochs, validation. */
#pragma once

#include "job.h"

/** train_learn: trains to the end, resuming an interrupted run; leaves the kept epoch's weights in
 * the model. Where it fails or is cancelled it also leaves a checkpoint of the last finished
 * step. */
gboolean train_learn (TrainJob *job, GError **error);

/** train_log_epoch: logs the results of epoch @index, and adds them to the curves. */
void train_log_epoch (TrainJob *job, guint index);
