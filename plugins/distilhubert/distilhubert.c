/* The plugin: the symbols of the shared object. */
#include "hubert.h"

#include <segue/model.h>
#include <segue/plugin.h>

static const SegueModelType *const models[] = { &hubert_model_type, NULL };

SEGUE_PLUGIN (.name = "distilhubert", .version = "1.0", .licence = "MIT", .models = models)
