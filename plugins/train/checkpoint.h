/* The state of a training on disk, in the work folder: what a rerun needs to resume with the same result.
 *
 *   checkpoint-1, checkpoint-2   two generations, written alternately: where the newer one was damaged, the
 *                                other one loses less than a night
 *   epoch-<n>.weights            the weights of the best epoch that a checkpoint refers to */
#pragma once

#include "job.h"

/** train_checkpoint_save: saves weights, optimiser and job->progress as they are between two steps; writes nothing
 * where the last checkpoint is of this step and epoch. */
gboolean train_checkpoint_save (TrainJob *job, GError **error);
/** train_checkpoint_is_due: whether the last one has reached the maximum age set in the pipeline. */
gboolean train_checkpoint_is_due (const TrainJob *job);
/** train_checkpoint_load: loads the checkpoint of an interrupted run of the same training; without a usable one,
 * the job stays unchanged. Unused checkpoints are logged. %SEGUE_ERROR_IO where a file changed while it was
 * read: the job is unusable then. */
gboolean train_checkpoint_load (TrainJob *job, GError **error);

/** train_checkpoint_save_epoch: saves only the weights, as they are after @epoch. */
gboolean train_checkpoint_save_epoch (TrainJob *job, guint epoch, GError **error);
/** train_checkpoint_load_epoch: %SEGUE_ERROR_IO where they are missing. */
gboolean train_checkpoint_load_epoch (TrainJob *job, guint epoch, GError **error);
