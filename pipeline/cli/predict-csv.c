/* Answers as comma-separated values. */
#include "predict-text.h"

#include <segue/csv.h>
#include <string.h>

static void
append_field (GString *line, const char *text)
{
  g_string_append_c (line, ',');
  segue_csv_append (line, text);
}

static void
append_number (GString *line, double value, guint digits)
{
  g_string_append_c (line, ',');
  segue_csv_append_number (line, value, digits);
}

static guint
count_pairs (const SeguePredictCsv *csv)
{
  return MIN (csv->n_top, g_strv_length ((char **) csv->labels));
}

char *
segue_predict_csv_head (const SeguePredictCsv *csv)
{
  GString *line = g_string_new ("file");
  g_string_append (line, csv->segments ? ",start,duration" : "");
  g_string_append (line, ",label,confidence,error");
  for (guint i = 1; i <= count_pairs (csv); i++)
    g_string_append_printf (line, ",label_%u,p_%u", i, i);
  for (guint c = 0; csv->n_top == 0 && csv->labels[c]; c++) {
    /* A label may have the name of a column. */
    g_autofree char *name = g_strconcat ("p:", csv->labels[c], NULL);
    append_field (line, name);
  }
  g_string_append (line, ",unsure");
  return g_string_free (line, FALSE);
}

/* The columns after the position: answer, its probability, no error, and the labels'
 * probabilities. */
static void
append_answer (GString *line, const SeguePredictCsv *csv, const float *probabilities,
               guint n_labels, guint best, gboolean rejected)
{
  append_field (line, rejected ? "" : csv->labels[best]);
  append_number (line, (double) probabilities[best], 9);
  append_field (line, "");
  for (guint c = 0; csv->n_top == 0 && c < n_labels; c++)
    append_number (line, (double) probabilities[c], 9);
  if (csv->n_top == 0)
    return;
  g_autofree guint *order = segue_predict_rank (probabilities, n_labels, best);
  for (guint i = 0; i < count_pairs (csv); i++) {
    append_field (line, csv->labels[order[i]]);
    append_number (line, (double) probabilities[order[i]], 9);
  }
}

char *
segue_predict_csv_rows (const SeguePredictCsv *csv, const char *file,
                        const SegueSongPrediction *prediction)
{
  static const char *const certainties[] = {
    [SEGUE_CERTAINTY_UNKNOWN] = "", [SEGUE_SURE] = "0", [SEGUE_UNSURE] = "1"
  };
  guint n = prediction->n_labels;
  g_autofree char *name = segue_predict_name (file);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < (csv->segments ? prediction->n_segments : 1); i++) {
    g_string_append (text, i > 0 ? "\n" : "");
    segue_csv_append (text, name);
    const SegueSegmentPrediction *segment = &prediction->segments[i];
    if (csv->segments) {
      append_number (text, segment->start, 12);
      append_number (text, segment->duration, 12);
      append_answer (text, csv, segment->probabilities, n,
                     segue_argmax_f32 (segment->probabilities, n), FALSE);
    } else {
      append_answer (text, csv, prediction->probabilities, n, prediction->best,
                     csv->rejects && prediction->certainty == SEGUE_UNSURE);
    }
    append_field (text, certainties[prediction->certainty]);
  }
  return g_string_free (text, FALSE);
}

char *
segue_predict_csv_error (const SeguePredictCsv *csv, const char *file, const char *message)
{
  g_autofree char *name = segue_predict_name (file);
  g_autofree char *reason = g_utf8_make_valid (message, -1);
  guint n_labels = g_strv_length ((char **) csv->labels);
  GString *line = g_string_new (NULL);
  segue_csv_append (line, name);
  g_string_append (line, csv->segments ? ",,,," : ",,");
  append_field (line, reason);
  for (guint i = 0; i < (csv->n_top > 0 ? 2 * count_pairs (csv) : n_labels) + 1; i++)
    append_field (line, "");
  return g_string_free (line, FALSE);
}
