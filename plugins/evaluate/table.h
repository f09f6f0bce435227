/* predictions.csv: a row per segment, written as segments arrive. */
#pragma once

#include <glib.h>

typedef struct _EvaluateTable EvaluateTable;

/** EvaluateRow: texts unchanged, %NULL as empty; @probabilities [n_labels]. */
typedef struct {
  const char *set, *song, *source, *label, *predicted;
  double start, duration;
  const float *probabilities;
} EvaluateRow;

/** evaluate_table_new: the file appears at @path when it is committed, not before. */
EvaluateTable *evaluate_table_new (const char *path, const char *const *labels, GError **error);
gboolean evaluate_table_add (EvaluateTable *table, const EvaluateRow *row, GError **error);
gboolean evaluate_table_commit (EvaluateTable *table, GError **error);
/** evaluate_table_free: accepts %NULL. */
void evaluate_table_free (EvaluateTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EvaluateTable, evaluate_table_free)
