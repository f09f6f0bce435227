/* SEGUE_ADVICE() in messages → command-line options (internal). */
#pragma once

#include "graph/graph.h"

/** segue_advise: (transfer full): @message with its advice as options.
 * @stages: (nullable): SegueGraphStage, all of the pipeline; %NULL: advice is removed
 * @speaker: (nullable): id of the stage that the message is from, or the name of a chain */
SEGUE_API
char *segue_advise (const char *message, GPtrArray *stages, const char *speaker);
/** segue_advise_error: the same in place. */
SEGUE_API
void segue_advise_error (GError **error, GPtrArray *stages, const char *speaker);
/** segue_advise_prediction: likewise where the stages are a model's and can't be set: only the option of
 * `segue predict` for parameters that are %SEGUE_PARAM_ON_REQUEST remains.
 * @stages: (nullable): the model's; %NULL: advice is removed */
void segue_advise_prediction (GError **error, GPtrArray *stages);
