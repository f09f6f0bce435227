/* Model types that compute weights from all training rows at once. */
#pragma once

#include "job.h"

/** train_fit: calls the type's fit () with all rows in memory. For a type without backward (), that is the training: one
 * epoch, measured and logged. */
gboolean train_fit (TrainJob *job, GError **error);
