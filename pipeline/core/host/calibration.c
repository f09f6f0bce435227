/* calibration.json: the aggregation of segments, and how strange songs are that are predicted correctly. */
#include "base/json.h"
#include "model/model-folder.h"

#include <jansson.h>
#include <math.h>
#include <segue/calibration.h>
#include <segue/file.h>

#define FILE_NAME      "calibration.json"
#define FORMAT_VERSION 1

/* @familiarities: float, the larger the more familiar, so that one order is right for all measures: confidences, and
 * distances times −1. */
struct _SegueCalibration {
  SegueAggregation aggregation;
  double share;
  GArray *familiarities[SEGUE_N_MEASURES][SEGUE_N_AGGREGATIONS];
};

/* In the file: the name of the object with the lists; a number is its familiarity times @sign, from 0 to @max. */
static const struct {
  const char *name, *lists;
  double sign, max;
} measures[SEGUE_N_MEASURES] = {
  [SEGUE_MEASURE_CONFIDENCE] = { "confidence", "confidences", 1, 1 },
  [SEGUE_MEASURE_DISTANCE] = { "distance", "distances", -1, G_MAXFLOAT },
};

const char *
segue_measure_get_name (SegueMeasure measure)
{
  return measures[measure].name;
}

gboolean
segue_threshold_is_unsure (const SegueThreshold *threshold, double confidence, double distance)
{
  return threshold->measure == SEGUE_MEASURE_DISTANCE ? distance > threshold->limit
                                                      : confidence < threshold->limit;
}

SegueCalibration *
segue_calibration_new (SegueAggregation aggregation)
{
  SegueCalibration *calibration = g_new0 (SegueCalibration, 1);
  calibration->aggregation = aggregation;
  calibration->share = SEGUE_CALIBRATION_SHARE;
  for (guint m = 0; m < SEGUE_N_MEASURES; m++)
    for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++)
      calibration->familiarities[m][i] = g_array_new (FALSE, FALSE, sizeof (float));
  return calibration;
}

void
segue_calibration_free (SegueCalibration *calibration)
{
  if (!calibration)
    return;
  for (guint m = 0; m < SEGUE_N_MEASURES; m++)
    for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++)
      g_array_unref (calibration->familiarities[m][i]);
  g_free (calibration);
}

static void
add_value (SegueCalibration *calibration, SegueMeasure measure, guint aggregation, double value)
{
  float familiarity = (float) (measures[measure].sign * MIN (value, measures[measure].max));
  g_array_append_val (calibration->familiarities[measure][aggregation], familiarity);
}

void
segue_calibration_add (SegueCalibration *calibration, guint truth, const float *segments,
                       guint n_segments, guint n_labels, double distance)
{
  g_autofree float *probabilities = g_new (float, n_labels);
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++) {
    guint best =
      segue_song_aggregate ((SegueAggregation) i, segments, n_segments, n_labels, probabilities);
    if (best != truth)
      continue;
    add_value (calibration, SEGUE_MEASURE_CONFIDENCE, i, (double) probabilities[best]);
    if (isfinite (distance))
      add_value (calibration, SEGUE_MEASURE_DISTANCE, i, distance);
  }
}

void
segue_calibration_set_aggregation (SegueCalibration *calibration, SegueAggregation aggregation)
{
  calibration->aggregation = aggregation;
}

SegueAggregation
segue_calibration_get_aggregation (const SegueCalibration *calibration)
{
  return calibration->aggregation;
}

void
segue_calibration_set_share (SegueCalibration *calibration, double share)
{
  g_return_if_fail (share >= 0 && share < 1);
  calibration->share = share;
}

double
segue_calibration_get_share (const SegueCalibration *calibration)
{
  return calibration->share;
}

SegueMeasure
segue_calibration_get_measure (const SegueCalibration *calibration, SegueAggregation aggregation)
{
  return calibration->familiarities[SEGUE_MEASURE_DISTANCE][aggregation]->len > 0
           ? SEGUE_MEASURE_DISTANCE
           : SEGUE_MEASURE_CONFIDENCE;
}

