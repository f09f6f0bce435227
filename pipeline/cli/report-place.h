/* Where a report goes: made beside its place, and put there whole. */
#pragma once

#include <glib.h>

typedef struct _SegueReportPlace SegueReportPlace;

/**
 * segue_report_place_new:
 * @run: the run's folder
 * @out: (nullable): the report's; %NULL: `report` in the run's, or what that is a link to
 *
 * %SEGUE_ERROR_CANNOT_CREATE where something else than a report is there.
 */
SegueReportPlace *segue_report_place_new (const char *run, const char *out, GError **error);
/** segue_report_place_free: accepts %NULL; removes what was not committed. */
void segue_report_place_free (SegueReportPlace *place);
/** segue_report_place_get_work: (transfer none): an empty folder, which gets a folder `report`. */
const char *segue_report_place_get_work (SegueReportPlace *place);
/** segue_report_place_commit: that folder to its place; an earlier report goes. */
gboolean segue_report_place_commit (SegueReportPlace *place, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueReportPlace, segue_report_place_free)
