/* Which labels are taken. */
#pragma once

#include <segue/context.h>

/**
 * LabelRules:
 * @only: (element-type char *): take these; empty: all
 * @skip: (element-type char *): leave these out, whatever the case
 * @min_songs: leave out labels with fewer
 */
typedef struct {
  const GArray *only;
  const GArray *skip;
  guint min_songs;
} LabelRules;

/** labels_choose: (transfer container): those of @songs that are taken; the others are counted, and
 * their labels logged.  %SEGUE_ERROR_NO_INPUT where no song has one of the labels in @only. */
GPtrArray *labels_choose (const LabelRules *rules, GPtrArray *songs, SegueContext *context,
                          GError **error);
