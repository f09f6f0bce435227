/* Relaxed stages, for songs that training skips (internal). */
#pragma once

#include "yaml/node.h"
#include <segue/stage.h>

/**
 * SegueRelax: which values of `relaxed` apply.
 * @SEGUE_RELAX_SIZE: those for songs that are shorter or longer than all training songs
 * @SEGUE_RELAX_DAMAGED: also %SEGUE_PARAM_ON_REQUEST: those for truncated and damaged files
 */
typedef enum { SEGUE_RELAX_NOTHING, SEGUE_RELAX_SIZE, SEGUE_RELAX_DAMAGED } SegueRelax;

/** segue_relax_stage: sets the values that apply in the stage's node (a map with `with`). Returns
 * whether any had to be set. */
gboolean segue_relax_stage (const SegueStageType *type, SegueNode *stage, SegueRelax relax);
/** segue_relax_limit: lowers values of %SEGUE_PARAM_COST in the stage's node. */
void segue_relax_limit (const SegueStageType *type, SegueNode *stage);
