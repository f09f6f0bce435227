/* YAML values as JSON (internal). */
#pragma once

#include "base/json.h"
#include "yaml/node.h"

/** segue_json_node: @node as it stands: plain scalars as the number or truth value that they are. */
void segue_json_node (SegueJson *json, const SegueNode *node);
/** segue_json_yaml: likewise of YAML text that is known to parse; null where it does not. */
void segue_json_yaml (SegueJson *json, const char *yaml);
