/* One stage of a pipeline: its type and its parsed configuration. */
#include "graph/graph.h"
#include "base/advice-marks.h"
#include "params/params.h"
#include "registry/registry.h"
#include <string.h>

const char *
segue_mode_to_string (SegueMode mode)
{
  switch (mode) {
  case SEGUE_MODE_SOURCE:
    return "source";
  case SEGUE_MODE_MAP:
    return "map";
  case SEGUE_MODE_SERIAL:
    return "serial";
  case SEGUE_MODE_COLLECT:
    return "collect";
  }
  return "unknown";
}

static guint
count_ports (const SeguePort *const *ports)
{
  guint n = 0;
  while (ports && ports[n])
    n++;
  return n;
}

char *
segue_graph_find_bug (const char *callback, gboolean ok, const GError *failure)
{
  if (ok && failure)
    return g_strdup_printf ("%s () returned TRUE with an error set (%s): a bug in the plugin",
                            callback, failure->message);
  if (!ok && !failure)
    return g_strdup_printf ("%s () failed without setting an error: a bug in the plugin", callback);
  return NULL;
}

/* The type's own rules between parameters; their messages get their position here. */
static gboolean
check_config (const SegueGraphStage *stage, const SegueNode *at, const char *where, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean ok = !stage->type->check || stage->type->check (stage->config, &failure);
  if (ok && !failure)
    return TRUE;
  segue_advice_replace_error (&failure, NULL, NULL);
  g_autofree char *bug = segue_graph_find_bug ("check", ok, failure);
  return segue_node_error (at, error, "%s%s", where, bug ? bug : failure->message);
}

/* A decoder that does not know one of the parameters is skipped. */
static void
add_decoders (SegueGraphStage *stage, SegueRegistry *registry, const SegueNode *with,
              const char *folder)
{
  const GPtrArray *types = registry ? segue_registry_decoders_of (registry, stage->type) : NULL;
  if (!types)
    return;
  stage->decoders = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_graph_stage_free);
  for (guint i = 0; i < types->len; i++) {
    SegueGraphStage *decoder =
      segue_graph_stage_new (registry, g_ptr_array_index (types, i), stage->id, with, folder, NULL);
    if (decoder)
      g_ptr_array_add (stage->decoders, decoder);
  }
}

void
segue_graph_stage_isolate (SegueGraphStage *stage, gboolean isolate, double time_limit)
{
  stage->isolate = isolate;
  stage->time_limit = time_limit;
  for (guint i = 0; stage->decoders && i < stage->decoders->len; i++)
    segue_graph_stage_isolate (g_ptr_array_index (stage->decoders, i), isolate, time_limit);
}

gboolean
segue_stage_type_makes_copies (const SegueStageType *type)
{
  return type->mode == SEGUE_MODE_MAP && !(type->flags & SEGUE_STAGE_LIVE) &&
         type->inputs[0]->flags & SEGUE_PORT_LIVE;
}

const char *
segue_graph_stage_first_decoder (const SegueGraphStage *stage)
{
  const GPtrArray *decoders = stage->decoders;
  return decoders && decoders->len > 0
           ? ((const SegueGraphStage *) g_ptr_array_index (decoders, 0))->type->name
           : NULL;
}

/* A stage with its ports; its configuration is zeroed. */
static SegueGraphStage *
stage_new (const SegueStageType *type, const char *id, const SegueNode *at)
{
  SegueGraphStage *stage = g_new0 (SegueGraphStage, 1);
  stage->id = g_strdup (id ? id : type->name);
  stage->type = type;
  stage->config = g_malloc0 (MAX (type->config_size, 1));
  stage->node = at;
  stage->isolate = (type->flags & SEGUE_STAGE_ISOLATE) != 0;
  stage->time_limit = SEGUE_TIME_LIMIT;
  stage->copies = 1;
  stage->seed = SEGUE_UNSET_INT;
  stage->n_inputs = count_ports (type->inputs);
  stage->inputs = g_new0 (SegueGraphInput, stage->n_inputs + 1);
  for (guint i = 0; i < stage->n_inputs; i++)
    stage->inputs[i] = (SegueGraphInput){ .port = type->inputs[i],
                                          .producer = SEGUE_NOT_CONNECTED,
                                          .kind = type->inputs[i]->kind };
  stage->n_outputs = count_ports (type->outputs);
  stage->outputs = g_new0 (SegueKind, stage->n_outputs + 1);
  stage->formats = g_new0 (SegueFormat, stage->n_outputs + 1);
  for (guint i = 0; i < stage->n_outputs; i++)
    stage->outputs[i] = type->outputs[i]->kind;
  return stage;
}