static const GArray *
get_list (const SegueCalibration *calibration, SegueAggregation aggregation)
{
  SegueMeasure measure = segue_calibration_get_measure (calibration, aggregation);
  return calibration->familiarities[measure][aggregation];
}

guint
segue_calibration_count (const SegueCalibration *calibration, SegueAggregation aggregation)
{
  return get_list (calibration, aggregation)->len;
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return x < y ? -1 : x > y;
}

/* @values sorted, thinned to at most SEGUE_CALIBRATION_MAX, with the same quantiles. */
static GArray *
sort_and_thin (const GArray *values)
{
  g_autoptr (GArray) sorted = g_array_copy ((GArray *) values);
  g_array_sort (sorted, compare_floats);
  if (sorted->len <= SEGUE_CALIBRATION_MAX)
    return g_steal_pointer (&sorted);
  GArray *thin = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint k = 1; k <= SEGUE_CALIBRATION_MAX; k++) {
    /* Rank k of m is rank k (n + 1) / (m + 1) of n, rounded down, which rejects fewer songs. */
    guint64 rank = (guint64) k * (sorted->len + 1) / (SEGUE_CALIBRATION_MAX + 1);
    g_array_append_val (thin, g_array_index (sorted, float, MAX (rank, 1) - 1));
  }
  return thin;
}

/* On one line, with as many digits as a float32 has. */
static char *
list_text (const GArray *values, double sign)
{
  g_autoptr (GArray) sorted = sort_and_thin (values);
  GString *text = g_string_new ("[");
  for (guint i = 0; i < sorted->len; i++) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    double value = sign * (double) g_array_index (sorted, float, i);
    g_ascii_formatd (digits, sizeof digits, "%.9g", value);
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", digits);
  }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static void
append_lists (SegueJson *json, const SegueCalibration *calibration, SegueMeasure measure)
{
  segue_json_key_open (json, measures[measure].lists, '{');
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++) {
    g_autofree char *list =
      list_text (calibration->familiarities[measure][i], measures[measure].sign);
    segue_json_key (json, segue_aggregation_names ()[i]);
    segue_json_raw (json, list);
  }
  segue_json_close (json, '{');
}

gboolean
segue_calibration_write (const SegueCalibration *calibration, const char *folder, GError **error)
{
  SegueJson json;
  segue_json_init (&json, TRUE);
  segue_json_open (&json, '{');
  segue_json_key (&json, "segue");
  segue_json_int (&json, FORMAT_VERSION);
  segue_json_key (&json, "aggregation");
  segue_json_string (&json, segue_aggregation_names ()[calibration->aggregation]);
  segue_json_key (&json, "share");
  segue_json_double (&json, calibration->share);
  for (guint m = 0; m < SEGUE_N_MEASURES; m++)
    append_lists (&json, calibration, (SegueMeasure) m);
  segue_json_close (&json, '{');
  g_autofree char *text = segue_json_finish (&json);
  g_autofree char *path = g_build_filename (folder, FILE_NAME, NULL);
  return segue_file_write (path, text, -1, error);
}

/* A list may be missing, if its aggregation is newer than the file; all of its values must be
 * valid. */
static gboolean
read_list (const json_t *list, SegueMeasure measure, GArray *values)
{
  if (!list)
    return TRUE;
  if (!json_is_array (list) || json_array_size (list) > SEGUE_CALIBRATION_MAX)
    return FALSE;
  for (gsize i = 0; i < json_array_size (list); i++) {
    const json_t *member = json_array_get (list, i);
    double value = json_number_value (member);
    if (!json_is_number (member) || !(value >= 0 && value <= measures[measure].max))
      return FALSE;
    float familiarity = (float) (measures[measure].sign * value);
    g_array_append_val (values, familiarity);
  }
  g_array_sort (values, compare_floats);
  return TRUE;
}

