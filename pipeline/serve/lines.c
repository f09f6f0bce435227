#include "lines.h"

#include "predict-text.h"

#include <math.h>
#include <segue/json.h>

/* Enough to restore a float32 bit for bit. */
#define DIGITS JSON_REAL_PRECISION (9)

static char *
finish (json_t *object)
{
  g_autofree char *text = segue_json_print (object, JSON_COMPACT | DIGITS);
  return g_strconcat (text, "\n", NULL);
}

static json_t *
place (const SegueSegmentPrediction *segment)
{
  json_t *object = json_object ();
  json_object_set_new (object, "start", segue_json_number (segment->start));
  json_object_set_new (object, "duration", segue_json_number (segment->duration));
  return object;
}

/* NaN is sorted last. */
static float
weight (float p)
{
  return isnan (p) ? -INFINITY : p;
}

/* The next largest value after @last, the previous one; -1: none yet. @top passes over a row are
 * cheaper than sorting thousands of labels for five. */
static guint
next_best (const float *p, guint n, gint last)
{
  guint best = n;
  for (guint i = 0; i < n; i++) {
    float own = weight (p[i]), before = last < 0 ? INFINITY : weight (p[last]);
    gboolean left = last < 0 || own < before || (own == before && i > (guint) last);
    if (left && (best == n || own > weight (p[best])))
      best = i;
  }
  return best;
}

static json_t *
probabilities (const float *p, guint n, const char *const *labels, guint top)
{
  json_t *object = json_object ();
  gint last = -1;
  for (guint k = 0; k < MIN (top, n); k++) {
    guint i = next_best (p, n, last);
    if (i == n)
      break;
    json_object_set_new (object, labels[i], segue_json_number (p[i]));
    last = (gint) i;
  }
  return object;
}

char *
line_begun (const char *name, const SegueSongPrediction *prediction)
{
  json_t *object = json_object (), *segments = json_array ();
  json_object_set_new (object, "event", json_string ("begun"));
  json_object_set_new (object, "file", json_string (name));
  for (guint i = 0; i < prediction->n_segments; i++)
    json_array_append_new (segments, place (&prediction->segments[i]));
  json_object_set_new (object, "segments", segments);
  return finish (object);
}

char *
line_segments (const SegueSongPrediction *prediction, guint from, guint to,
               const char *const *labels, guint top)
{
  json_t *object = json_object (), *segments = json_array ();
  json_object_set_new (object, "event", json_string ("segments"));
  json_object_set_new (object, "first", json_integer (from));
  for (guint i = from; i < to; i++) {
    const SegueSegmentPrediction *segment = &prediction->segments[i];
    json_t *entry = place (segment);
    json_object_set_new (entry, "probabilities",
                         probabilities (segment->probabilities, prediction->n_labels, labels, top));
    json_array_append_new (segments, entry);
  }
  json_object_set_new (object, "segments", segments);
  return finish (object);
}

char *
line_answer (const char *name, const SegueSongPrediction *prediction, const char *const *labels,
             guint top, json_t *similar)
{
  json_t *object = json_object ();
  json_object_set_new (object, "event", json_string ("answer"));
  json_object_set_new (object, "file", json_string (name));
  json_object_set_new (object, "label", json_string (labels[prediction->best]));
  segue_predict_add_certainty (object, prediction, labels);
  json_object_set_new (
    object, "probabilities",
    probabilities (prediction->probabilities, prediction->n_labels, labels, top));
  if (similar)
    json_object_set (object, "similar", similar);
  return finish (object);
}

char *
line_error (ProblemKind problem, const char *message)
{
  g_autofree char *valid =
    g_utf8_make_valid (message ? message : problem_row (problem)->message, -1);
  return finish (json_pack ("{s:s,s:s,s:s}", "event", "error", "code", problem_row (problem)->code,
                            "message", valid));
}
