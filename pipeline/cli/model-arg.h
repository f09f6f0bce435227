/* `--model` and `--precision`, as several verbs take them. */
#pragma once

#include "cli.h"

/** segue_find_model: (transfer full): the model's folder.
 * @given: a run's folder, a model's, or ORG/NAME */
char *segue_find_model (const char *given, GError **error);
/** segue_parse_precision: @given: (nullable): the default. */
gboolean segue_parse_precision (const SegueVerb *verb, const char *given,
                                SegueModelPrecision *precision, GError **error);
