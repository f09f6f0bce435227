/* How many warnings of a stage a screen gets: a library in which every song has the same small fault
 * would bury everything else.  The run's log.ndjson has all of them. */
#pragma once

#include "term.h"

typedef struct _SegueWarnings SegueWarnings;

SegueWarnings *segue_warnings_new (void);
/** segue_warnings_free: accepts %NULL. */
void segue_warnings_free (SegueWarnings *warnings);
/** segue_warnings_admit: counts a warning of @stage (nullable: of the run itself); whether it is one of the
 * first, to be shown. */
gboolean segue_warnings_admit (SegueWarnings *warnings, const char *stage);
/** segue_warnings_print_rest: a line for each stage of which not all were shown. @folder (nullable): of
 * the run that has them in its log. */
void segue_warnings_print_rest (SegueWarnings *warnings, const char *folder, const SegueTerm *term);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueWarnings, segue_warnings_free)
