/* For a segment that was got wrong: which one of training, by the right artist, is most like it? */
#pragma once

#include "table.h"

#define REPORT_NO_SEGMENT G_MAXUINT

/**
 * report_nearest_find:
 * @wanted: (element-type guint): segments, whose songs have labels
 *
 * (transfer full) (element-type guint): for each of them a segment of the set train with the same
 * label, of another song, whose probabilities lie nearest (Euclid; the first of equals);
 * REPORT_NO_SEGMENT where there is none.  Reads the table twice; holds the probabilities of @wanted.
 */
GArray *report_nearest_find (const ReportTable *table, const GArray *wanted,
                             GCancellable *cancellable, GError **error);
