/* predictions.csv: the rows of predictions items as text, written as songs arrive. */
#pragma once

#include <segue/item.h>

typedef struct _EvaluateTable EvaluateTable;

/** evaluate_table_new: the file appears at @path when it is committed, not before.
 * @labels: borrowed until the table is freed */
EvaluateTable *evaluate_table_new (const char *path, const char *const *labels, GError **error);
/** evaluate_table_add: @song: a predictions item; a row for each of its segments. */
gboolean evaluate_table_add (EvaluateTable *table, const SegueItem *song, GError **error);
gboolean evaluate_table_commit (EvaluateTable *table, GError **error);
/** evaluate_table_free: accepts %NULL. */
void evaluate_table_free (EvaluateTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EvaluateTable, evaluate_table_free)
