/* What `segue run --dry-run` says. */
#pragma once

#include "cli.h"

/** segue_run_plan_print: @plan: of segue_pipeline_plan(). */
void segue_run_plan_print (GPtrArray *plan, const SegueTerm *out);
void segue_run_plan_print_json (GPtrArray *plan, const SegueRunResult *result,
                                const SegueTerm *out);
