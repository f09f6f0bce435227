/* The covariance within labels. */
#pragma once

#include "rows.h"

G_BEGIN_DECLS

/* The mean over labels, weighted by their rows, of Ledoit and Wolf's estimates; see discriminant.h.
 * within [C, C]: the lower triangle; shrinkage [K].
 * Errors: SEGUE_ERROR_RESOURCE. */
gboolean lda_covariance (SegueNnThreads *threads, const LdaRows *rows, double *within,
                         double *shrinkage, GError **error);

G_END_DECLS
