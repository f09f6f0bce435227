/* Ways to change a segment that leave its label true.
 *
 * Each op is a pure function of the samples, its parameters and a seed: numbers are drawn as a
 * function of (seed, counter), so that no result depends on earlier draws.
 */
#pragma once

#include <glib.h>
#include <segue/param.h>

/** OpFunc: @samples: [n_frames, channels], changed in place. */
typedef void (*OpFunc) (gconstpointer config, guint64 seed, float *samples, gsize n_frames,
                        guint channels);

/** The cases of the parameter `ops`, %NULL-terminated. */
extern const SegueParamGroup *const op_cases[];

/** op_find: the function of @chosen, one of op_cases. */
OpFunc op_find (const SegueParamGroup *chosen);
/** op_get_probability: of being applied to an item. */
double op_get_probability (const SegueVariant *op);
