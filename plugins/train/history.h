/* history.json: the course of a training, for people and programs. */
#pragma once

#include "job.h"

/** train_history_write: writes it into @folder; it contains no times, so equal trainings write
 * equal files. */
gboolean train_history_write (const TrainJob *job, const char *folder, GError **error);
