/* id2label and label2id of config.json: the labels in the order of the logits. */
#pragma once

#include "model-json.h"

#define MODEL_LABELS_MAX ((gsize) 100000)

/* id2label: %NULL-terminated; %NULL without @error where @config has none. */
char **model_labels_parse (const json_t *config, const char *where, GError **error);
/* Sets id2label, label2id and what goes with them. */
void model_labels_format (const char *const *labels, json_t *config);
