/* A model type against its contract: all parts of the test. */
#include "model-case.h"
#include "params/params.h"
#include "place.h"

#include <segue/testing.h>

static const SegueParam *const no_params[] = { NULL };

#define VECTOR_SIZE 24

/* The length of audio is the shortest input, and a tenth of a second. @used: (out): the precision that AUTO stands
 * for */
static gboolean
prepare (ModelCase *c, SegueModelPrecision *used, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  c->vectors = segue_model_type_takes (c->type) == SEGUE_KIND_TENSOR;
  c->length = VECTOR_SIZE;
  g_autoptr (SegueModel) model = model_case_new_model (c, 1, error);
  if (!model)
    return FALSE;
  segue_model_describe (model, &info);
  *used = info.precision;
  if (!c->vectors)
    c->length = info.min_length + info.rate / 10;
  return segue_model_check_length (model, c->length, error);
}

static gboolean
check_precision (ModelCase *c, GError **error)
{
  return model_case_check_description (c, error) &&
         (!c->type->fit || model_case_check_fit (c, error)) &&
         model_case_check_inference (c, error) && model_case_check_space (c, error) &&
         (!c->type->backward || model_case_check_training (c, error)) &&
         model_case_check_folder (c, error) && model_case_check_cancelling (c, error);
}

static gboolean
check_classifier (ModelCase *c, GError **error)
{
  SegueModelPrecision used;
  if (!prepare (c, &used, error) || !check_precision (c, error) ||
      (c->type->backward && !model_case_check_gradients (c, error)))
    return FALSE;
  c->precision = SEGUE_MODEL_AUTO;
  if (!prepare (c, &used, error))
    return FALSE;
  return used == SEGUE_MODEL_FLOAT32 || check_precision (c, error);
}

/* In float32, and in whatever else its type and this system support. */
static gboolean
check_encoder (ModelCase *c, GError **error)
{
  static const SegueModelPrecision others[] = { SEGUE_MODEL_AUTO, SEGUE_MODEL_INT8 };
  gboolean ok = model_case_check_encoder (c, error);
  for (guint i = 0; ok && i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GError) local = NULL;
    c->precision = others[i];
    ok = model_case_check_encoder (c, &local) ||
         g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    if (!ok)
      g_propagate_error (error, g_steal_pointer (&local));
  }
  c->precision = SEGUE_MODEL_FLOAT32;
  return ok;
}

/* A type without a recipe only encodes. */
static gboolean
run (ModelCase *c, GError **error)
{
  return (!c->type->encoder || check_encoder (c, error)) &&
         (!c->type->recipe || check_classifier (c, error));
}

static const SegueModelType *
find_type (SegueRegistry *registry, const char *name, GError **error)
{
  const SegueModelType *type = segue_registry_find_model (registry, name);
  if (!type)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE, "there is no model type '%s'", name);
  return type;
}

gboolean
segue_test_try_model (SegueRegistry *registry, const char *type, const char *config, GError **error)
{
  ModelCase c = { .registry = registry,
                  .type = find_type (registry, type, error),
                  .precision = SEGUE_MODEL_FLOAT32 };
  if (!c.type)
    return FALSE;
  const SegueParam *const *rows = c.type->params ? c.type->params : no_params;
  const SegueParamScope scope = { 0 };
  SegueNode *node = segue_node_parse (config, -1, "config", error);
  if (!node)
    return FALSE;
  g_autofree gpointer parsed = g_malloc0 (MAX (c.type->config_size, sizeof (gint64)));
  gboolean ok = segue_params_parse (rows, node, parsed, &scope, error);
  segue_node_free (node);
  if (!ok)
    return FALSE;
  c.config = parsed;
  ok = run (&c, error);
  segue_params_clear (rows, parsed);
  return ok;
}

void
segue_test_model_at (const SeguePlugin *plugin, const char *type, const char *config,
                     const char *file, int line, const char *function)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  if (segue_registry_add (registry, plugin, NULL, &error))
    segue_test_try_model (registry, type, config, &error);
  segue_place_check (error, file, line, function);
}
