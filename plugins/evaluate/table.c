/* Comma-separated values as RFC 4180 quotes them, with plain line ends; numbers independent of the
 * locale. */
#include "table.h"

#include <segue/aggregation.h>
#include <segue/csv.h>
#include <segue/file.h>
#include <segue/tensor.h>
#include <string.h>

static const char *const columns[] = { "set",       "song",  "source",   "label",
                                       "predicted", "start", "duration", NULL };

struct _EvaluateTable {
  SegueFileWriter *writer;
  GString *line;
  const char *const *labels;
};

static void
append_number (GString *line, double value, guint digits)
{
  g_string_append_c (line, ',');
  segue_csv_append_number (line, value, digits);
}

static gboolean
write_line (EvaluateTable *table, GError **error)
{
  g_string_append_c (table->line, '\n');
  gboolean ok = segue_file_writer_write (table->writer, table->line->str, table->line->len, error);
  g_string_truncate (table->line, 0);
  return ok;
}

EvaluateTable *
evaluate_table_new (const char *path, const char *const *labels, GError **error)
{
  g_autoptr (EvaluateTable) table = g_new0 (EvaluateTable, 1);
  table->line = g_string_new (columns[0]);
  table->labels = labels;
  table->writer = segue_file_writer_new (path, error);
  if (!table->writer)
    return NULL;
  for (guint i = 1; columns[i]; i++)
    g_string_append_printf (table->line, ",%s", columns[i]);
  for (guint c = 0; labels[c]; c++) {
    /* A label may have the name of a column. */
    g_autofree char *name = g_strconcat ("p:", labels[c], NULL);
    g_string_append_c (table->line, ',');
    segue_csv_append (table->line, name);
  }
  return write_line (table, error) ? g_steal_pointer (&table) : NULL;
}

static gboolean
add_row (EvaluateTable *table, const SegueItem *song, const double *row, guint n_labels,
         GError **error)
{
  const double *probabilities = row + SEGUE_PREDICTION_LABELS;
  const char *texts[] = { segue_item_get_string (song, SEGUE_META_SET), segue_item_get_song (song),
                          segue_item_get_string (song, SEGUE_META_SOURCE),
                          segue_item_get_string (song, SEGUE_META_LABEL),
                          table->labels[segue_argmax_f64 (probabilities, n_labels)] };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (i > 0)
      g_string_append_c (table->line, ',');
    segue_csv_append (table->line, texts[i]);
  }
  append_number (table->line, row[SEGUE_PREDICTION_START], 12);
  append_number (table->line, row[SEGUE_PREDICTION_DURATION], 12);
  for (guint c = 0; c < n_labels; c++)
    append_number (table->line, probabilities[c], 9);
  return write_line (table, error);
}

gboolean
evaluate_table_add (EvaluateTable *table, const SegueItem *song, GError **error)
{
  guint n_segments, n_labels;
  const double *rows = segue_item_get_predictions (song, &n_segments, &n_labels, error);
  for (guint s = 0; rows && s < n_segments; s++)
    if (!add_row (table, song, rows + (gsize) s * (SEGUE_PREDICTION_LABELS + n_labels), n_labels,
                  error))
      return FALSE;
  return rows != NULL;
}

gboolean
evaluate_table_commit (EvaluateTable *table, GError **error)
{
  return segue_file_writer_commit (table->writer, error);
}

void
evaluate_table_free (EvaluateTable *table)
{
  if (!table)
    return;
  g_clear_pointer (&table->writer, segue_file_writer_free);
  g_string_free (table->line, TRUE);
  g_free (table);
}
