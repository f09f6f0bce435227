/* The tables in words: shared by `segue inspect` and docs/stages.md (internal). */
#pragma once

#include "params/params.h"

/** segue_param_value_words: (transfer full): the valid values: "number, 0.1..600 s", "one of a, b",
 * "list of 1..3: text". */
char *segue_param_value_words (const SegueParam *row);
/** segue_param_default_words: (transfer full): "10", "required" or "none". */
char *segue_param_default_words (const SegueParam *row);
/** segue_stage_words: (transfer full): the meaning of mode and flags for authors of pipelines. */
char *segue_stage_words (const SegueStageType *type);
/** segue_model_words: (transfer none): what a model of @type takes and does. */
const char *segue_model_words (const SegueModelType *type);
/** segue_recipe_words: (transfer full): "epochs 3, batch 8, …" */
char *segue_recipe_words (const SegueRecipe *recipe);

/** SegueParamVisitor: called for every row, those of records, list members and cases after the row
 * that contains them.
 * @path: "ops[].db"
 * @group: (nullable): set with @row NULL where a variant's case begins */
typedef void (*SegueParamVisitor) (const SegueParam *row, const char *path,
                                   const SegueParam *variant, const SegueParamGroup *group,
                                   guint depth, gpointer data);
void segue_params_visit (const SegueParam *const *rows, SegueParamVisitor visit, gpointer data);

/** segue_docs_unknown: sets the error for a name that no type has; returns FALSE. */
gboolean segue_docs_unknown (SegueRegistry *registry, const char *name, GError **error);
