/* metrics.json as a text table. */
#pragma once

#include "term.h"
#include <jansson.h>

/** segue_table_metrics: (transfer full): one row per set; one row per label of the test set (of
 * validation if there is no test set), best first; what the accuracy means for that number of
 * songs.
 * @heading: the name of a label ("artist")
 * @metrics: the object of metrics.json; missing values are left empty */
char *segue_table_metrics (const SegueTerm *term, const json_t *metrics, const char *heading);
