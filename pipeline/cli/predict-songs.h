/* Predicts songs in several threads, and prints the answers in order. */
#pragma once

#include "cli.h"

typedef enum {
  SEGUE_PREDICT_TABLE,
  SEGUE_PREDICT_JSON,
  SEGUE_PREDICT_CSV,
} SeguePredictFormat;

/**
 * SeguePredictSongs: what to predict and how to print it; all borrowed.
 * @files: (element-type filename): at least one
 * @timeline: also segments, if the format does not include them anyway
 * @judges: songs may be unsure; @rejects: those have no label in JSON and CSV
 * @n_top: labels that are shown; 0: the format's default
 * @n_threads: number of songs in parallel
 */
typedef struct {
  SeguePredictor *predictor;
  GPtrArray *files;
  SeguePredictFormat format;
  gboolean timeline;
  gboolean judges, rejects;
  guint n_top;
  guint n_threads;
} SeguePredictSongs;

/** segue_predict_songs: prints each answer on stdout as soon as those before it are printed, and
 * flushes. An error about a file is printed in its place, and the other files are still predicted;
 * then it also returns %FALSE. */
gboolean segue_predict_songs (SegueCli *cli, const SeguePredictSongs *ask, GError **error);
