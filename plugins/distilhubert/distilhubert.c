/* The plugin: what the shared object provides. */
#include "hubert.h"

#include <segue/plugin.h>

static const SegueModelType *const models[] = { &hubert_model_type, NULL };

SEGUE_PLUGIN (.name = "distilhubert", .version = "1.0", .licence = "MIT", .models = models)
