/* YAML values as JSON (internal). */
#pragma once

#include "base/json.h"
#include "yaml/node.h"

/** segue_json_node: @node unchanged: plain numbers and booleans are written as such. */
void segue_json_node (SegueJson *json, const SegueNode *node);
/** segue_json_yaml: likewise for YAML text that is known to parse; null where it does not. */
void segue_json_yaml (SegueJson *json, const char *yaml);