static gboolean
read_aggregation (const json_t *name, SegueAggregation *aggregation)
{
  const char *const *names = segue_aggregation_names ();
  for (guint i = 0; names[i]; i++)
    if (g_strcmp0 (json_string_value (name), names[i]) == 0) {
      *aggregation = (SegueAggregation) i;
      return TRUE;
    }
  return !name;
}

static gboolean
read_share (const json_t *number, double *share)
{
  *share = number ? json_number_value (number) : SEGUE_CALIBRATION_SHARE;
  return !number || (json_is_number (number) && *share >= 0 && *share < 1);
}

/* @lists: (nullable): a model without a space, or of a version that did not use it, has no distances. */
static gboolean
read_lists (const json_t *lists, SegueMeasure measure, SegueCalibration *calibration)
{
  if (!lists)
    return measure != SEGUE_MEASURE_CONFIDENCE;
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++)
    if (!read_list (json_object_get (lists, segue_aggregation_names ()[i]), measure,
                    calibration->familiarities[measure][i]))
      return FALSE;
  return json_is_object (lists);
}

static gboolean
read_root (const json_t *root, SegueCalibration *calibration)
{
  const json_t *version = json_object_get (root, "segue");
  gboolean ok =
    json_is_integer (version) && json_integer_value (version) == FORMAT_VERSION &&
    read_aggregation (json_object_get (root, "aggregation"), &calibration->aggregation) &&
    read_share (json_object_get (root, "share"), &calibration->share);
  for (guint m = 0; m < SEGUE_N_MEASURES; m++)
    ok =
      ok && read_lists (json_object_get (root, measures[m].lists), (SegueMeasure) m, calibration);
  return ok;
}

SegueCalibration *
segue_calibration_read (const char *folder, GError **error)
{
  json_t *root = segue_model_folder_read_object (folder, FILE_NAME, error);
  if (!root)
    return NULL;
  g_autoptr (SegueCalibration) calibration =
    segue_calibration_new (SEGUE_AGGREGATE_MEAN_PROBABILITY);
  gboolean ok = read_root (root, calibration);
  json_decref (root);
  if (ok)
    return g_steal_pointer (&calibration);
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "‘%s/" FILE_NAME
    "’ is not a valid calibration file; evaluate the model again, or remove the file to predict "
    "without it",
    shown);
  return NULL;
}

double
segue_calibration_least_share (const SegueCalibration *calibration, SegueAggregation aggregation)
{
  return 1.0 / (MIN (get_list (calibration, aggregation)->len, SEGUE_CALIBRATION_MAX) + 1.0);
}

gboolean
segue_calibration_find_threshold (const SegueCalibration *calibration, SegueAggregation aggregation,
                                  double share, SegueThreshold *threshold, GError **error)
{
  g_return_val_if_fail (share > 0 && share < 1, FALSE);
  SegueMeasure measure = segue_calibration_get_measure (calibration, aggregation);
  g_autoptr (GArray) sorted = sort_and_thin (get_list (calibration, aggregation));
  /* A share such as 0.1 is not exact in binary. */
  guint k = (guint) floor (share * (sorted->len + 1.0) + 1e-9);
  if (k >= 1 && k <= sorted->len) {
    double familiarity = (double) g_array_index (sorted, float, k - 1);
    *threshold = (SegueThreshold){ measure, measures[measure].sign * familiarity };
    return TRUE;
  }
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "%g %% needs at least %.0f correctly classified songs that the model was not trained "
    "on; there are %u",
    100 * share, ceil (1 / share - 1 - 1e-9), sorted->len);
  return FALSE;
}

gboolean
segue_calibration_find_default (const SegueCalibration *calibration, SegueAggregation aggregation,
                                double *share, SegueThreshold *threshold)
{
  double least = segue_calibration_least_share (calibration, aggregation);
  *threshold = (SegueThreshold){ 0 };
  *share = MAX (calibration->share, least);
  return calibration->share > 0 && *share <= 2 * calibration->share && *share < 1 &&
         segue_calibration_find_threshold (calibration, aggregation, *share, threshold, NULL);
}
