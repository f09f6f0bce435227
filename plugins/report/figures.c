#include "figures.h"

#include <math.h>
#include <segue/error.h>
#include <segue/json.h>

static void
clear_label (gpointer data)
{
  g_free (((ReportLabelFigures *) data)->name);
}

void
report_figures_free (ReportFigures *figures)
{
  if (!figures)
    return;
  for (guint i = 0; i < SEGUE_N_SETS; i++)
    g_clear_pointer (&figures->sets[i].labels, g_array_unref);
  g_free (figures);
}

/* A share, or another figure that is at least 0; null: none. */
static gboolean
get_number (const json_t *object, const char *key, double max, double *value)
{
  const json_t *member = json_object_get (object, key);
  *value = json_is_null (member) ? NAN : json_number_value (member);
  return json_is_null (member) || (json_is_number (member) && *value >= 0 && *value <= max);
}

static gboolean
get_count (const json_t *object, const char *key, guint64 *value)
{
  const json_t *member = json_object_get (object, key);
  *value = (guint64) MAX (0, json_integer_value (member));
  return json_is_integer (member) && json_integer_value (member) >= 0;
}

static gboolean
read_label (ReportSetFigures *set, const char *name, const json_t *object)
{
  ReportLabelFigures label = { .name = g_strdup (name) };
  gboolean ok = get_number (object, "segment_accuracy", 1, &label.segment_accuracy) &&
                get_number (object, "song_accuracy", 1, &label.song_accuracy) &&
                get_number (object, "macro_f1", 1, &label.f1) &&
                get_count (object, "segments", &label.segments) &&
                get_count (object, "songs", &label.songs);
  g_array_append_val (set->labels, label);
  return ok;
}

static double
share_or_nan (const json_t *value)
{
  double share = json_is_number (value) ? json_number_value (value) : NAN;
  return share >= 0 && share <= 1 ? share : NAN;
}

/* How reliable the figure is; runs of older versions don't contain it. */
static void
read_confidence (ReportSetFigures *set, const json_t *object)
{
  const json_t *interval = json_object_get (object, "song_accuracy_interval");
  double chance = share_or_nan (json_object_get (object, "chance"));
  double majority = share_or_nan (json_object_get (object, "majority"));
  set->low = share_or_nan (json_array_get (interval, 0));
  set->high = share_or_nan (json_array_get (interval, 1));
  set->baseline = fmax (chance, majority);
}

/* Runs of older versions don't contain it. */
static gboolean
read_unsure_songs (ReportSetFigures *set, const json_t *object)
{
  return !object || (get_count (object, "right", &set->unsure_right) &&
                     get_count (object, "wrong", &set->unsure_wrong));
}

static gboolean
read_unsure (ReportFigures *figures, const json_t *object)
{
  const char *name = json_string_value (json_object_get (object, "measure"));
  if (!object || json_is_null (object))
    return TRUE;
  figures->judges = TRUE;
  while (figures->threshold.measure < SEGUE_N_MEASURES &&
         g_strcmp0 (segue_measure_get_name (figures->threshold.measure), name) != 0)
    figures->threshold.measure++;
  return figures->threshold.measure < SEGUE_N_MEASURES &&
         get_number (object, "threshold", INFINITY, &figures->threshold.limit) &&
         get_number (object, "share", 1, &figures->unsure_share) &&
         get_count (object, "measured", &figures->measured);
}

static gboolean
read_set (ReportSetFigures *set, json_t *object)
{
  json_t *labels = json_object_get (object, "labels"), *label;
  const char *name;
  gboolean ok =
    get_number (object, "segment_accuracy", 1, &set->segment_accuracy) &&
    get_number (object, "song_accuracy", 1, &set->song_accuracy) &&
    get_number (object, "macro_f1", 1, &set->macro_f1) &&
    get_number (object, "loss", INFINITY, &set->loss) &&
    get_count (object, "segments", &set->segments) && get_count (object, "songs", &set->songs) &&
    read_unsure_songs (set, json_object_get (object, "unsure")) && json_is_object (labels);
  read_confidence (set, object);
  set->present = TRUE;
  json_object_foreach (labels, name, label)
  {
    ok = ok && read_label (set, name, label);
  }
  return ok;
}

ReportFigures *
report_figures_load (const char *path, GError **error)
{
  g_autoptr (ReportFigures) figures = g_new0 (ReportFigures, 1);
  g_autofree char *shown = g_filename_display_name (path);
  json_t *root = segue_json_read (path, SEGUE_JSON_METRICS, SEGUE_JSON_FLAGS_NONE, NULL, error);
  if (!root)
    return NULL;
  gboolean ok = read_unsure (figures, json_object_get (root, "unsure"));
  if (!ok)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’: `unsure` is not in the form that `evaluate` writes", shown);
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    json_t *set = json_object_get (root, segue_set_get_name (i));
    figures->sets[i].labels = g_array_new (FALSE, FALSE, sizeof (ReportLabelFigures));
    g_array_set_clear_func (figures->sets[i].labels, clear_label);
    if (!ok || !set || read_set (&figures->sets[i], set))
      continue;
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’: the figures of the set ‘%s’ are not in the form that `evaluate` writes",
                 shown, segue_set_get_name (i));
    ok = FALSE;
  }
  json_decref (root);
  return ok ? g_steal_pointer (&figures) : NULL;
}

gboolean
report_figures_is_unsure (const ReportFigures *figures, const ReportSong *song)
{
  return figures->judges &&
         segue_threshold_is_unsure (&figures->threshold, (double) song->confidence, song->distance);
}

gboolean
report_figures_check (const ReportFigures *figures, const ReportTable *table, GError **error)
{
  guint64 counted[SEGUE_N_SETS] = { 0 };
  for (guint i = 0; i < table->songs->len; i++) {
    const ReportSong *song = report_table_song (table, i);
    if (song->set >= 0 && song->label != REPORT_NO_LABEL)
      counted[song->set] += song->n;
  }
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    guint64 said = figures->sets[i].segments;
    if (said == counted[i])
      continue;
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "metrics.json counts %" G_GUINT64_FORMAT " segments of the set ‘%s’, "
                 "there are predictions for %" G_GUINT64_FORMAT ": they are not from the same run",
                 said, segue_set_get_name (i), counted[i]);
    return FALSE;
  }
  return TRUE;
}

GPtrArray *
report_figures_list_labels (const ReportFigures *figures, SegueSet set)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const GArray *labels = figures->sets[set].labels;
  for (guint i = 0; i < labels->len; i++)
    g_ptr_array_add (names, g_strdup (g_array_index (labels, ReportLabelFigures, i).name));
  return names;
}

int
report_figures_judged (const ReportFigures *figures)
{
  static const SegueSet order[] = { SEGUE_SET_TEST, SEGUE_SET_VALIDATION, SEGUE_SET_TRAIN };
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    if (figures->sets[order[i]].present && figures->sets[order[i]].segments > 0)
      return (int) order[i];
  return -1;
}
