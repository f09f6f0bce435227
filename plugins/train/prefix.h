/* The frozen prefix, computed once per item into a file of the work folder. */
#pragma once

#include "job.h"

/**
 * train_prefix_prepare: where job->prefix says so, makes job->validation (and, with prefix_train,
 * job->train) read outputs of the model's frozen prefix, computing those that an interrupted run
 * did not leave whole.
 */
gboolean train_prefix_prepare (TrainJob *job, GError **error);
