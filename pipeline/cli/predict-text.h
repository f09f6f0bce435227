/* Answers as text: a table, or JSON lines. */
#pragma once

#include "term.h"
#include <segue/segue.h>

/** segue_predict_json: (transfer full): one line: file, label, probabilities, segments.
 * @file: bytes; what is not UTF-8 in it is percent-encoded
 * @n_top: how many labels; 0: all */
char *segue_predict_json (const char *file, const char *const *labels,
                          const SegueSongPrediction *prediction, guint n_top);
/** segue_predict_json_error: (transfer full): one line: file, error. */
char *segue_predict_json_error (const char *file, const char *message);

/**
 * SeguePredictTable: how rows are laid out.
 * @name_columns: for file names; longer ones are clipped on a terminal
 * @label_columns: for labels
 * @n_top: labels in a row, most probable first
 */
typedef struct {
  const SegueTerm *term;
  const char *const *labels;
  guint name_columns;
  guint label_columns;
  guint n_top;
} SeguePredictTable;

/** segue_predict_table_init: columns for @files (element-type filename) and @labels, which the table
 * borrows. */
void segue_predict_table_init (SeguePredictTable *table, const SegueTerm *term, GPtrArray *files,
                               const char *const *labels, guint n_top);
/** segue_predict_table_row: (transfer full): file, label, probability, runner-up, its probability. */
char *segue_predict_table_row (const SeguePredictTable *table, const char *file,
                               const SegueSongPrediction *prediction);
