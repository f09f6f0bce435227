/* The parts of the page that work without its script. */
#pragma once

#include "page.h"

/* Each appends HTML. */
void report_append_summary (const Report *report, GString *html);
void report_append_labels (const Report *report, GString *html);
void report_append_pairs (const Report *report, GString *html);
void report_append_left_out (const Report *report, GString *html);
void report_append_pipeline (const Report *report, GString *html);
/** report_append_relabel_note: a note for runs that already used a relabel table. */
void report_append_relabel_note (const Report *report, GString *html);
