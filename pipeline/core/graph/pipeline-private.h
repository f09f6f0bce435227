/* Parts of loading a pipeline (internal). */
#pragma once

#include "graph/graph.h"

/** SegueOverride: one `key=value` from outside of the file. */
typedef struct {
  const char *key;
  SegueNode *value; /* positions name the assignment, not a line */
  const char *text; /* the value as given */
} SegueOverride;

/** segue_override_parse: splits `key=value`; the value is YAML (text that is not UTF-8: unchanged). */
SegueOverride *segue_override_parse (const char *assignment, GError **error);
void segue_override_free (SegueOverride *override);
/** segue_override_value: (transfer full): the value for a variable whose default is @like
 * (nullable). Where that is a scalar, the text is used unchanged, so that folders with `[`, `#` or
 * `: ` in their names need no quotes; a complete quoted string is unquoted. */
SegueNode *segue_override_value (const SegueOverride *override, const SegueNode *like,
                                 GError **error);
/** segue_override_apply: sets the parameter at @path ("epochs", "model.dropout", "ops.0.p") in the
 * stage's `with`, which the table of @type describes, or one of segue_stage_settings ("isolate"). */
gboolean segue_override_apply (const SegueOverride *override, const char *path, SegueNode *stage,
                               SegueRegistry *registry, const SegueStageType *type, GError **error);

/** segue_name_from: (transfer full) (nullable): a name [a-z][a-z0-9-]* similar to @text. */
char *segue_name_from (const char *text);

/** SegueVariables: the `vars` of a pipeline. */
typedef struct {
  GHashTable *values; /* name → SegueNode, borrowed */
  SegueNodeBudget budget;
  GPtrArray *problems; /* nullable: as in SegueLoading */
} SegueVariables;

/** segue_variables_expand: replaces `${name}` in the scalars of @node, in place. A scalar that is
 * only a reference becomes a copy of the variable's value, of any type. Nodes from outside the file
 * are not changed. */
gboolean segue_variables_expand (SegueVariables *variables, SegueNode *node, guint depth,
                                 GError **error);

/** SegueLoading: the state while a pipeline is loaded. */
typedef struct {
  SeguePipeline *pipeline;
  SegueVariables variables;
  GPtrArray *overrides; /* SegueOverride */
  char *folder;         /* of the file */
  GPtrArray *problems;  /* nullable (element-type GError): all errors, not only the first */
  GError **error;
  gboolean
    incomplete; /* a stage is missing from the pipeline: later errors may be a consequence of that */
} SegueLoading;

/** segue_loading_goes_on: after a failure: whether to look for more; it is then added to the problems. */
gboolean segue_loading_goes_on (SegueLoading *loading);

/** segue_loading_refuse_key: @key is none of @known; @where is the message's prefix. */
gboolean segue_loading_refuse_key (SegueLoading *loading, const SegueNode *key,
                                   const char *const *known, const char *where);
/** segue_loading_check_keys: whether every key of @map is one of @known; @where: as above. */
gboolean segue_loading_check_keys (SegueLoading *loading, const SegueNode *map,
                                   const char *const *known, const char *where);
/** segue_loading_read_stages: reads the stages, with overrides, not yet connected. */
gboolean segue_loading_read_stages (SegueLoading *loading);
/** segue_loading_connect: resolves the inputs and output kinds of the stages, and checks their order. */
gboolean segue_loading_connect (SegueLoading *loading);
/** segue_loading_check_sets: whether inputs that depend on sets come after the stage that assigns them. */
gboolean segue_loading_check_sets (SegueLoading *loading);
/** segue_loading_negotiate: finds the output formats of each stage, and checks its input formats. */
gboolean segue_loading_negotiate (SegueLoading *loading);

/** segue_pipeline_settings: the rows of the top-level keys that are plain settings. */
typedef struct {
  gint64 segue;
  char *name;
  gint64 seed;
  int on_error;
  gint64 max_failures;
} SeguePipelineSettings;

extern const SegueParam *const segue_pipeline_settings[];

/** segue_stage_settings: the rows of the settings of any stage, besides its parameters: how it is
 * run, and its seed. */
typedef struct {
  gboolean cache;
  gint64 copies;
  gboolean isolate; /* -1: as its type requests */
  double time_limit;
  gint64 seed;
} SegueStageSettings;

extern const SegueParam *const segue_stage_settings[];