void
segue_graph_stage_widen (SegueGraphStage *stage, guint first, guint n)
{
  guint after = stage->n_inputs - first - 1;
  stage->inputs = g_renew (SegueGraphInput, stage->inputs, stage->n_inputs + n);
  memmove (stage->inputs + first + n, stage->inputs + first + 1, after * sizeof *stage->inputs);
  for (guint i = 1; i < n; i++)
    stage->inputs[first + i] = stage->inputs[first];
  stage->n_inputs += n - 1;
}

guint
segue_graph_stage_find_input (const SegueGraphStage *stage, const char *port, guint nth)
{
  for (guint i = 0; i < stage->n_inputs; i++)
    if (strcmp (stage->inputs[i].port->name, port) == 0 && nth-- == 0)
      return i;
  return stage->n_inputs;
}

gboolean
segue_graph_stage_resolve_outputs (SegueGraphStage *stage)
{
  SegueKind kind = SEGUE_KIND_ANY;
  gboolean whole = TRUE;
  for (guint i = stage->n_inputs; i-- > 0;)
    if (stage->inputs[i].port->kind == SEGUE_KIND_ANY &&
        stage->inputs[i].producer != SEGUE_NOT_CONNECTED)
      kind = stage->inputs[i].kind;
  for (guint i = 0; i < stage->n_outputs; i++)
    if (stage->type->outputs[i]->kind == SEGUE_KIND_ANY) {
      stage->outputs[i] = kind;
      whole = whole && kind != SEGUE_KIND_ANY;
    }
  return whole;
}

SegueGraphStage *
segue_graph_stage_new_faulty (const SegueStageType *type, const char *id, const SegueNode *at)
{
  SegueGraphStage *stage = stage_new (type, id, at);
  stage->faulty = TRUE;
  return stage;
}

/* A stage with parameters from @with; @scope lacks what follows from the other arguments. */
static SegueGraphStage *
stage_new_from (SegueRegistry *registry, const SegueStageType *type, const char *id,
                const SegueNode *with, const SegueNode *at, SegueParamScope *scope, GError **error)
{
  g_autofree char *where = g_strdup_printf ("stage '%s': ", id ? id : type->name);
  scope->models = segue_registry_model_types (registry);
  scope->where = where;
  scope->id = id ? id : type->name;
  scope->at = with ? with : at;
  g_autoptr (SegueGraphStage) stage = stage_new (type, id, at);
  if (!segue_params_parse (type->params, with, stage->config, scope, error) ||
      !check_config (stage, scope->at, where, error))
    return NULL;
  stage->canonical = segue_params_canonical (type->params, stage->config);
  add_decoders (stage, registry, with, scope->folder);
  return g_steal_pointer (&stage);
}

SegueGraphStage *
segue_graph_stage_new_at (SegueRegistry *registry, const SegueStageType *type, const char *id,
                          const SegueNode *with, const char *folder, const SegueNode *at,
                          GPtrArray *problems, GError **error)
{
  SegueParamScope scope = { .folder = folder, .within = at ? folder : NULL, .problems = problems };
  return stage_new_from (registry, type, id, with, at, &scope, error);
}

SegueGraphStage *
segue_graph_stage_new (SegueRegistry *registry, const SegueStageType *type, const char *id,
                       const SegueNode *with, const char *folder, GError **error)
{
  return segue_graph_stage_new_at (registry, type, id, with, folder, NULL, NULL, error);
}

SegueGraphStage *
segue_graph_stage_new_in_model (SegueRegistry *registry, const SegueStageType *type,
                                const SegueNode *with, const char *folder, const char *files,
                                GError **error)
{
  SegueParamScope scope = { .folder = folder, .within = files, .files = files };
  return stage_new_from (registry, type, NULL, with, NULL, &scope, error);
}

void
segue_graph_stage_free (SegueGraphStage *stage)
{
  if (!stage)
    return;
  segue_params_clear (stage->type->params, stage->config);
  g_free (stage->config);
  g_free (stage->id);
  g_free (stage->canonical);
  g_clear_pointer (&stage->decoders, g_ptr_array_unref);
  g_free (stage->inputs);
  g_free (stage->outputs);
  g_free (stage->formats);
  g_free (stage);
}
