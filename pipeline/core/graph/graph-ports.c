/* Which output feeds which input: the nearest earlier stage that produces the kind, or `from:`. */
#include "base/suggest.h"
#include "graph/pipeline-private.h"
#include "item/item-private.h"
#include "params/params.h"
#include <string.h>

typedef struct {
  SegueLoading *loading;
  GPtrArray *stages;
  guint index; /* of the current stage */
  SegueGraphStage *stage;
} Connector;

static SegueGraphStage *
stage_at (Connector *c, guint index)
{
  return g_ptr_array_index (c->stages, index);
}

static gboolean G_GNUC_PRINTF (3, 4)
  fail (Connector *c, const SegueNode *at, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  c->stage->faulty = TRUE;
  segue_node_error (at ? at : c->stage->node, c->loading->error, "stage '%s': %s", c->stage->id,
                    message);
  return segue_loading_goes_on (c->loading);
}

/* Kinds that pass through stages that take items of any kind. */
static gboolean
may_be_any (SegueKind kind)
{
  return kind == SEGUE_KIND_ANY || kind == SEGUE_KIND_FILE || kind == SEGUE_KIND_AUDIO ||
         kind == SEGUE_KIND_TENSOR || kind == SEGUE_KIND_EXAMPLES;
}

/* Connects @input to @producer's output @name (NULL: the first that fits); FALSE: none fits. An output of
 * unknown kind of a faulty stage fits. */
static gboolean
try_connect (Connector *c, SegueGraphInput *input, guint producer, const char *name)
{
  const SegueGraphStage *from = stage_at (c, producer);
  for (guint i = 0; i < from->n_outputs; i++) {
    if (name && strcmp (from->type->outputs[i]->name, name))
      continue;
    gboolean unknown = from->faulty && from->outputs[i] == SEGUE_KIND_ANY;
    if (unknown ? !may_be_any (input->port->kind)
                : !segue_kind_takes (input->port->kind, from->outputs[i]))
      continue;
    input->producer = producer;
    input->producer_port = i;
    input->kind = from->outputs[i];
    return TRUE;
  }
  return FALSE;
}

static gboolean
takes (const SegueStageType *type, SegueKind kind)
{
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    if ((*port)->kind == kind)
      return TRUE;
  return FALSE;
}

/* The stage types that would produce @kind from something else, for advice: " (decode, tone)"; "" if there are
 * none. */
static char *
types_that_produce (Connector *c, SegueKind kind)
{
  g_autoptr (GPtrArray) types = segue_registry_list_stages (c->loading->pipeline->registry);
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < types->len; i++) {
    const SegueStageType *type = g_ptr_array_index (types, i);
    for (const SeguePort *const *port = type->outputs; port && *port; port++)
      if ((*port)->kind != SEGUE_KIND_ANY && segue_kind_takes (kind, (*port)->kind) &&
          !takes (type, (*port)->kind)) {
        g_string_append_printf (names, "%s%s", names->len ? ", " : " (", type->name);
        break;
      }
  }
  if (names->len)
    g_string_append_c (names, ')');
  return g_string_free (g_steal_pointer (&names), FALSE);
}

/* The earlier stage that @reference (an id) names; SEGUE_NOT_CONNECTED after an error, with whether to
 * continue in @go. */
static guint
find_earlier (Connector *c, const SegueNode *reference, const char *id, gboolean *go)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  for (guint i = 0; i < c->stages->len; i++) {
    const SegueGraphStage *other = stage_at (c, i);
    if (!strcmp (other->id, id)) {
      if (i < c->index)
        return i;
      *go = fail (c, reference, "from: '%s' %s; name an earlier stage", id,
                  i == c->index ? "is this stage itself" : "comes later");
      return SEGUE_NOT_CONNECTED;
    }
    if (i < c->index)
      g_ptr_array_add (ids, other->id);
  }
  g_ptr_array_add (ids, NULL);
  g_autofree char *near = segue_suggest (id, (const char *const *) ids->pdata);
  g_autofree char *list = g_strjoinv (", ", (char **) ids->pdata);
  if (near)
    *go = fail (c, reference, "from: no stage '%s'; did you mean '%s'?", id, near);
  else
    *go =
      fail (c, reference, "from: no stage '%s'; earlier ones are: %s", id, *list ? list : "none");
  return SEGUE_NOT_CONNECTED;
}

