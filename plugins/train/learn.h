/* The loop: steps, epochs, validation, and which epoch is kept. */
#pragma once

#include "job.h"

/** TRAIN_NO_EPOCH: there is no best one without validation. */
#define TRAIN_NO_EPOCH G_MAXUINT

/** train_learn: trains to the end, or on from where an interrupted run was; leaves the kept
 * epoch's weights in the model.  A cancel leaves a checkpoint of the last finished step. */
gboolean train_learn (TrainJob *job, GError **error);

/** train_learn_get_kept: index of the epoch whose weights the model holds in the end. */
guint train_learn_get_kept (const TrainJob *job);
