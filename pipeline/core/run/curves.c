/* Curves: a few per stage, with up to a million points each. */
#include "run/curves.h"

#include <math.h>
#include <string.h>

/* That are written of a curve: a summary has to stay within the limits of SEGUE_JSON_SUMMARY. */
#define MAX_POINTS 10000

typedef struct {
  guint64 step;
  double value;
} Point;

typedef struct {
  char *stage, *tag;
  GArray *points; /* Point */
} Curve;

struct _SegueCurves {
  GMutex lock;
  GArray *list; /* Curve, sorted by stage and tag */
};

static void
clear_curve (gpointer data)
{
  Curve *curve = data;
  g_free (curve->stage);
  g_free (curve->tag);
  g_array_unref (curve->points);
}

SegueCurves *
segue_curves_new (void)
{
  SegueCurves *curves = g_new0 (SegueCurves, 1);
  g_mutex_init (&curves->lock);
  curves->list = g_array_new (FALSE, FALSE, sizeof (Curve));
  g_array_set_clear_func (curves->list, clear_curve);
  return curves;
}

void
segue_curves_free (SegueCurves *curves)
{
  if (!curves)
    return;
  g_array_unref (curves->list);
  g_mutex_clear (&curves->lock);
  g_free (curves);
}

static Curve *
find (SegueCurves *curves, const char *stage, const char *tag)
{
  guint at = 0;
  for (; at < curves->list->len; at++) {
    Curve *curve = &g_array_index (curves->list, Curve, at);
    int order = strcmp (curve->stage, stage);
    order = order != 0 ? order : strcmp (curve->tag, tag);
    if (order == 0)
      return curve;
    if (order > 0)
      break;
  }
  Curve curve = { .stage = g_strdup (stage),
                  .tag = g_strdup (tag),
                  .points = g_array_new (FALSE, FALSE, sizeof (Point)) };
  g_array_insert_val (curves->list, at, curve);
  return &g_array_index (curves->list, Curve, at);
}

gboolean
segue_curves_take (gpointer data, const SegueEvent *event)
{
  SegueCurves *curves = data;
  const Point point = { (guint64) event->n, event->value };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&curves->lock);
  if (event->type == SEGUE_EVENT_SCALAR)
    g_array_append_val (find (curves, event->stage, event->text)->points, point);
  return TRUE;
}

/* At most MAX_POINTS, evenly spaced, with the first and the last. */
static void
write_points (const GArray *points, SegueJson *json)
{
  guint n = MIN (points->len, MAX_POINTS);
  for (guint i = 0; i < n; i++) {
    guint64 at = n < points->len ? (guint64) i * (points->len - 1) / (n - 1) : i;
    const Point *point = &g_array_index (points, Point, at);
    segue_json_open (json, '[');
    segue_json_uint (json, point->step);
    if (isfinite (point->value))
      segue_json_double (json, point->value);
    else
      segue_json_null (json);
    segue_json_close (json, '[');
  }
}

void
segue_curves_write (SegueCurves *curves, const char *stage, SegueJson *json)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&curves->lock);
  segue_json_open (json, '{');
  for (guint i = 0; i < curves->list->len; i++) {
    const Curve *curve = &g_array_index (curves->list, Curve, i);
    if (strcmp (curve->stage, stage) != 0)
      continue;
    segue_json_key_open (json, curve->tag, '[');
    write_points (curve->points, json);
    segue_json_close (json, '[');
  }
  segue_json_close (json, '{');
}