/* "audio: ID, model: ID" */
static char *
list_inputs (const SegueGraphStage *stage, const char *after)
{
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < stage->n_inputs; i++)
    g_string_append_printf (out, "%s%s%s", i > 0 ? ", " : "", stage->inputs[i].port->name, after);
  return g_string_free (out, FALSE);
}

/* @from has no output @name. */
static gboolean
refuse_output (Connector *c, const SegueNode *reference, const SegueGraphStage *from,
               const char *name)
{
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; i < from->n_outputs; i++)
    g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", from->type->outputs[i]->name);
  return fail (c, reference, "from: stage '%s' has no output '%s'; its outputs are: %s", from->id,
               name, list->len > 0 ? list->str : "none");
}

static gboolean
has_output (const SegueGraphStage *stage, const char *name)
{
  for (guint i = 0; i < stage->n_outputs; i++)
    if (!strcmp (stage->type->outputs[i]->name, name))
      return TRUE;
  return FALSE;
}

/* `from: STAGE` or `from: STAGE.OUTPUT`, for @only (NULL: for every input that it can feed). */
static gboolean
connect_reference (Connector *c, const SegueNode *reference, SegueGraphInput *only)
{
  if (reference->type != SEGUE_NODE_SCALAR) {
    g_autofree char *inputs = list_inputs (c->stage, ": ID");
    return fail (c, reference, "from must be a stage's id, or a map such as { %s }", inputs);
  }
  g_auto (GStrv) parts = g_strsplit (reference->text, ".", 2);
  const char *id = parts[0] ? parts[0] : "";
  const char *output = parts[0] ? parts[1] : NULL;
  gboolean go = FALSE;
  guint producer = find_earlier (c, reference, id, &go);
  if (producer == SEGUE_NOT_CONNECTED)
    return go;
  if (output && !has_output (stage_at (c, producer), output))
    return refuse_output (c, reference, stage_at (c, producer), output);
  gboolean connected = FALSE;
  for (guint i = 0; i < c->stage->n_inputs; i++)
    if (!only || only == &c->stage->inputs[i])
      connected |= try_connect (c, &c->stage->inputs[i], producer, output);
  if (connected)
    return TRUE;
  const SegueGraphInput *wanted = only ? only : &c->stage->inputs[0];
  return fail (c, reference, "from: '%s' has no output of the kind that input '%s' takes (%s)",
               reference->text, wanted->port->name, segue_kind_words (wanted->port->kind));
}

static gboolean
takes_several (const SeguePort *port)
{
  return (port->flags & SEGUE_PORT_SEVERAL) != 0;
}

static gboolean
refuse_single (Connector *c, const SegueNode *at, const SeguePort *port)
{
  return fail (c, at,
               "input '%s' takes the outputs of several stages; name two or more of them: from: "
               "[ID, ID]",
               port->name);
}

/* What follows from the list alone. */
static gboolean
check_list (Connector *c, const SegueNode *list, const SeguePort *port)
{
  if (list->values->len < 2)
    return refuse_single (c, list, port);
  for (guint i = 0; i < list->values->len; i++)
    for (guint j = 0; j < i; j++) {
      const SegueNode *one = g_ptr_array_index (list->values, i);
      const SegueNode *other = g_ptr_array_index (list->values, j);
      if (one->type == SEGUE_NODE_SCALAR && other->type == SEGUE_NODE_SCALAR &&
          strcmp (one->text, other->text) == 0)
        return fail (c, one, "from: '%s' is named twice; remove one of them", one->text);
    }
  return TRUE;
}

/* `[STAGE, …]`, for @only (NULL: for every input that takes several): each stage feeds all of them. */
static gboolean
connect_list (Connector *c, const SegueNode *list, const SeguePort *only)
{
  for (guint i = 0; i < c->stage->n_inputs; i++) {
    const SeguePort *port = c->stage->inputs[i].port;
    if (!takes_several (port) || (only && port != only))
      continue;
    if (!check_list (c, list, port))
      return FALSE;
    if (c->stage->faulty)
      return TRUE;
    guint n = list->values->len;
    segue_graph_stage_widen (c->stage, i, n);
    for (guint k = 0; k < n && !c->stage->faulty; k++)
      if (!connect_reference (c, g_ptr_array_index (list->values, k), &c->stage->inputs[i + k]))
        return FALSE;
    i += n - 1;
  }
  return TRUE;
}

