/* The results of a run: figures by label and by set, and their precision. */
#include "table.h"

#include <math.h>
#include <segue/dataset.h>
#include <segue/item.h>
#include <string.h>

#define COLUMNS 5
#define GAP     2

/* An interval of accuracies this wide means little. */
#define WIDE 0.3

static const char *const titles[COLUMNS] = { "set", "songs", "segments", "segments right",
                                             "songs right" };

/* The cells of a row: name, songs, segments, segment accuracy, song accuracy. */
typedef struct {
  char *cells[COLUMNS];
  double order; /* segment accuracy, or -1 */
} Row;

static void
row_free (gpointer data)
{
  Row *row = data;
  for (gsize i = 0; i < COLUMNS; i++)
    g_free (row->cells[i]);
  g_free (row);
}

static double
get_number (const json_t *object, const char *key)
{
  const json_t *value = json_object_get (object, key);
  return json_is_number (value) ? json_number_value (value) : NAN;
}

static char *
count_text (const json_t *object, const char *key)
{
  double value = get_number (object, key);
  return isfinite (value) ? g_strdup_printf ("%.0f", value) : g_strdup ("");
}

static char *
share_text (const json_t *object, const char *key)
{
  double value = get_number (object, key);
  return isfinite (value) ? g_strdup_printf ("%.1f %%", 100 * value) : g_strdup ("");
}

static Row *
row_new (const char *name, const json_t *figures)
{
  Row *row = g_new0 (Row, 1);
  row->cells[0] = segue_text_printable (name);
  row->cells[1] = count_text (figures, "songs");
  row->cells[2] = count_text (figures, "segments");
  row->cells[3] = share_text (figures, "segment_accuracy");
  row->cells[4] = share_text (figures, "song_accuracy");
  double accuracy = get_number (figures, "segment_accuracy");
  row->order = isfinite (accuracy) ? accuracy : -1;
  return row;
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *x = *(const Row *const *) a, *y = *(const Row *const *) b;
  if (x->order != y->order)
    return x->order < y->order ? 1 : -1;
  return strcmp (x->cells[0], y->cells[0]);
}

/* (nullable): the most informative set. */
static const char *
judged_set (const json_t *metrics)
{
  for (gsize i = SEGUE_N_SETS; i-- > 0;)
    if (json_is_object (json_object_get (metrics, segue_set_get_name (i))))
      return segue_set_get_name (i);
  return NULL;
}

static GPtrArray *
label_rows (const json_t *set)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (row_free);
  const char *label;
  json_t *figures;
  json_object_foreach (json_object_get (set, "labels"), label, figures)
    g_ptr_array_add (rows, row_new (label, figures));
  g_ptr_array_sort (rows, compare_rows);
  return rows;
}

static GPtrArray *
set_rows (const json_t *metrics)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (row_free);
  for (gsize i = 0; i < SEGUE_N_SETS; i++) {
    const json_t *figures = json_object_get (metrics, segue_set_get_name (i));
    if (json_is_object (figures))
      g_ptr_array_add (rows, row_new (segue_set_get_name (i), figures));
  }
  return rows;
}

static void
widen (guint *widths, GPtrArray *rows)
{
  for (guint r = 0; r < rows->len; r++) {
    const Row *row = g_ptr_array_index (rows, r);
    for (gsize i = 0; i < COLUMNS; i++)
      widths[i] = MAX (widths[i], segue_text_width (row->cells[i]));
  }
}

/* The name left-aligned, figures right-aligned. */
static void
append_row (GString *out, const SegueTerm *term, char *const *cells, const guint *widths)
{
  g_autofree char *name = segue_text_clip (cells[0], widths[0], term->unicode);
  segue_text_append_padded (out, name, widths[0]);
  for (gsize i = 1; i < COLUMNS; i++) {
    guint space = GAP + widths[i] - MIN (widths[i], segue_text_width (cells[i]));
    g_string_append_printf (out, "%*s%s", (int) space, "", cells[i]);
  }
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  g_string_append_c (out, '\n');
}

static void
append_rows (GString *out, const SegueTerm *term, GPtrArray *rows, const guint *widths)
{
  for (guint r = 0; r < rows->len; r++)
    append_row (out, term, ((Row *) g_ptr_array_index (rows, r))->cells, widths);
}

