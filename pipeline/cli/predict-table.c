/* Answers as a text table. */
#include "predict-text.h"

#define PERCENT_COLUMNS 7 /* "100.0 %" */
#define MIN_NAME        12
#define UNSURE          "unsure"

void
segue_predict_table_init (SeguePredictTable *table, const SegueTerm *term, GPtrArray *files,
                          const char *const *labels, guint n_top, gboolean judges)
{
  guint n_labels = g_strv_length ((char **) labels);
  *table = (SeguePredictTable){ .term = term,
                                .labels = labels,
                                .label_columns = judges ? segue_text_width (UNSURE) : 0,
                                .n_top = MIN (n_top, n_labels) };
  for (guint i = 0; i < n_labels; i++) {
    g_autofree char *label = segue_text_printable (labels[i]);
    table->label_columns = MAX (table->label_columns, segue_text_width (label));
  }
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *name = segue_text_printable (g_ptr_array_index (files, i));
    table->name_columns = MAX (table->name_columns, segue_text_width (name));
  }
  guint rest = (table->n_top + (judges ? 1 : 0)) * (2 + table->label_columns + 2 + PERCENT_COLUMNS);
  if (term->tty && table->name_columns + rest > term->columns)
    table->name_columns = MAX (MIN_NAME, term->columns - MIN (term->columns, rest));
}

static void
append_pair (GString *out, const SeguePredictTable *table, const char *label, const char *percent,
             gboolean bold)
{
  const SegueTerm *term = table->term;
  g_autofree char *shown = segue_text_printable (label);
  g_string_append_printf (out, "  %s", bold ? segue_term_style (term, SEGUE_STYLE_BOLD) : "");
  segue_text_append_padded (out, shown, table->label_columns);
  g_string_append_printf (out, "  %7s%s", percent, bold ? segue_term_reset (term) : "");
}

char *
segue_predict_table_row (const SeguePredictTable *table, const char *file,
                         const SegueSongPrediction *prediction)
{
  const SegueTerm *term = table->term;
  g_autofree char *name = segue_text_printable (file);
  g_autofree char *clipped = term->tty ? segue_text_clip (name, table->name_columns, term->unicode)
                                       : g_steal_pointer (&name);
  GString *out = g_string_new (NULL);
  segue_text_append_padded (out, clipped, table->name_columns);
  gboolean unsure = prediction->certainty == SEGUE_UNSURE;
  if (unsure)
    append_pair (out, table, UNSURE, "", TRUE);
  g_autofree guint *order =
    segue_predict_rank (prediction->probabilities, prediction->n_labels, prediction->best);
  guint n_top = unsure ? MAX (table->n_top, SEGUE_PREDICT_CANDIDATES) : table->n_top;
  for (guint i = 0; i < MIN (n_top, prediction->n_labels); i++) {
    double share = (double) prediction->probabilities[order[i]];
    g_autofree char *percent = g_strdup_printf ("%.1f %%", 100 * share);
    append_pair (out, table, table->labels[order[i]], percent, i == 0 && !unsure);
  }
  return g_string_free (out, FALSE);
}
