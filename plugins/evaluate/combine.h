/* combine: the stage type. */
#pragma once

#include <segue/stage.h>

extern const SegueStageType combine_stage;
