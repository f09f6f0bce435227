/* The output after a run. */
#pragma once

#include "cli.h"

#include <jansson.h>

typedef struct {
  SegueRunResult result;
  GPtrArray *failures; /* skipped items, as lines */
  GPtrArray *counts;   /* counters of stages, in the order of their first events */
} SegueRunOutcome;

void segue_run_outcome_init (SegueRunOutcome *outcome);
void segue_run_outcome_clear (SegueRunOutcome *outcome);
/** segue_run_outcome_add_failure: one call at a time. */
void segue_run_outcome_add_failure (SegueRunOutcome *outcome, const char *stage, const char *id,
                                    const char *reason);

/** segue_run_outcome_add_count: one call at a time. */
void segue_run_outcome_add_count (SegueRunOutcome *outcome, const char *stage, const char *name,
                                  gint64 n);

/** segue_run_outcome_print_counts: songs, cached, ignored, skipped items with reasons, and counters of stages. */
void segue_run_outcome_print_counts (const SegueRunOutcome *outcome, const SegueTerm *err);
/** segue_run_outcome_print_results: the table on stdout; where the results are and what to do
 * next. */
void segue_run_outcome_print_results (const SegueRunOutcome *outcome, SegueCli *cli,
                                      SeguePipeline *pipeline);
void segue_run_outcome_print_json (const SegueRunOutcome *outcome, const SegueTerm *out);
/** segue_run_outcome_list_failures: (transfer full): `[{"stage": …, "id": …, "reason": …}, …]` by id. */
json_t *segue_run_outcome_list_failures (const SegueRunOutcome *outcome);
/** segue_run_outcome_print_kept: after the failure @error: the results that are kept. */
void segue_run_outcome_print_kept (const SegueRunOutcome *outcome, const GError *error,
                                   const SegueTerm *err);
