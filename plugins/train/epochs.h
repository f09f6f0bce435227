/* Finished epochs: the best one so far, and whether training may stop. */
#pragma once

#include "job.h"

/** TRAIN_NO_EPOCH: no epoch: without validation there is no best one. */
#define TRAIN_NO_EPOCH G_MAXUINT

/** train_epochs_find_best: (element-type TrainEpoch): the best of @epochs; the first of equals. */
guint train_epochs_find_best (const TrainJob *job, const GArray *epochs);
/** train_epochs_find_stored: the one of @epochs whose weights have to be stored on disk, as they may be kept at
 * the end; %TRAIN_NO_EPOCH: none. */
guint train_epochs_find_stored (const TrainJob *job, const GArray *epochs);
/** train_epochs_get_kept: index of the epoch whose weights the model has at the end. */
guint train_epochs_get_kept (const TrainJob *job);
/** train_epochs_are_enough: all epochs are done, or none was better for too long. */
gboolean train_epochs_are_enough (const TrainJob *job);
