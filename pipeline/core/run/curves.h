/* Points of curves, as stages report them (internal). */
#pragma once

#include "base/json.h"
#include <segue/host/event.h>

/** SegueCurves: points by stage and tag, in the order in which they were reported. Any thread. */
typedef struct _SegueCurves SegueCurves;

SegueCurves *segue_curves_new (void);
/** segue_curves_free: accepts %NULL. */
void segue_curves_free (SegueCurves *curves);
/** segue_curves_take: (#SegueEventFunc): %SEGUE_EVENT_SCALAR; ignores other events. */
gboolean segue_curves_take (gpointer curves, const SegueEvent *event);
/** segue_curves_write: those of @stage as one JSON object: tag → [[step, value or null], …], tags in
 * the order of their bytes. */
void segue_curves_write (SegueCurves *curves, const char *stage, SegueJson *json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCurves, segue_curves_free)
