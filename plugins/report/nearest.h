/* For a wrongly classified segment: the most similar training segment by the right artist. */
#pragma once

#include "table.h"

#define REPORT_NO_SEGMENT G_MAXUINT

/**
 * report_nearest_find:
 * @wanted: (element-type guint): segments of songs that have labels
 *
 * (transfer full) (element-type guint): for each of them the segment of the set train with the same label, of
 * another song, whose probabilities are nearest (Euclidean distance; the first of equals); REPORT_NO_SEGMENT where
 * there is none. Reads the table twice; keeps the probabilities of @wanted in memory.
 */
GArray *report_nearest_find (const ReportTable *table, const GArray *wanted,
                             GCancellable *cancellable, GError **error);
