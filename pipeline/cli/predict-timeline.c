/* The predicted label of each segment of a song, as a strip of letters. */
#include "predict-text.h"
#include "progress-line.h"

#define MARK_COLUMNS 9 /* "  1:02:03" */
#define MAX_STRIP    60
#define N_LETTERS    26
#define OTHER        '.'
#define SURE         0.5f /* segments with less confidence get lower-case letters */

/* @letters: [labels]; 0 for labels that are first in no segment. */
typedef struct {
  const SegueTerm *term;
  const char *const *labels;
  const SegueSongPrediction *prediction;
  guint *firsts; /* [segments]: the most probable label */
  guint *order;  /* [labels]: ranked for the song */
  char *letters;
} Strip;

/* A is the answer, or the next label in rank that is first in a segment. */
static void
give_letters (Strip *strip)
{
  const SegueSongPrediction *song = strip->prediction;
  g_autofree gboolean *is_first = g_new0 (gboolean, song->n_labels);
  for (guint i = 0; i < song->n_segments; i++) {
    strip->firsts[i] = segue_argmax_f32 (song->segments[i].probabilities, song->n_labels);
    is_first[strip->firsts[i]] = TRUE;
  }
  guint n = 0;
  for (guint i = 0; i < song->n_labels; i++) {
    guint label = strip->order[i];
    if (is_first[label])
      strip->letters[label] = n < N_LETTERS ? (char) ('A' + n) : OTHER;
    n += is_first[label];
  }
}

static const char *
style_of (const SegueTerm *term, char letter)
{
  static const SegueStyle styles[] = { SEGUE_STYLE_GREEN, SEGUE_STYLE_YELLOW, SEGUE_STYLE_CYAN,
                                       SEGUE_STYLE_RED };
  guint index = letter == OTHER ? N_LETTERS : (guint) (letter - 'A');
  return segue_term_style (term, index < G_N_ELEMENTS (styles) ? styles[index] : SEGUE_STYLE_DIM);
}

static void
append_mark (GString *out, double seconds)
{
  g_autofree char *text = segue_duration_text (seconds);
  g_string_append_printf (out, "%*s ", MARK_COLUMNS, text);
}

static gboolean
is_unsure (const Strip *strip, guint segment)
{
  return strip->prediction->segments[segment].probabilities[strip->firsts[segment]] < SURE;
}

/* Segments from @first up to, but not including, @end. */
static void
append_letters (GString *out, const Strip *strip, guint first, guint end)
{
  char before = 0;
  for (guint i = first; i < end; i++) {
    guint label = strip->firsts[i];
    char letter = strip->letters[label];
    if (letter != before)
      g_string_append_printf (out, "%s%s", before ? segue_term_reset (strip->term) : "",
                              style_of (strip->term, letter));
    g_string_append_c (out, is_unsure (strip, i) ? g_ascii_tolower (letter) : letter);
    before = letter;
  }
  g_string_append (out, segue_term_reset (strip->term));
}

static void
append_legend (GString *out, const Strip *strip)
{
  g_autoptr (GString) legend = g_string_new (NULL);
  gboolean any_unsure = FALSE;
  for (guint i = 0; i < strip->prediction->n_segments; i++)
    any_unsure |= is_unsure (strip, i);
  for (guint i = 0; i < strip->prediction->n_labels; i++) {
    guint label = strip->order[i];
    char letter = strip->letters[label];
    if (!letter || letter == OTHER)
      continue;
    g_autofree char *shown = segue_text_printable (strip->labels[label]);
    g_string_append_printf (legend, "%s%c %s", legend->len > 0 ? ", " : "", letter, shown);
  }
  g_string_append (legend, any_unsure ? "; lower case: less than 50 %" : "");
  g_string_append_printf (out, "%*s ", MARK_COLUMNS, "");
  segue_text_append_wrapped (out, legend->str, MARK_COLUMNS + 1, strip->term->columns);
  g_string_truncate (out, out->len - 1); /* its line end */
}

static void
append_strip (GString *out, const Strip *strip)
{
  const SegueSongPrediction *song = strip->prediction;
  guint room = strip->term->columns - MIN (strip->term->columns, 2 * (MARK_COLUMNS + 1));
  /* Multiples of ten, for counting. */
  guint width = CLAMP (room / 10 * 10, 10, MAX_STRIP);
  for (guint first = 0; first < song->n_segments; first += width) {
    guint end = MIN (first + width, song->n_segments);
    append_mark (out, song->segments[first].start);
    append_letters (out, strip, first, end);
    if (end < song->n_segments) {
      g_string_append_c (out, '\n');
      continue;
    }
    const SegueSegmentPrediction *last = &song->segments[end - 1];
    g_autofree char *text = segue_duration_text (last->start + last->duration);
    g_string_append_printf (out, " %s\n", text);
  }
}

char *
segue_predict_timeline (const SegueTerm *term, const char *const *labels,
                        const SegueSongPrediction *prediction)
{
  g_autofree guint *firsts = g_new0 (guint, MAX (prediction->n_segments, 1));
  g_autofree char *letters = g_new0 (char, MAX (prediction->n_labels, 1));
  g_autofree guint *order =
    segue_predict_rank (prediction->probabilities, prediction->n_labels, prediction->best);
  Strip strip = { .term = term,
                  .labels = labels,
                  .prediction = prediction,
                  .firsts = firsts,
                  .order = order,
                  .letters = letters };
  GString *out = g_string_new (NULL);
  give_letters (&strip);
  append_strip (out, &strip);
  append_legend (out, &strip);
  return g_string_free (out, FALSE);
}