/* `from:` with a list of stages, or one stage. */
static gboolean
connect_given (Connector *c, const SegueNode *from)
{
  for (guint i = 0; i < c->stage->n_inputs; i++)
    if (takes_several (c->stage->inputs[i].port))
      return from->type == SEGUE_NODE_LIST ? connect_list (c, from, NULL)
                                           : refuse_single (c, from, c->stage->inputs[i].port);
  return connect_reference (c, from, NULL);
}

/* One `input: id` of a map. */
static gboolean
connect_named (Connector *c, const SegueNode *key, const SegueNode *value, GHashTable *decided)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < c->stage->n_inputs; i++) {
    SegueGraphInput *input = &c->stage->inputs[i];
    g_ptr_array_add (names, (gpointer) input->port->name);
    if (strcmp (input->port->name, key->text) != 0)
      continue;
    g_hash_table_add (decided, (gpointer) input->port);
    if (input->kind == SEGUE_KIND_SUMMARY)
      return fail (c, value,
                   "from: input '%s' is the run's summary, which the run provides; remove it",
                   input->port->name);
    if (value->type != SEGUE_NODE_NULL && takes_several (input->port))
      return value->type == SEGUE_NODE_LIST ? connect_list (c, value, input->port)
                                            : refuse_single (c, value, input->port);
    if (value->type != SEGUE_NODE_NULL)
      return connect_reference (c, value, input);
    if (input->port->flags & SEGUE_PORT_OPTIONAL)
      return TRUE;
    return fail (c, value, "from: input '%s' is required; name a stage", input->port->name);
  }
  g_ptr_array_add (names, NULL);
  g_autofree char *list = g_strjoinv (", ", (char **) names->pdata);
  return fail (c, key, "from: no input '%s'; inputs are: %s", key->text, list);
}

static gboolean
have_same_stages (const SegueGraphStage *stage, const SeguePort *one, const SeguePort *other)
{
  for (guint n = 0;; n++) {
    guint i = segue_graph_stage_find_input (stage, one->name, n);
    guint j = segue_graph_stage_find_input (stage, other->name, n);
    if (i == stage->n_inputs || j == stage->n_inputs)
      return i == j;
    if (stage->inputs[i].producer != stage->inputs[j].producer)
      return FALSE;
  }
}

/* The n-th inputs of all ports that take several belong together: they come from one stage. */
static gboolean
check_lists (Connector *c, const SegueNode *from)
{
  const SeguePort *first = NULL;
  for (guint i = 0; i < c->stage->n_inputs; i++) {
    const SegueGraphInput *input = &c->stage->inputs[i];
    if (!takes_several (input->port) || input->producer == SEGUE_NOT_CONNECTED)
      continue;
    first = first ? first : input->port;
    if (!have_same_stages (c->stage, first, input->port))
      return fail (
        c, from,
        "inputs '%s' and '%s' take the same stages in the same order; write one list for "
        "both: from: [ID, ID]",
        first->name, input->port->name);
  }
  return TRUE;
}

static gboolean
connect_map (Connector *c, const SegueNode *from, GHashTable *decided)
{
  for (guint k = 0; k < from->keys->len; k++)
    if (!connect_named (c, g_ptr_array_index (from->keys, k), g_ptr_array_index (from->values, k),
                        decided))
      return FALSE;
  return c->stage->faulty || check_lists (c, from);
}

static gboolean
connect_nearest (Connector *c, SegueGraphInput *input)
{
  gboolean optional = (input->port->flags & SEGUE_PORT_OPTIONAL) != 0;
  if (input->kind == SEGUE_KIND_SUMMARY)
    return TRUE;
  if (takes_several (input->port))
    return optional || refuse_single (c, NULL, input->port);
  for (guint producer = c->index; producer-- > 0;)
    if (try_connect (c, input, producer, NULL))
      return TRUE;
  if (optional)
    return TRUE;
  g_autofree char *types = types_that_produce (c, input->port->kind);
  return fail (c, NULL,
               "input '%s' needs %s, and no earlier stage produces it; put one before it%s",
               input->port->name, segue_kind_words (input->port->kind), types);
}

