/* A training on disk, in the work folder: what a rerun needs to go on as if nothing had happened. */
#pragma once

#include "job.h"

/** train_checkpoint_save: weights, optimiser and job->progress as they are between two steps. */
gboolean train_checkpoint_save (TrainJob *job, GError **error);
/** train_checkpoint_load: what an interrupted run of the same training left; where there is
 * nothing, or nothing of use, the job stays as it is. */
void train_checkpoint_load (TrainJob *job);

/** train_checkpoint_save_epoch: the weights alone, as they are after @epoch. */
gboolean train_checkpoint_save_epoch (TrainJob *job, guint epoch, GError **error);
/** train_checkpoint_load_epoch: %SEGUE_ERROR_IO where they are not there. */
gboolean train_checkpoint_load_epoch (TrainJob *job, guint epoch, GError **error);
/** train_checkpoint_remove_epoch: fine where it is not there. */
void train_checkpoint_remove_epoch (TrainJob *job, guint epoch);
