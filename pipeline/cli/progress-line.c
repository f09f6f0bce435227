/* Progress as text. */
#include "progress-line.h"

#include <math.h>
#include <string.h>

#define BAR         24 /* cells; one length, so that it does not jump as figures grow */
#define SHORT_BAR   10
#define DETAIL      32  /* columns reserved for a detail before a bar gets any */
#define MIN_DETAIL  8   /* columns, below which it is useless */
#define RATE_STEP   1.0 /* s between samples of a rate */
#define RATE_SETTLE 0.5 /* s, below which a rate means nothing */

char *
segue_duration_text (double seconds)
{
  if (!(seconds >= 0) || seconds > 1e7)
    return g_strdup ("?");
  guint64 s = (guint64) llround (seconds);
  if (s < 3600)
    return g_strdup_printf ("%u:%02u", (guint) (s / 60), (guint) (s % 60));
  return g_strdup_printf ("%u:%02u:%02u", (guint) (s / 3600), (guint) (s / 60 % 60),
                          (guint) (s % 60));
}

void
segue_rate_add (SegueRate *rate, double now, guint64 done)
{
  guint last = (rate->next + SEGUE_RATE_SAMPLES - 1) % SEGUE_RATE_SAMPLES;
  /* If a stage restarts its count (from songs read to steps trained), the rate starts over. */
  if (rate->n > 0 && done < rate->values[last])
    *rate = (SegueRate){ 0 };
  if (rate->n > 0 && now - rate->times[last] < RATE_STEP)
    return;
  rate->times[rate->next] = now;
  rate->values[rate->next] = done;
  rate->next = (rate->next + 1) % SEGUE_RATE_SAMPLES;
  rate->n = MIN (rate->n + 1, SEGUE_RATE_SAMPLES);
}

double
segue_rate_get (const SegueRate *rate, double now, guint64 done)
{
  if (rate->n == 0)
    return 0;
  guint oldest = rate->n < SEGUE_RATE_SAMPLES ? 0 : rate->next;
  double seconds = now - rate->times[oldest];
  if (seconds < RATE_SETTLE || done <= rate->values[oldest])
    return 0;
  return (double) (done - rate->values[oldest]) / seconds;
}

static gboolean
is_bytes (const SegueProgressView *view)
{
  return g_strcmp0 (view->unit, SEGUE_UNIT_BYTES) == 0;
}

static char *
amount_text (const SegueProgressView *view, guint64 amount)
{
  return is_bytes (view) ? g_format_size (amount) : g_strdup_printf ("%" G_GUINT64_FORMAT, amount);
}

/* " songs", or " song" for one. */
static void
append_unit (GString *out, const SegueProgressView *view, guint64 amount)
{
  if (!view->unit || is_bytes (view))
    return;
  g_autofree char *unit = segue_text_printable (view->unit);
  gsize length = strlen (unit);
  if (amount == 1 && g_str_has_suffix (unit, "s"))
    length--;
  g_string_append_printf (out, " %.*s", (int) length, unit);
}

static char *
rate_text (const SegueProgressView *view)
{
  if (is_bytes (view)) {
    g_autofree char *size = g_format_size ((guint64) view->rate);
    return g_strconcat (size, "/s", NULL);
  }
  if (view->rate < 1)
    return g_strdup_printf ("%.1f s each", 1 / view->rate);
  return g_strdup_printf (view->rate < 10 ? "%.1f/s" : "%.0f/s", view->rate);
}

/* The parts of a line; if they don't fit, they are dropped, the first ones first. */
typedef struct {
  guint bar; /* cells */
  gboolean rate, unit, index;
} Layout;

static const Layout layouts[] = {
  { BAR, TRUE, TRUE, TRUE }, { SHORT_BAR, TRUE, TRUE, TRUE }, { 0, TRUE, TRUE, TRUE },
  { 0, FALSE, TRUE, TRUE },  { 0, FALSE, FALSE, TRUE },       { 0, FALSE, FALSE, FALSE },
};

/* "34/167 songs, 12/s, 0:11 left". */
static char *
stats_text (const SegueProgressView *view, const Layout *layout, const char *separator,
            const char *of)
{
  GString *out = g_string_new (NULL);
  g_autofree char *done = amount_text (view, view->done);
  g_string_append (out, done);
  if (view->total > 0) {
    g_autofree char *total = amount_text (view, view->total);
    g_string_append_printf (out, "%s%s", of, total);
  }
  if (layout->unit)
    append_unit (out, view, view->total > 0 ? view->total : view->done);
  if (view->rate > 0 && layout->rate) {
    g_autofree char *rate = rate_text (view);
    g_string_append_printf (out, "%s%s", separator, rate);
  }
  if (view->rate > 0 && view->total > view->done) {
    g_autofree char *left = segue_duration_text ((double) (view->total - view->done) / view->rate);
    g_string_append_printf (out, "%s%s left", separator, left);
  } else if (view->total == 0 || view->rate <= 0) {
    g_autofree char *elapsed = segue_duration_text (view->elapsed);
    g_string_append_printf (out, "%s%s", separator, elapsed);
  }
  return g_string_free (out, FALSE);
}

