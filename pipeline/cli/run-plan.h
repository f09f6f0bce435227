/* The output of `segue run --dry-run`. */
#pragma once

#include "cli.h"

#include <jansson.h>

/** segue_run_plan_print: @plan: of segue_pipeline_plan(). */
void segue_run_plan_print (GPtrArray *plan, const SegueTerm *out);
/** segue_run_plan_print_json: @data: (transfer full) (nullable): see data-view.h; @left_out: (transfer full):
 * see segue_run_outcome_list_failures(). */
void segue_run_plan_print_json (GPtrArray *plan, const SegueRunResult *result, json_t *data,
                                json_t *left_out, const SegueTerm *out);
