/* A training on disk, in the work folder: what a rerun needs to go on as if nothing had happened.
 *
 *   checkpoint-1, checkpoint-2   two generations, written in turn: where the newer one was damaged, the
 *                                other one loses less than a night
 *   epoch-<n>.weights            the weights of the best epoch that a checkpoint speaks of */
#pragma once

#include "job.h"

/** train_checkpoint_save: weights, optimiser and job->progress as they are between two steps; nothing is
 * written where the last checkpoint is of this step and epoch. */
gboolean train_checkpoint_save (TrainJob *job, GError **error);
/** train_checkpoint_is_due: whether the last one is as old as the pipeline lets it get. */
gboolean train_checkpoint_is_due (const TrainJob *job);
/** train_checkpoint_load: what an interrupted run of the same training left; where there is
 * nothing, or nothing of use, the job stays as it is.  What is there and not used is logged.  %SEGUE_ERROR_IO
 * where a file changed while it was read: the job is of no use then. */
gboolean train_checkpoint_load (TrainJob *job, GError **error);

/** train_checkpoint_save_epoch: the weights alone, as they are after @epoch. */
gboolean train_checkpoint_save_epoch (TrainJob *job, guint epoch, GError **error);
/** train_checkpoint_load_epoch: %SEGUE_ERROR_IO where they are not there. */
gboolean train_checkpoint_load_epoch (TrainJob *job, guint epoch, GError **error);
