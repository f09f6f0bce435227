/* The frozen prefix, computed once per item into a file of the work folder. */
#pragma once

#include "job.h"

/**
 * train_prefix_prepare: where job->prefix is set, makes job->validation (and, with prefix_train,
 * job->train) read outputs of the model's frozen prefix, computing those that an interrupted run
 * did not finish.
 */
gboolean train_prefix_prepare (TrainJob *job, GError **error);
