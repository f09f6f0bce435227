/* Why a song got its label: the training songs that sound most like it, by the vectors of its segments. */
#pragma once

#include "table.h"

#include <segue/collect.h>

/* Songs of the list, and training songs beside each. */
#define REPORT_MAX_EXPLAINED 100
#define REPORT_SIMILAR       3

/**
 * ReportTwin: a training song.
 * @similarity: as of `segue similar`: for each segment of the song that is explained, the cosine of the most similar
 *   segment of the twin; their mean
 * @own, @segment: the most similar pair, in the table: of the song, of the twin; G_MAXUINT: not in the table
 */
typedef struct {
  guint song;
  double similarity;
  guint own, segment;
} ReportTwin;

/** ReportExplained: @twins: the most similar first. */
typedef struct {
  guint song;
  guint n;
  ReportTwin twins[REPORT_SIMILAR];
} ReportExplained;

/**
 * report_similar_find: (transfer full) (element-type ReportExplained): songs of @set, at most REPORT_MAX_EXPLAINED:
 * those with a wrong label first, then those with most wrong segments.
 *
 * The vectors are those of the input `vectors`. Empty without any, and, with a warning, for vectors that can't be compared.
 */
GArray *report_similar_find (const ReportTable *table, SegueSet set, SegueContext *context,
                             GError **error);