/* Long names are shortened so that a row fits the terminal; a file or a pipe gets them in full. */
static void
fit (guint *widths, const SegueTerm *term)
{
  guint figures = 0;
  for (gsize i = 1; i < COLUMNS; i++)
    figures += widths[i] + GAP;
  if (term->tty && widths[0] + figures > term->columns)
    widths[0] = MAX (8, term->columns - MIN (term->columns, figures));
}

static void
append_head (GString *out, const SegueTerm *term, const char *heading, const guint *widths)
{
  char *head[COLUMNS] = { (char *) heading, (char *) titles[1], (char *) titles[2],
                          (char *) titles[3], (char *) titles[4] };
  g_string_append (out, segue_term_style (term, SEGUE_STYLE_BOLD));
  append_row (out, term, head, widths);
  g_string_append (out, segue_term_reset (term));
}

static const char *
songs_word (double n)
{
  return n == 1 ? "song" : "songs";
}

/* "3 of 4 test songs right (75.0 %): between 30.1 % and 95.4 % with 95 % confidence. …": what it
 * implies for songs that are not in the set. */
static void
append_verdict (GString *out, const SegueTerm *term, const json_t *set, const char *name)
{
  const json_t *interval = json_object_get (set, "song_accuracy_interval");
  double low = json_number_value (json_array_get (interval, 0));
  double high = json_number_value (json_array_get (interval, 1));
  double songs = get_number (set, "songs"), accuracy = get_number (set, "song_accuracy");
  double chance = get_number (set, "chance"), majority = get_number (set, "majority");
  /* Runs of older versions, and sets without labels, have no interval. */
  if (!(songs > 0) || !isfinite (accuracy) || !(high > 0) || !isfinite (chance))
    return;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text,
                          "%.0f of %.0f %s %s right (%.1f %%); with 95 %% confidence the accuracy "
                          "is between %.1f %% and %.1f %%. Chance level is %.1f %%",
                          round (accuracy * songs), songs, name, songs_word (songs), 100 * accuracy,
                          100 * low, 100 * high, 100 * chance);
  if (majority > chance)
    g_string_append_printf (text, ", always predicting the most frequent label gives %.1f %%",
                            100 * majority);
  double baseline = majority > chance ? majority : chance;
  gboolean no_better = low <= baseline;
  if (no_better && high > baseline)
    g_string_append_printf (text, ": no better than chance, as far as %.0f %s can tell.", songs,
                            songs_word (songs));
  else if (no_better)
    g_string_append (text, ": worse than chance.");
  else
    g_string_append (text,
                     high - low > WIDE
                       ? ": better than chance; more test songs would give a more precise figure."
                       : ".");
  g_string_append_c (out, '\n');
  g_string_append (out, no_better ? segue_term_style (term, SEGUE_STYLE_YELLOW) : "");
  segue_text_append_wrapped (out, text->str, 0, term->columns);
  g_string_append (out, no_better ? segue_term_reset (term) : "");
}

char *
segue_table_metrics (const SegueTerm *term, const json_t *metrics, const char *heading)
{
  const char *judged = judged_set (metrics);
  const json_t *set = judged ? json_object_get (metrics, judged) : NULL;
  g_autofree char *label_title = segue_text_printable (heading);
  g_autoptr (GPtrArray) labels = label_rows (set);
  g_autoptr (GPtrArray) totals = set_rows (metrics);
  guint widths[COLUMNS] = { segue_text_width (label_title) };
  for (gsize i = 1; i < COLUMNS; i++)
    widths[i] = segue_text_width (titles[i]);
  widen (widths, labels);
  widen (widths, totals);
  fit (widths, term);

  GString *out = g_string_new (NULL);
  append_head (out, term, titles[0], widths);
  append_rows (out, term, totals, widths);
  if (labels->len > 0) {
    g_string_append_printf (out, "\nThe %s set by %s:\n", judged, label_title);
    append_head (out, term, label_title, widths);
    append_rows (out, term, labels, widths);
  }
  if (set)
    append_verdict (out, term, set, judged);
  return g_string_free (out, FALSE);
}
