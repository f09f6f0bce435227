/* Answers for people and for programs. */
#include "predict-text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Enough to give a float32 back bit for bit. */
#define DIGITS JSON_REAL_PRECISION (9)

#define PERCENT_COLUMNS 7 /* "100.0 %" */
#define MIN_NAME        12

/* As ids of songs are written: bytes that are no UTF-8 become %XX, and a `%` that could be taken for
 * one of those %25. */
static char *
encode_name (const char *name)
{
  GString *out = g_string_new (NULL);
  for (const char *p = name; *p;) {
    gunichar c = g_utf8_get_char_validated (p, -1);
    if (c == (gunichar) -1 || c == (gunichar) -2 ||
        (c == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]))) {
      g_string_append_printf (out, "%%%02X", (guint) (guchar) *p++);
    } else {
      const char *next = g_utf8_next_char (p);
      g_string_append_len (out, p, next - p);
      p = next;
    }
  }
  return g_string_free (out, FALSE);
}

/* json_real () takes no infinity and no NaN. */
static json_t *
number (double value)
{
  return isfinite (value) ? json_real (value) : json_null ();
}

static int
compare_probabilities (gconstpointer a, gconstpointer b, gpointer data)
{
  const float *p = data;
  guint i = *(const guint *) a, j = *(const guint *) b;
  if (p[i] != p[j])
    return p[i] < p[j] ? 1 : -1;
  return i < j ? -1 : 1;
}

/* Indices of the labels, most probable first. */
static guint *
rank (const float *probabilities, guint n)
{
  guint *order = g_new (guint, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) n, sizeof *order, compare_probabilities,
                     (gpointer) probabilities);
  return order;
}

/* All labels in the model's order, or the most probable few, best first. */
static json_t *
probabilities_object (const float *probabilities, guint n, const char *const *labels, guint n_top)
{
  json_t *object = json_object ();
  g_autofree guint *order = n_top > 0 ? rank (probabilities, n) : NULL;
  guint shown = n_top > 0 ? MIN (n_top, n) : n;
  for (guint i = 0; i < shown; i++) {
    guint label = order ? order[i] : i;
    json_object_set_new (object, labels[label], number (probabilities[label]));
  }
  return object;
}

static char *
dump (json_t *object)
{
  char *text = json_dumps (object, JSON_COMPACT | DIGITS);
  char *copy = segue_json_printable (text);
  free (text);
  json_decref (object);
  return copy;
}

char *
segue_predict_json (const char *file, const char *const *labels,
                    const SegueSongPrediction *prediction, guint n_top)
{
  guint n = prediction->n_labels;
  g_autofree char *name = encode_name (file);
  json_t *object = json_object ();
  json_object_set_new (object, "file", json_string (name));
  json_object_set_new (object, "label", json_string (labels[prediction->best]));
  json_object_set_new (object, "probabilities",
                       probabilities_object (prediction->probabilities, n, labels, n_top));
  json_t *segments = json_array ();
  for (guint i = 0; i < prediction->n_segments; i++) {
    const SegueSegmentPrediction *segment = &prediction->segments[i];
    json_t *entry = json_object ();
    json_object_set_new (entry, "start", number (segment->start));
    json_object_set_new (entry, "duration", number (segment->duration));
    json_object_set_new (entry, "probabilities",
                         probabilities_object (segment->probabilities, n, labels, n_top));
    json_array_append_new (segments, entry);
  }
  json_object_set_new (object, "segments", segments);
  return dump (object);
}

char *
segue_predict_json_error (const char *file, const char *message)
{
  g_autofree char *name = encode_name (file);
  g_autofree char *text = g_utf8_make_valid (message, -1);
  json_t *object = json_object ();
  json_object_set_new (object, "file", json_string (name));
  json_object_set_new (object, "error", json_string (text));
  return dump (object);
}

void
segue_predict_table_init (SeguePredictTable *table, const SegueTerm *term, GPtrArray *files,
                          const char *const *labels, guint n_top)
{
  guint n_labels = g_strv_length ((char **) labels);
  *table = (SeguePredictTable){ .term = term, .labels = labels, .n_top = MIN (n_top, n_labels) };
  for (guint i = 0; i < n_labels; i++) {
    g_autofree char *label = segue_text_printable (labels[i]);
    table->label_columns = MAX (table->label_columns, segue_text_width (label));
  }
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *name = segue_text_printable (g_ptr_array_index (files, i));
    table->name_columns = MAX (table->name_columns, segue_text_width (name));
  }
  guint rest = table->n_top * (2 + table->label_columns + 2 + PERCENT_COLUMNS);
  if (term->tty && table->name_columns + rest > term->columns)
    table->name_columns = MAX (MIN_NAME, term->columns - MIN (term->columns, rest));
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
  g_autofree guint *order = rank (prediction->probabilities, prediction->n_labels);
  for (guint i = 0; i < MIN (table->n_top, prediction->n_labels); i++) {
    g_autofree char *label = segue_text_printable (table->labels[order[i]]);
    g_string_append_printf (out, "  %s", i == 0 ? segue_term_style (term, SEGUE_STYLE_BOLD) : "");
    segue_text_append_padded (out, label, table->label_columns);
    g_string_append_printf (out, "  %5.1f %%%s", 100 * (double) prediction->probabilities[order[i]],
                            i == 0 ? segue_term_reset (term) : "");
  }
  return g_string_free (out, FALSE);
}
