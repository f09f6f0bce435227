/* A preview of a run's data before anything is decoded (internal). */
#pragma once

#include "run/run-private.h"

/**
 * segue_run_preview: once the sources are done: calls preview () of all stages that have it and
 * whose inputs are known without decoding, and reports the data to the observer. %FALSE if one of
 * them reports that the run would fail.
 */
gboolean segue_run_preview (SegueRun *run, GError **error);
