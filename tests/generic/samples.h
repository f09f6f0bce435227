/* Values for any parameter, made from its row. */
#pragma once

#include <segue/host/segue.h>

/**
 * segue_sample_config: (transfer full): YAML of a `with` that sets only required parameters of
 * @rows, and @target to @value.
 * @target: (nullable): a row of @rows or nested in them (in a record, a case, a list's element)
 * @model: name of a model type, for MODEL rows
 */
char *segue_sample_config (const SegueParam *const *rows, const SegueParam *target,
                           const char *value, const char *model);
/** segue_sample_value: (transfer full): one value that @row accepts. */
char *segue_sample_value (const SegueParam *row, const char *model);
