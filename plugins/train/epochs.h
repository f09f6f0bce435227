/* Finished epochs: which one is the best so far, and whether there are enough of them. */
#pragma once

#include "job.h"

/** TRAIN_NO_EPOCH: there is no best one without validation. */
#define TRAIN_NO_EPOCH G_MAXUINT

/** train_epochs_find_best: (element-type TrainEpoch): the first of the best of @epochs. */
guint train_epochs_find_best (const TrainJob *job, const GArray *epochs);
/** train_epochs_find_stored: the one of @epochs whose weights have to lie on disk, for they may be those
 * that are kept in the end; %TRAIN_NO_EPOCH: none. */
guint train_epochs_find_stored (const TrainJob *job, const GArray *epochs);
/** train_epochs_get_kept: index of the epoch whose weights the model holds in the end. */
guint train_epochs_get_kept (const TrainJob *job);
/** train_epochs_are_enough: all were done, or none was better for too long. */
gboolean train_epochs_are_enough (const TrainJob *job);
