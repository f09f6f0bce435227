/* Comma-separated values as RFC 4180 quotes them, with plain line ends; numbers independent of the
 * locale. */
#include "table.h"

#include <segue/csv.h>
#include <segue/file.h>
#include <string.h>

static const char *const columns[] = { "set",       "song",  "source",   "label",
                                       "predicted", "start", "duration", NULL };

struct _EvaluateTable {
  SegueFileWriter *writer;
  GString *line;
  guint n_labels;
};

static void
append_number (GString *line, const char *format, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_c (line, ',');
  g_string_append (line, g_ascii_formatd (text, sizeof text, format, value));
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
  table->n_labels = g_strv_length ((char **) labels);
  table->writer = segue_file_writer_new (path, error);
  if (table->writer == NULL)
    return NULL;
  for (guint i = 1; columns[i] != NULL; i++)
    g_string_append_printf (table->line, ",%s", columns[i]);
  for (guint c = 0; c < table->n_labels; c++) {
    /* A label may have the name of a column. */
    g_autofree char *name = g_strconcat ("p:", labels[c], NULL);
    g_string_append_c (table->line, ',');
    segue_csv_append (table->line, name);
  }
  return write_line (table, error) ? g_steal_pointer (&table) : NULL;
}

gboolean
evaluate_table_add (EvaluateTable *table, const EvaluateRow *row, GError **error)
{
  const char *texts[] = { row->set, row->song, row->source, row->label, row->predicted };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (i > 0)
      g_string_append_c (table->line, ',');
    segue_csv_append (table->line, texts[i]);
  }
  append_number (table->line, "%.12g", row->start);
  append_number (table->line, "%.12g", row->duration);
  for (guint c = 0; c < table->n_labels; c++)
    append_number (table->line, "%.9g", (double) row->probabilities[c]);
  return write_line (table, error);
}

gboolean
evaluate_table_commit (EvaluateTable *table, GError **error)
{
  return segue_file_writer_commit (table->writer, error);
}

void
evaluate_table_free (EvaluateTable *table)
{
  if (table == NULL)
    return;
  g_clear_pointer (&table->writer, segue_file_writer_free);
  g_string_free (table->line, TRUE);
  g_free (table);
}
