/* The threshold of unsure songs. */
#include "unsure.h"

#include <string.h>

void
segue_unsure_clear (SegueUnsure *unsure)
{
  g_clear_pointer (&unsure->notice, g_free);
}

/* "5" or "5%" → 0.05; "off" → 0. */
static gboolean
parse_share (const SegueVerb *verb, const char *option, double *share, GError **error)
{
  *share = 0;
  if (g_str_equal (option, "off"))
    return TRUE;
  char *end;
  *share = g_ascii_strtod (option, &end) / 100;
  end += strspn (end, " ");
  gboolean ends = *end == '\0' || (*end == '%' && end[1] == '\0');
  if (end != option && ends && *share > 0 && *share < 1)
    return TRUE;
  g_autofree char *shown = segue_text_printable (option);
  return segue_usage_error (verb, error,
                            "--none-of-these must be a percentage above 0 and below 100, or off, "
                            "got ‘%s’",
                            shown);
}

/* For a share that the user requests: an error if there is no threshold. */
static gboolean
find_requested (SegueUnsure *unsure, const SegueCalibration *calibration, const char *folder,
                SegueAggregation aggregation, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *shown = segue_text_printable (folder);
  if (!calibration) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "‘%s’ has no calibration.json, which --none-of-these needs: run a pipeline in which `- use: "
      "evaluate` follows the training, with a validation set, or leave out the option",
      shown);
    return FALSE;
  }
  double least = segue_calibration_least_share (calibration, aggregation);
  /* A small library allows no smaller share; too strict is better than no rejection. */
  if (unsure->share < least && least < 1) {
    unsure->notice =
      g_strdup_printf ("--none-of-these %.3g instead of %.3g: the minimum with %.0f correctly "
                       "classified songs that the model was not trained on; more songs allow less",
                       100 * least, 100 * unsure->share, 1 / least - 1);
    unsure->share = least;
  }
  if (segue_calibration_find_threshold (calibration, aggregation, unsure->share, &unsure->threshold,
                                        &local))
    return TRUE;
  g_set_error (error, local->domain, local->code,
               "‘%s’: %s; leave out --none-of-these, or train with more songs", shown,
               local->message);
  return FALSE;
}

gboolean
segue_unsure_find (const SegueVerb *verb, const char *option, const char *folder,
                   SegueAggregation aggregation, SegueUnsure *unsure, GError **error)
{
  g_autoptr (GError) local = NULL;
  *unsure = (SegueUnsure){ .given = option != NULL };
  if (option && !parse_share (verb, option, &unsure->share, error))
    return FALSE;
  if (option && unsure->share == 0)
    return TRUE;
  g_autoptr (SegueCalibration) calibration = segue_calibration_read (folder, &local);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (option)
    unsure->judges = find_requested (unsure, calibration, folder, aggregation, error);
  else if (calibration)
    unsure->judges =
      segue_calibration_find_default (calibration, aggregation, &unsure->share, &unsure->threshold);
  return unsure->judges || !option;
}
