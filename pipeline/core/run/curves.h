/* Points of curves, as stages say them (internal). */
#pragma once

#include "base/json.h"

/** SegueCurves: points by stage (its index in the pipeline) and tag, in the order in which they came.
 * Any thread. */
typedef struct _SegueCurves SegueCurves;

SegueCurves *segue_curves_new (void);
/** segue_curves_free: accepts %NULL. */
void segue_curves_free (SegueCurves *curves);
void segue_curves_add (SegueCurves *curves, guint stage, const char *tag, guint64 step,
                       double value);
/** segue_curves_write: those of @stage as one JSON object: tag → [[step, value or null], …], tags in
 * the order of their bytes. */
void segue_curves_write (SegueCurves *curves, guint stage, SegueJson *json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCurves, segue_curves_free)
