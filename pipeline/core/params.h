/* Parameter tables at work: YAML → struct → canonical JSON (internal). */
#pragma once

#include "node.h"
#include <segue/segue.h>

/** SegueParamScope: what parsing needs beyond the rows.
 * @registry: to find model types
 * @folder: what relative paths in the file are relative to
 * @where: words before a message, such as "stage 'segment': " */
typedef struct {
  SegueRegistry *registry;
  const char *folder;
  const char *where;
} SegueParamScope;

/** segue_params_parse: fills @config (zeroed, of the rows' struct) from the map @node (nullable:
 * all defaults).  Unknown keys, wrong types and values out of range are errors with place and a
 * suggestion.  On failure @config has been cleared. */
gboolean segue_params_parse (const SegueParam *const *rows, const SegueNode *node, gpointer config,
                             const SegueParamScope *scope, GError **error);
/** segue_params_clear: frees what the fields own; @config itself is the caller's. */
void segue_params_clear (const SegueParam *const *rows, gpointer config);
/** segue_params_canonical: (transfer full): compact JSON with sorted keys, volatile rows and output paths left out.
 * Equal meaning gives equal text: 1 and 1.0, a default written out or left out. Numbers are printed shortest round-trip. Also valid input
 * for segue_node_parse(). */
char *segue_params_canonical (const SegueParam *const *rows, gconstpointer config);
/** segue_suggest: (transfer full) (nullable): the nearest of @candidates to @word, if near enough. */
char *segue_suggest (const char *word, const char *const *candidates);