static gboolean
connect_stage (Connector *c)
{
  const SegueNode *from = segue_node_get (c->stage->node, "from");
  g_autoptr (GHashTable) decided = g_hash_table_new (NULL, NULL); /* SeguePort */
  if (from && c->stage->n_inputs == 0)
    return fail (c, from, "a source has no inputs; remove from");
  gboolean map = from && from->type == SEGUE_NODE_MAP;
  if (from && !(map ? connect_map (c, from, decided) : connect_given (c, from)))
    return FALSE;
  /* A wrong `from` is not replaced by the nearest stage. */
  if (from && c->stage->faulty)
    return TRUE;
  for (guint i = 0; i < c->stage->n_inputs; i++) {
    SegueGraphInput *input = &c->stage->inputs[i];
    if (!g_hash_table_contains (decided, input->port) && input->producer == SEGUE_NOT_CONNECTED &&
        !connect_nearest (c, input))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_live (const SegueGraphStage *stage)
{
  return (stage->type->flags & SEGUE_STAGE_LIVE) != 0;
}

/* A stage whose output is stored can follow one that is recomputed in every epoch only if it stores some copies. */
static gboolean
check_after_live (Connector *c)
{
  if (c->stage->type->mode != SEGUE_MODE_MAP || is_live (c->stage) ||
      c->stage->inputs[0].producer == SEGUE_NOT_CONNECTED)
    return TRUE;
  const SegueGraphStage *before = stage_at (c, c->stage->inputs[0].producer);
  if (!is_live (before) || segue_stage_type_makes_copies (c->stage->type))
    return TRUE;
  return fail (c, NULL,
               "its output is stored, but stage '%s' before it makes new items in every epoch; "
               "move '%s' after it",
               before->id, before->id);
}

/* (nullable): the first stage that reads the output of stage @producer, without its changes. */
static const SegueGraphStage *
find_clean_reader (Connector *c, guint producer)
{
  for (guint i = producer + 1; i < c->stages->len; i++)
    for (guint k = 0; k < stage_at (c, i)->n_inputs; k++)
      if (stage_at (c, i)->inputs[k].producer == producer)
        return stage_at (c, i);
  return NULL;
}

static gboolean
refuse_unused (Connector *c, guint index)
{
  const SegueGraphStage *reader = find_clean_reader (c, index);
  if (!reader)
    return fail (c, NULL,
                 "no later stage uses its output, which is recomputed in every epoch; put it right "
                 "before the stage that trains, or remove it");
  return fail (c, NULL,
               "no later stage uses its output, which is recomputed in every epoch: '%s' reads the "
               "items without its changes; move it after '%s', right before the stage that trains, "
               "or remove it",
               reader->id, reader->id);
}

/* Live items that nothing reads are a mistake in the order of stages, not an intention. What a faulty
 * stage would read is unknown. */
static gboolean
check_live_used (Connector *c)
{
  g_autofree gboolean *used = g_new0 (gboolean, c->stages->len + 1);
  gboolean known = TRUE;
  for (guint i = c->stages->len; i-- > 0;) {
    SegueGraphStage *stage = stage_at (c, i);
    c->stage = stage;
    if (known && is_live (stage) && !used[i] && !refuse_unused (c, i))
      return FALSE;
    known = known && !stage->faulty;
    for (guint k = 0; k < stage->n_inputs; k++)
      if (stage->inputs[k].producer != SEGUE_NOT_CONNECTED &&
          (is_live (stage) || (stage->inputs[k].port->flags & SEGUE_PORT_LIVE)))
        used[stage->inputs[k].producer] = TRUE;
  }
  return TRUE;
}

gboolean
segue_loading_connect (SegueLoading *loading)
{
  Connector connector = { .loading = loading, .stages = loading->pipeline->stages };
  for (guint i = 0; i < connector.stages->len; i++) {
    connector.index = i;
    connector.stage = stage_at (&connector, i);
    if (!connect_stage (&connector) || !check_after_live (&connector))
      return FALSE;
    /* For lack of a stage before it. */
    if (!segue_graph_stage_resolve_outputs (connector.stage))
      connector.stage->faulty = TRUE;
  }
  return check_live_used (&connector);
}
