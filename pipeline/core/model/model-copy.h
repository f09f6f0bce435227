/* A copy of a model folder as part of another (internal). */
#pragma once

#include <segue/model.h>

/** segue_model_copy_within: as segue_model_copy(), where @to is in @whole, which is what counts as the output of a
 * stage. */
gboolean segue_model_copy_within (const char *from, const char *to, const char *whole,
                                  GError **error);
