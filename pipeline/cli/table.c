/* The table that a run ends with. */
#include "table.h"

#include <math.h>
#include <string.h>

#define COLUMNS 5
#define GAP     2

static const char *const sets[] = { "train", "validation", "test" };

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

static GPtrArray *
label_rows (const json_t *metrics)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (row_free);
  const json_t *set = json_object_get (metrics, "test");
  if (!set)
    set = json_object_get (metrics, "validation");
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
  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++) {
    const json_t *figures = json_object_get (metrics, sets[i]);
    if (json_is_object (figures))
      g_ptr_array_add (rows, row_new (sets[i], figures));
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

/* The name on the left, figures to the right. */
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

/* Long names give way so that a row fits the terminal; a file or a pipe gets them whole. */
static void
fit (guint *widths, const SegueTerm *term)
{
  guint figures = 0;
  for (gsize i = 1; i < COLUMNS; i++)
    figures += widths[i] + GAP;
  if (term->tty && widths[0] + figures > term->columns)
    widths[0] = MAX (8, term->columns - MIN (term->columns, figures));
}

char *
segue_table_metrics (const SegueTerm *term, const json_t *metrics, const char *heading)
{
  g_autoptr (GPtrArray) labels = label_rows (metrics);
  g_autoptr (GPtrArray) totals = set_rows (metrics);
  char *head[COLUMNS] = { (char *) heading, (char *) "songs", (char *) "segments",
                          (char *) "segments right", (char *) "songs right" };
  guint widths[COLUMNS];
  for (gsize i = 0; i < COLUMNS; i++)
    widths[i] = segue_text_width (head[i]);
  widen (widths, labels);
  widen (widths, totals);
  fit (widths, term);

  GString *out = g_string_new (segue_term_style (term, SEGUE_STYLE_BOLD));
  append_row (out, term, head, widths);
  g_string_append (out, segue_term_reset (term));
  append_rows (out, term, labels, widths);
  if (labels->len > 0 && totals->len > 0)
    g_string_append_c (out, '\n');
  append_rows (out, term, totals, widths);
  return g_string_free (out, FALSE);
}
