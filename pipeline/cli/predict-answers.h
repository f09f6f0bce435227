/* Songs asked about by several threads, and said in order. */
#pragma once

#include "cli.h"

typedef enum {
  SEGUE_PREDICT_TABLE,
  SEGUE_PREDICT_JSON,
  SEGUE_PREDICT_CSV,
} SeguePredictFormat;

/**
 * SeguePredictAsk: what to ask and how to say it; all borrowed.
 * @files: (element-type filename): at least one
 * @timeline: segments, too, where the format has not got them anyway
 * @none: songs may be none of the labels
 * @n_top: labels that are shown; 0: as many as the format has by itself
 * @n_threads: songs at once
 */
typedef struct {
  SeguePredictor *predictor;
  GPtrArray *files;
  SeguePredictFormat format;
  gboolean timeline;
  gboolean none;
  guint n_top;
  guint n_threads;
} SeguePredictAsk;

/** segue_predict_answers: says each answer on stdout as soon as those before it are said, and flushes.  An error
 * that is about a file stands in its place, and the others are asked about all the same; %FALSE then,
 * too. */
gboolean segue_predict_answers (SegueCli *cli, const SeguePredictAsk *ask, GError **error);
