/* The output after a run. */
#pragma once

#include "cli.h"

#include <jansson.h>

typedef struct {
  SegueRunResult result;
  GPtrArray *failures; /* skipped items, as lines */
} SegueRunReport;

void segue_run_report_init (SegueRunReport *report);
void segue_run_report_clear (SegueRunReport *report);
/** segue_run_report_add_failure: one call at a time. */
void segue_run_report_add_failure (SegueRunReport *report, const char *stage, const char *id,
                                   const char *reason);

/** segue_run_report_print_counts: songs, cached, ignored, and skipped items with reasons. */
void segue_run_report_print_counts (const SegueRunReport *report, const SegueTerm *err);
/** segue_run_report_print_results: the table on stdout; where the results are and what to do
 * next. */
void segue_run_report_print_results (const SegueRunReport *report, SegueCli *cli,
                                     SeguePipeline *pipeline);
void segue_run_report_print_json (const SegueRunReport *report, const SegueTerm *out);
/** segue_run_report_list_failures: (transfer full): `[{"stage": …, "id": …, "reason": …}, …]` by id. */
json_t *segue_run_report_list_failures (const SegueRunReport *report);
/** segue_run_report_print_kept: after the failure @error: the results that are kept. */
void segue_run_report_print_kept (const SegueRunReport *report, const GError *error,
                                  const SegueTerm *err);
