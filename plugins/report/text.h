/* Names of files and artists as text on a page. */
#pragma once

#include <glib.h>

/** report_text_shown: (transfer full): UTF-8 @text with characters that are invisible, or change
 * the direction of the text around them, replaced by U+FFFD. */
char *report_text_shown (const char *text);
/** report_text_fit: (transfer full): the same, shortened with an ellipsis to about @ems. */
char *report_text_fit (const char *text, double ems);
/** report_text_append_html: as report_text_shown(), escaped for an element or a quoted
 * attribute. */
void report_text_append_html (GString *html, const char *text);
/** report_text_share: (transfer full): a share as a percentage, "–" where it is NaN. */
char *report_text_share (double share);