static char *
label_text (const SegueProgressView *view, gboolean index)
{
  g_autofree char *name = segue_text_printable (view->name);
  if (view->n_stages == 0 || !index)
    return g_steal_pointer (&name);
  return g_strdup_printf ("[%u/%u] %s", view->index + 1, view->n_stages, name);
}

static void
append_bar (GString *out, const SegueTerm *term, guint cells, double share)
{
  guint full = (guint) (CLAMP (share, 0, 1) * cells);
  g_string_append (out, segue_term_style (term, SEGUE_STYLE_GREEN));
  for (guint i = 0; i < full; i++)
    g_string_append (out, term->unicode ? "━" : "#");
  g_string_append (out, segue_term_reset (term));
  g_string_append (out, segue_term_style (term, SEGUE_STYLE_DIM));
  for (guint i = full; i < cells; i++)
    g_string_append (out, term->unicode ? "─" : "-");
  g_string_append (out, segue_term_reset (term));
}

static const char *
separator_for (const SegueTerm *term)
{
  return term->unicode ? " · " : ", ";
}

/* The line with @layout; @width: its width without the detail. */
static char *
lay_out (const SegueTerm *term, const SegueProgressView *view, const Layout *layout, guint *width)
{
  g_autofree char *label = label_text (view, layout->index);
  g_autofree char *stats = stats_text (view, layout, separator_for (term), "/");
  guint cells = view->total > 0 ? layout->bar : 0;
  GString *out = g_string_new (label);
  g_string_append_c (out, ' ');
  if (cells > 0) {
    append_bar (out, term, cells, (double) view->done / (double) view->total);
    g_string_append_c (out, ' ');
  }
  g_string_append (out, stats);
  *width = segue_text_width (label) + 1 + (cells > 0 ? cells + 1 : 0) + segue_text_width (stats);
  return g_string_free (out, FALSE);
}

char *
segue_progress_bar (const SegueTerm *term, const SegueProgressView *view)
{
  /* Writing to the last column would wrap the cursor. */
  guint room = term->columns - 1, width = 0;
  const char *separator = separator_for (term);
  g_autofree char *detail = segue_text_printable (view->detail ? view->detail : "");
  /* Text is more useful than a longer bar. */
  guint words =
    *detail ? segue_text_width (separator) + MIN (segue_text_width (detail), DETAIL) : 0;
  g_autofree char *line = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (layouts) && (!line || width + words > room); i++) {
    g_free (line);
    line = lay_out (term, view, &layouts[i], &width);
  }
  if (width > room)
    return segue_text_clip (line, room, term->unicode);
  width += segue_text_width (separator);
  if (!*detail || width + MIN_DETAIL > room)
    return g_steal_pointer (&line);
  g_autofree char *clipped = segue_text_clip (detail, room - width, term->unicode);
  return g_strconcat (line, separator, clipped, NULL);
}

char *
segue_progress_plain (const SegueProgressView *view)
{
  g_autofree char *label = label_text (view, TRUE);
  g_autofree char *stats = stats_text (view, &layouts[0], ", ", " of ");
  g_autofree char *detail = segue_text_printable (view->detail ? view->detail : "");
  return g_strdup_printf ("%s: %s%s%s", label, stats, *detail ? ", " : "", detail);
}

char *
segue_progress_done (const SegueTerm *term, const SegueProgressView *view)
{
  g_autofree char *label = label_text (view, TRUE);
  g_autofree char *took = view->elapsed < 60 ? g_strdup_printf ("%.1f s", view->elapsed)
                                             : segue_duration_text (view->elapsed);
  const char *mark = !term->tty ? "" : term->unicode ? "✓ " : "* ";
  GString *out = g_string_new (NULL);
  g_string_append_printf (out, "%s%s%s%s", segue_term_style (term, SEGUE_STYLE_GREEN), mark,
                          segue_term_reset (term), label);
  g_string_append (out, ": ");
  if (view->done > 0) {
    g_autofree char *amount = amount_text (view, view->done);
    g_string_append (out, amount);
    append_unit (out, view, view->done);
    g_string_append (out, view->cached ? " " : " in ");
  }
  g_string_append (out, view->cached ? "from the cache" : took);
  return g_string_free (out, FALSE);
}
