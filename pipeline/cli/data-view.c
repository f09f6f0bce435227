#include "data-view.h"

#include <math.h>

#define MAX_NAME 40 /* columns; a longer name pushes its line to the right */
/* With fewer test songs, an accuracy means little: its precision is ±14 points at best. */
#define FEW_TEST_SONGS 50

static const char *const columns[] = { "train", "validation", "test", "unset", "left_out" };
static const char *const headings[] = { "train", "validation", "test", "songs", "skipped" };
enum { TRAIN, VALIDATION, TEST, UNSET, LEFT_OUT, N_COLUMNS };

json_t *
segue_data_view_describe (const SegueDataView *view)
{
  json_t *labels = json_array (), *warnings = json_array ();
  for (guint i = 0; i < view->labels->len; i++) {
    const SegueDataLabel *row = &g_array_index (view->labels, SegueDataLabel, i);
    json_array_append_new (labels,
                           json_pack ("{s:s, s:i, s:i, s:i, s:i, s:i}", "label", row->label,
                                      "train", (int) row->n_train, "validation",
                                      (int) row->n_validation, "test", (int) row->n_test, "unset",
                                      (int) row->n_unset, "left_out", (int) row->n_left_out));
  }
  for (guint i = 0; i < view->warnings->len; i++)
    json_array_append_new (warnings, json_string (g_ptr_array_index (view->warnings, i)));
  return json_pack ("{s:i, s:o, s:o}", "songs", (int) view->n_songs, "labels", labels, "warnings",
                    warnings);
}

static guint
get (const json_t *row, guint column)
{
  return (guint) json_integer_value (json_object_get (row, columns[column]));
}

static gboolean
is_left (const json_t *row)
{
  return get (row, TRAIN) + get (row, VALIDATION) + get (row, TEST) + get (row, UNSET) > 0;
}

/* Adds up songs by column; returns the number of remaining labels. */
static guint
add_up (const json_t *data, guint totals[N_COLUMNS])
{
  const json_t *labels = json_object_get (data, "labels");
  guint n = 0;
  size_t i;
  json_t *row;
  memset (totals, 0, N_COLUMNS * sizeof *totals);
  json_array_foreach ((json_t *) labels, i, row)
  {
    for (guint c = 0; c < N_COLUMNS; c++)
      totals[c] += get (row, c);
    n += is_left (row);
  }
  return n;
}

char *
segue_data_view_summarise (const json_t *data)
{
  guint totals[N_COLUMNS], n_labels = add_up (data, totals);
  guint n_sets = totals[TRAIN] + totals[VALIDATION] + totals[TEST];
  guint n_songs = n_sets + totals[UNSET];
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%u %s of %u %s", n_songs, n_songs == 1 ? "song" : "songs",
                          n_labels, n_labels == 1 ? "label" : "labels");
  if (totals[LEFT_OUT] > 0)
    g_string_append_printf (text, " (%u skipped)", totals[LEFT_OUT]);
  if (n_sets > 0)
    g_string_append_printf (text, ": %u train, %u validation, %u test", totals[TRAIN],
                            totals[VALIDATION], totals[TEST]);
  if (n_labels > 1 && totals[TEST] > 0)
    g_string_append_printf (text, "; chance level %.0f %%", 100.0 / n_labels);
  if (totals[TEST] > 0 && totals[TEST] < FEW_TEST_SONGS)
    /* Half of a 95 % interval if half of the songs are right. */
    g_string_append_printf (
      text, "\nfew test songs (%u): the accuracy by song will be uncertain by up to ±%.0f points",
      totals[TEST], MIN (50, 98 / sqrt (totals[TEST])));
  return g_string_free (text, FALSE);
}

static void
append_row (GString *text, const char *name, guint width, const json_t *row,
            const guint totals[N_COLUMNS])
{
  g_string_append (text, "  ");
  segue_text_append_padded (text, name, width);
  for (guint c = 0; c < N_COLUMNS; c++) {
    if (totals[c] == 0)
      continue;
    if (!row)
      g_string_append_printf (text, "  %10s", headings[c]);
    else if (get (row, c) > 0)
      g_string_append_printf (text, "  %10u", get (row, c));
    else
      g_string_append_printf (text, "  %10s", "");
  }
  while (text->len > 0 && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  g_string_append_c (text, '\n');
}

void
segue_data_view_print (const json_t *data, const SegueTerm *out)
{
  guint totals[N_COLUMNS], width = strlen ("label");
  const json_t *labels = json_object_get (data, "labels");
  const json_t *warnings = json_object_get (data, "warnings");
  g_autofree char *summary = segue_data_view_summarise (data);
  g_autoptr (GString) text = g_string_new (summary);
  size_t i;
  json_t *row, *warning;
  g_string_append_c (text, '\n');
  add_up (data, totals);
  json_array_foreach ((json_t *) labels, i, row)
  {
    g_autofree char *name =
      segue_text_printable (json_string_value (json_object_get (row, "label")));
    width = MAX (width, MIN (segue_text_width (name), MAX_NAME));
  }
  append_row (text, "label", width, NULL, totals);
  json_array_foreach ((json_t *) labels, i, row)
  {
    g_autofree char *name =
      segue_text_printable (json_string_value (json_object_get (row, "label")));
    append_row (text, *name ? name : "(none)", width, row, totals);
  }
  json_array_foreach ((json_t *) warnings, i, warning)
  {
    g_autofree char *line = segue_text_printable (json_string_value (warning));
    g_string_append_printf (text, "%s%s%s\n", segue_term_style (out, SEGUE_STYLE_YELLOW), line,
                            segue_term_reset (out));
  }
  fputs (text->str, out->stream);
}
