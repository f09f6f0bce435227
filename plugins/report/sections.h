/* The parts of the page that are there without its script. */
#pragma once

#include "page.h"

/* Each appends HTML. */
void report_append_summary (const Report *report, GString *html);
void report_append_labels (const Report *report, GString *html);
void report_append_pairs (const Report *report, GString *html);
void report_append_left_out (const Report *report, GString *html);
void report_append_pipeline (const Report *report, GString *html);
/** report_append_relabel_note: what a run that took a table already has to be told. */
void report_append_relabel_note (const Report *report, GString *html);
