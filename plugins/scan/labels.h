/* The selection of labels. */
#pragma once

#include <segue/context.h>

/**
 * LabelRules:
 * @only: (element-type char *): use only these; empty: all
 * @skip: (element-type char *): exclude these, ignoring case
 * @min_songs: exclude labels with fewer
 */
typedef struct {
  const GArray *only;
  const GArray *skip;
  guint min_songs;
} LabelRules;

/** labels_choose: (transfer container): those of @songs that are used; the others are counted, and
 * their labels logged. %SEGUE_ERROR_NO_INPUT where no song has one of the labels in @only. */
GPtrArray *labels_choose (const LabelRules *rules, GPtrArray *songs, SegueContext *context,
                          GError **error);
