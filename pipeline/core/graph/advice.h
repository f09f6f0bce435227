/* SEGUE_ADVICE() in messages → options that can be typed (internal). */
#pragma once

#include "graph/graph.h"

/** segue_advise: (transfer full): @message with its advice as options.
 * @stages: (nullable): SegueGraphStage, all of the pipeline; %NULL: advice is left out
 * @speaker: (nullable): id of the stage that speaks, or the name of a chain, whose stages speak */
SEGUE_API
char *segue_advise (const char *message, GPtrArray *stages, const char *speaker);
/** segue_advise_error: the same in place. */
SEGUE_API
void segue_advise_error (GError **error, GPtrArray *stages, const char *speaker);
/** segue_advise_prediction: likewise where the stages are a model's and can't be set: what is left is the
 * option of `segue predict` for parameters that are %SEGUE_PARAM_ON_REQUEST.
 * @stages: (nullable): the model's; %NULL: advice is left out */
void segue_advise_prediction (GError **error, GPtrArray *stages);
