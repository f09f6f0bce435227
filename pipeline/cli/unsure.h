/* Which songs are shown as unsure: the option --none-of-these of `segue predict` and `segue serve`. */
#pragma once

#include "cli.h"

#include <segue/calibration.h>

/**
 * SegueUnsure:
 * @given: by the option, not by the model
 * @judges: there is a threshold
 * @share: of correct predictions that it is expected to show as unsure
 * @notice: (nullable): why @share is not the requested one
 */
typedef struct {
  gboolean given;
  gboolean judges;
  double share;
  SegueThreshold threshold;
  char *notice;
} SegueUnsure;

/** segue_unsure_find: the threshold of the model in @folder.
 * @option: (nullable): a percentage, or "off"; %NULL: as the model's calibration.json states, without an error if there is
 *   none or too few songs were measured */
gboolean segue_unsure_find (const SegueVerb *verb, const char *option, const char *folder,
                            SegueAggregation aggregation, SegueUnsure *unsure, GError **error);
void segue_unsure_clear (SegueUnsure *unsure);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueUnsure, segue_unsure_clear)
