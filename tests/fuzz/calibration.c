/* calibration.json of an untrusted model: thresholds that a song can be compared with, or an error. */
#include "scratch.h"
#include "standalone.h"

#include <math.h>
#include <segue/calibration.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  fuzz_put ("calibration.json", data, size);
  g_autoptr (SegueCalibration) calibration = segue_calibration_read (fuzz_folder (), &error);
  if (!calibration) {
    fuzz_check_error (error);
    return 0;
  }
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++)
    for (guint percent = 1; percent < 100; percent += 7) {
      SegueThreshold threshold = { 0 };
      g_autoptr (GError) few = NULL;
      if (segue_calibration_find_threshold (calibration, (SegueAggregation) i, percent / 100.0,
                                            &threshold, &few))
        g_assert_true (isfinite (threshold.limit) && threshold.limit >= 0);
      else
        fuzz_check_error (few);
    }
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++) {
    SegueThreshold threshold;
    double share;
    if (segue_calibration_find_default (calibration, (SegueAggregation) i, &share, &threshold))
      g_assert_true (share > 0 && share < 1);
    else
      g_assert_false (segue_threshold_is_unsure (&threshold, 0, INFINITY));
  }
  return 0;
}
