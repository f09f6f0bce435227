/* Answers as JSON lines. */
#include "predict-text.h"

#include <math.h>
#include <segue/json.h>
#include <string.h>

/* Enough to restore a float32 bit for bit. */
#define DIGITS JSON_REAL_PRECISION (9)

char *
segue_predict_name (const char *file)
{
  GString *out = g_string_new (NULL);
  for (const char *p = file; *p;) {
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

typedef struct {
  const float *probabilities;
  guint best;
} Ranking;

static int
compare_labels (gconstpointer a, gconstpointer b, gpointer data)
{
  const Ranking *ranking = data;
  guint i = *(const guint *) a, j = *(const guint *) b;
  float p = ranking->probabilities[i], q = ranking->probabilities[j];
  if ((i == ranking->best) != (j == ranking->best))
    return i == ranking->best ? -1 : 1;
  if (p != q)
    return p < q ? 1 : -1;
  return i < j ? -1 : i > j;
}

guint *
segue_predict_rank (const float *probabilities, guint n, guint best)
{
  Ranking ranking = { probabilities, best };
  guint *order = g_new (guint, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) n, sizeof *order, compare_labels, &ranking);
  return order;
}

/* All labels in the model's order, or the most probable few, best first. */
static json_t *
probabilities_object (const float *probabilities, guint n, guint best, const char *const *labels,
                      guint n_top)
{
  json_t *object = json_object ();
  g_autofree guint *order = n_top > 0 ? segue_predict_rank (probabilities, n, best) : NULL;
  guint shown = n_top > 0 ? MIN (n_top, n) : n;
  for (guint i = 0; i < shown; i++) {
    guint label = order ? order[i] : i;
    json_object_set_new (object, labels[label], segue_json_number (probabilities[label]));
  }
  return object;
}

char *
segue_predict_print (json_t *object)
{
  g_autofree char *text = segue_json_print (object, JSON_COMPACT | DIGITS);
  return segue_json_printable (text);
}

void
segue_predict_add_certainty (json_t *object, const SegueSongPrediction *prediction,
                             const char *const *labels)
{
  guint n = prediction->n_labels;
  if (isfinite (prediction->distance))
    json_object_set_new (object, "distance", segue_json_number (prediction->distance));
  if (prediction->certainty == SEGUE_CERTAINTY_UNKNOWN)
    return;
  json_object_set_new (object, "unsure", json_boolean (prediction->certainty == SEGUE_UNSURE));
  if (prediction->certainty == SEGUE_SURE)
    return;
  json_t *candidates = json_array ();
  g_autofree guint *order = segue_predict_rank (prediction->probabilities, n, prediction->best);
  for (guint i = 0; i < MIN (n, SEGUE_PREDICT_CANDIDATES); i++)
    json_array_append_new (candidates, json_string (labels[order[i]]));
  json_object_set_new (object, "candidates", candidates);
}

json_t *
segue_predict_object (const char *file, const char *const *labels,
                      const SegueSongPrediction *prediction, guint n_top, gboolean rejects)
{
  guint n = prediction->n_labels;
  g_autofree char *name = segue_predict_name (file);
  json_t *object = json_object ();
  json_object_set_new (object, "file", json_string (name));
  gboolean rejected = rejects && prediction->certainty == SEGUE_UNSURE;
  const char *best = labels[prediction->best];
  json_object_set_new (object, "label", rejected ? json_null () : json_string (best));
  if (rejected)
    json_object_set_new (object, "nearest", json_string (best));
  segue_predict_add_certainty (object, prediction, labels);
  json_object_set_new (
    object, "probabilities",
    probabilities_object (prediction->probabilities, n, prediction->best, labels, n_top));
  json_t *segments = json_array ();
  for (guint i = 0; i < prediction->n_segments; i++) {
    const SegueSegmentPrediction *segment = &prediction->segments[i];
    json_t *entry = json_object ();
    json_object_set_new (entry, "start", segue_json_number (segment->start));
    json_object_set_new (entry, "duration", segue_json_number (segment->duration));
    /* A segment's best label comes first by its probability. */
    json_object_set_new (entry, "probabilities",
                         probabilities_object (segment->probabilities, n, n, labels, n_top));
    json_array_append_new (segments, entry);
  }
  json_object_set_new (object, "segments", segments);
  if (prediction->note) {
    g_autofree char *note = g_utf8_make_valid (prediction->note, -1);
    json_object_set_new (object, "note", json_string (note));
  }
  return object;
}

char *
segue_predict_json (const char *file, const char *const *labels,
                    const SegueSongPrediction *prediction, guint n_top, gboolean rejects)
{
  return segue_predict_print (segue_predict_object (file, labels, prediction, n_top, rejects));
}

char *
segue_predict_json_error (const char *file, const char *message)
{
  g_autofree char *name = segue_predict_name (file);
  g_autofree char *text = g_utf8_make_valid (message, -1);
  json_t *object = json_object ();
  json_object_set_new (object, "file", json_string (name));
  json_object_set_new (object, "error", json_string (text));
  return segue_predict_print (object);
}
