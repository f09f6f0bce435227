/* The version of a model type's code (internal). */
#pragma once

#include <segue/model.h>

/** segue_model_type_fingerprint: (transfer full): identifies what results of @type depend on besides its
 * parameters and `result_version`: its own fingerprint, and the build of its plugin. */
char *segue_model_type_fingerprint (const SegueModelType *type);
