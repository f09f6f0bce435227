/* Progress on stderr: a bar under the log lines if it is a terminal, else a line every few seconds.
 * Any thread; output is written at once. */
#pragma once

#include "progress-line.h"

typedef struct _SegueProgress SegueProgress;

/** segue_progress_new: @term has to outlive it. */
SegueProgress *segue_progress_new (SegueTerm *term);
/** segue_progress_free: removes the bar from the screen; accepts %NULL. */
void segue_progress_free (SegueProgress *progress);

/** segue_progress_start: @unit: (nullable): as in #SegueProgressView. */
void segue_progress_start (SegueProgress *progress, const char *name, guint index, guint n_stages,
                           const char *unit);
/** segue_progress_set_unit: the unit of the current stage from now on. */
void segue_progress_set_unit (SegueProgress *progress, const char *unit);
void segue_progress_update (SegueProgress *progress, guint64 done, guint64 total,
                            const char *detail);
/** segue_progress_finish: the current stage is finished, without work if @cached; afterwards there
 * is no current stage. */
void segue_progress_finish (SegueProgress *progress, gboolean cached, double seconds);
/** segue_progress_print: @line above the bar. */
void segue_progress_print (SegueProgress *progress, const char *line);
/** segue_progress_clear: removes the bar from the screen until it is drawn again. */
void segue_progress_clear (SegueProgress *progress);
/** segue_progress_tick: redraws; called a few times a second. */
void segue_progress_tick (SegueProgress *progress);
/** segue_progress_hide: removes the bar from the screen; afterwards there is no current stage. */
void segue_progress_hide (SegueProgress *progress);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueProgress, segue_progress_free)
