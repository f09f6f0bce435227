/* The data set before anything is decoded, as text and as JSON. */
#pragma once

#include "cli.h"

#include <jansson.h>

/** segue_data_view_describe: (transfer full): @view as JSON, for the functions below. */
json_t *segue_data_view_describe (const SegueDataView *view);
/** segue_data_view_summarise: (transfer full): one line: songs, labels, sets, and how precise a
 * result of the test set can be. */
char *segue_data_view_summarise (const json_t *data);
/** segue_data_view_print: the summary, songs of each label by set, warnings. */
void segue_data_view_print (const json_t *data, const SegueTerm *out);
