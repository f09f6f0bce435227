/* metrics.json as a table for people. */
#pragma once

#include "term.h"
#include <jansson.h>

/** segue_table_metrics: (transfer full): a row a set; a row a label of the test set (of validation where
 * there is no test set), best first; what the number of songs lets one conclude from its accuracy.
 * @heading: what a label is ("artist")
 * @metrics: the object of metrics.json; what it lacks is left empty */
char *segue_table_metrics (const SegueTerm *term, const json_t *metrics, const char *heading);
