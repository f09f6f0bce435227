/* The tables in words. */
#include "describe/describe.h"
#include "base/number.h"
#include "base/suggest.h"
#include "registry/registry.h"
#include <string.h>

static const char *
type_noun (const SegueParam *row)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    return "true or false";
  case SEGUE_PARAM_INT:
    return "whole number";
  case SEGUE_PARAM_DOUBLE:
    return "number";
  case SEGUE_PARAM_STRING:
    return "text";
  case SEGUE_PARAM_RANGE:
    return "[low, high] or a number";
  case SEGUE_PARAM_RECORD:
    return "map";
  case SEGUE_PARAM_INPUT_PATH:
    return "file or folder";
  case SEGUE_PARAM_OUTPUT_PATH:
    return "file or folder to write";
  case SEGUE_PARAM_MODEL_REF:
    return "model folder or ORG/NAME";
  case SEGUE_PARAM_MODEL:
    return "model type, or { use: NAME, … }";
  default:
    return "value";
  }
}

static char *
case_names (const SegueParam *row)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (const SegueParamGroup *const *one = row->cases; *one; one++)
    g_string_append_printf (names, "%s%s", names->len ? ", " : "", (*one)->name);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static char *
list_words (const SegueParam *row)
{
  SegueParam element = segue_param_read (row->element);
  g_autofree char *inner = segue_param_value_words (&element);
  if (row->max_items)
    return g_strdup_printf ("list of %u..%u: %s", row->min_items, row->max_items, inner);
  if (row->min_items)
    return g_strdup_printf ("list of at least %u: %s", row->min_items, inner);
  return g_strdup_printf ("list: %s", inner);
}

char *
segue_param_value_words (const SegueParam *row)
{
  if (row->type == SEGUE_PARAM_LIST)
    return list_words (row);
  if (row->type == SEGUE_PARAM_CHOICE) {
    g_autofree char *choices = g_strjoinv (", ", (char **) row->choices);
    return g_strconcat ("one of ", choices, NULL);
  }
  if (row->type == SEGUE_PARAM_VARIANT) {
    g_autofree char *names = case_names (row);
    return g_strdup_printf ("{ %s: NAME, … } of %s", row->tag, names);
  }
  g_autofree char *bounds = segue_param_bounds (row);
  if (bounds)
    return g_strdup_printf ("%s, %s%s%s", type_noun (row), bounds, row->unit ? " " : "",
                            row->unit ? row->unit : "");
  if (row->unit)
    return g_strdup_printf ("%s, in %s", type_noun (row), row->unit);
  return g_strdup (type_noun (row));
}

char *
segue_param_default_words (const SegueParam *row)
{
  if (row->def)
    return g_strdup (row->def);
  if (row->flags & SEGUE_PARAM_OPTIONAL)
    return g_strdup (row->type == SEGUE_PARAM_LIST ? "[]" : "none");
  return g_strdup (row->type == SEGUE_PARAM_RECORD ? "{}" : "required");
}

static const char *
mode_words (const SegueStageType *type)
{
  if (type->flags & SEGUE_STAGE_LIVE)
    return "live: recomputes each item whenever it is read";
  switch (type->mode) {
  case SEGUE_MODE_SOURCE:
    return "source: produces items";
  case SEGUE_MODE_MAP:
    return "map: processes items one by one, several in parallel";
  case SEGUE_MODE_SERIAL:
    return "serial: processes items in order";
  case SEGUE_MODE_COLLECT:
    return "collect: processes all items at once";
  }
  return "unknown";
}

char *
segue_stage_words (const SegueStageType *type)
{
  return g_strconcat (
    mode_words (type), type->flags & SEGUE_STAGE_SEEDED ? "; random, seeded by the pipeline" : "",
    type->flags & SEGUE_STAGE_PREPARE ? "; `segue predict` does the same" : "",
    type->flags & SEGUE_STAGE_ISOLATE ? "; isolated: runs in a separate process" : "",
    type->flags & SEGUE_STAGE_SHARED ? "; one instance for all workers" : "", NULL);
}

const char *
segue_model_words (const SegueModelType *type)
{
  if (!type->recipe)
    return "encoder: turns audio into vectors, for `embed`";
  if (segue_model_type_takes (type) == SEGUE_KIND_TENSOR)
    return type->backward ? "classifies vectors, of `embed`"
                          : "classifies vectors, of `embed`; trained in one step";
  return type->encoder ? "classifies audio; also an encoder, for `embed`" : "classifies audio";
}

char *
segue_recipe_words (const SegueRecipe *recipe)
{
  const struct {
    const char *name;
    double value;
  } numbers[] = {
    { "epochs", recipe->epochs },
    { "batch", recipe->batch },
    { "learning_rate", recipe->learning_rate },
    { "weight_decay", recipe->weight_decay },
    { "warmup", recipe->warmup },
    { "label_smoothing", recipe->label_smoothing },
    { "gradient_clip", recipe->gradient_clip },
  };
  g_autoptr (GString) words = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autofree char *value = segue_number_to_text (numbers[i].value);
    g_string_append_printf (words, "%s %s, ", numbers[i].name, value);
  }
  g_string_append_printf (words, "schedule %s", segue_schedule_get_name (recipe->schedule));
  return g_string_free (g_steal_pointer (&words), FALSE);
}

static void
visit_rows (const SegueParam *const *rows, const char *prefix, guint depth, SegueParamVisitor visit,
            gpointer data)
{
  for (; rows && *rows; rows++) {
    SegueParam row = segue_param_read (*rows);
    g_autofree char *path = g_strconcat (prefix, *prefix ? "." : "", row.name, NULL);
    visit (&row, path, NULL, NULL, depth, data);
    SegueParam inner = row;
    if (row.type == SEGUE_PARAM_LIST) {
      inner = segue_param_read (row.element);
      char *listed = g_strconcat (path, "[]", NULL);
      g_free (path);
      path = listed;
    }
    if (inner.type == SEGUE_PARAM_RECORD)
      visit_rows (inner.group->params, path, depth + 1, visit, data);
    if (inner.type != SEGUE_PARAM_VARIANT)
      continue;
    for (const SegueParamGroup *const *one = inner.cases; *one; one++) {
      visit (NULL, path, &inner, *one, depth + 1, data);
      visit_rows ((*one)->params, path, depth + 2, visit, data);
    }
  }
}

void
segue_params_visit (const SegueParam *const *rows, SegueParamVisitor visit, gpointer data)
{
  visit_rows (rows, "", 0, visit, data);
}

gboolean
segue_docs_unknown (SegueRegistry *registry, const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = segue_registry_stage_names (registry);
  g_autoptr (GPtrArray) models = segue_registry_model_names (registry);
  g_ptr_array_set_size (names, (int) names->len - 1);
  for (guint i = 0; i < models->len; i++) /* including the final NULL */
    g_ptr_array_add (names, g_ptr_array_index (models, i));
  g_autofree char *near = segue_suggest (name, (const char *const *) names->pdata);
  g_autofree char *shown = g_utf8_make_valid (name, -1);
  g_autofree char *refusal = *name ? segue_registry_refusal_of (registry, name) : NULL;
  g_autofree char *why = segue_registry_explain_missing (registry, name);
  if (refusal)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "no stage type or model type '%s'; %s",
                 shown, refusal);
  else if (near)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "no stage type or model type '%s'; did you mean '%s'?", shown, near);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "no stage type or model type '%s'; %s; segue inspect lists them", shown, why);
  return FALSE;
}
