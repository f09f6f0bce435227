/* Limits the warnings of a stage on the screen: in a library in which every song has the same small
 * fault, they would hide everything else. The run's log.ndjson contains all of them. */
#pragma once

#include "term.h"

typedef struct _SegueWarnings SegueWarnings;

SegueWarnings *segue_warnings_new (void);
/** segue_warnings_free: accepts %NULL. */
void segue_warnings_free (SegueWarnings *warnings);
/** segue_warnings_admit: counts a warning of @stage (nullable: of the run itself); returns whether
 * it is one of the first, which are shown. */
gboolean segue_warnings_admit (SegueWarnings *warnings, const char *stage);
/** segue_warnings_print_rest: one line for each stage with warnings not shown. @folder (nullable):
 * of the run with them in its log. */
void segue_warnings_print_rest (SegueWarnings *warnings, const char *folder, const SegueTerm *term);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueWarnings, segue_warnings_free)
