/* The folder of a report: written beside its final place, then moved there as a whole. */
#pragma once

#include <glib.h>

typedef struct _SegueReportPlace SegueReportPlace;

/**
 * segue_report_place_new:
 * @run: the run's folder
 * @out: (nullable): the report's; %NULL: `report` in the run's, or the target of that link
 *
 * %SEGUE_ERROR_CANNOT_CREATE if the place contains something other than a report.
 */
SegueReportPlace *segue_report_place_new (const char *run, const char *out, GError **error);
/** segue_report_place_free: accepts %NULL; removes an uncommitted report. */
void segue_report_place_free (SegueReportPlace *place);
/** segue_report_place_get_work: (transfer none): an empty folder, in which the caller creates a
 * folder `report`. */
const char *segue_report_place_get_work (SegueReportPlace *place);
/** segue_report_place_commit: moves that folder to its place; removes an earlier report. */
gboolean segue_report_place_commit (SegueReportPlace *place, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueReportPlace, segue_report_place_free)
