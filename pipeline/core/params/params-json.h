/* Configuration structs as JSON (internal). */
#pragma once

#include "base/json.h"
#include "params/params.h"

typedef enum {
  SEGUE_PARAMS_ALL,       /* every row */
  SEGUE_PARAMS_CANONICAL, /* no volatile rows, no output paths */
} SegueParamsSelection;

/** segue_params_write: @config as one JSON object with sorted keys. */
void segue_params_write (SegueJson *json, const SegueParam *const *rows, gconstpointer config,
                         SegueParamsSelection selection);
