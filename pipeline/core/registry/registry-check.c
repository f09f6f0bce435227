/* Whether a plugin fits this version, and whether its tables are valid: checked when it is loaded,
 * with messages for its author, rather than found by a crash in a user's run. */
#include "params/params.h"
#include "registry/registry.h"

#include <segue/encoder.h>
#include <string.h>

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, message);
  return FALSE;
}

static gboolean
check_ports (const char *type, const char *what, const SeguePort *const *ports, guint *n,
             GError **error)
{
  *n = 0;
  for (; ports && ports[*n]; (*n)++) {
    const SeguePort *port = ports[*n];
    if (port->struct_size < G_STRUCT_OFFSET (SeguePort, flags) + sizeof port->flags)
      return refuse (error,
                     "%s: the struct_size of an %s is %" G_GSIZE_FORMAT "; use SEGUE_PORT (…)",
                     type, what, port->struct_size);
    if (!port->name || !segue_name_is_valid (port->name, TRUE))
      return refuse (error, "%s: %s '%s': a port's name is [a-z][a-z0-9_-]*", type, what,
                     port->name ? port->name : "");
    if ((int) port->kind < SEGUE_KIND_ANY || port->kind > SEGUE_KIND_EXAMPLES)
      return refuse (error, "%s: %s '%s' has no known kind", type, what, port->name);
    for (guint i = 0; i < *n; i++)
      if (!strcmp (ports[i]->name, port->name))
        return refuse (error, "%s: two %ss are named '%s'", type, what, port->name);
  }
  return TRUE;
}

/* An output of kind ANY has the kind of the first ANY input, which must then exist. */
static gboolean
check_any (const SegueStageType *type, const char *what, GError **error)
{
  gboolean resolved = FALSE;
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    resolved |= (*port)->kind == SEGUE_KIND_ANY && !((*port)->flags & SEGUE_PORT_OPTIONAL);
  for (const SeguePort *const *port = type->outputs; port && *port; port++)
    if ((*port)->kind == SEGUE_KIND_ANY && !resolved)
      return refuse (error, "%s: output '%s' of any kind needs a required input of any kind", what,
                     (*port)->name);
  return TRUE;
}

/* Other modes read one dataset, item by item. */
static gboolean
check_several (const SegueStageType *type, const SegueStageType *view, const char *what,
               GError **error)
{
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    if ((*port)->flags & SEGUE_PORT_SEVERAL && view->mode != SEGUE_MODE_COLLECT)
      return refuse (error, "%s: input '%s': only a COLLECT stage takes the outputs of several",
                     what, (*port)->name);
  return TRUE;
}

/* The run makes a summary where a stage reads it as a whole. */
static gboolean
check_summary (const SegueStageType *type, const SegueStageType *view, const char *what,
               GError **error)
{
  gboolean allowed = view->mode == SEGUE_MODE_COLLECT;
  for (const SeguePort *const *port = type->inputs; port && *port; port++) {
    if ((*port)->kind == SEGUE_KIND_SUMMARY && !allowed)
      return refuse (error,
                     "%s: input '%s': only a COLLECT stage, or a SERIAL stage on a port after its "
                     "first, reads a run's summary",
                     what, (*port)->name);
    allowed = allowed || view->mode == SEGUE_MODE_SERIAL;
  }
  for (const SeguePort *const *port = type->outputs; port && *port; port++) {
    if ((*port)->kind == SEGUE_KIND_SUMMARY)
      return refuse (error, "%s: output '%s': no stage produces a run's summary", what,
                     (*port)->name);
    if ((*port)->kind == SEGUE_KIND_EXAMPLES)
      return refuse (error, "%s: output '%s': an output is either audio or a tensor", what,
                     (*port)->name);
  }
  return TRUE;
}

static gboolean
check_mode (const SegueStageType *type, const SegueStageType *view, const char *what,
            GError **error)
{
  guint inputs, outputs;
  if (!check_ports (what, "input", type->inputs, &inputs, error) ||
      !check_ports (what, "output", type->outputs, &outputs, error) ||
      !check_any (type, what, error) || !check_several (type, view, what, error) ||
      !check_summary (type, view, what, error))
    return FALSE;
  const guint of_maps =
    SEGUE_STAGE_LIVE | SEGUE_STAGE_PREPARE | SEGUE_STAGE_ISOLATE | SEGUE_STAGE_SHARED;
  if (view->flags & of_maps && view->mode != SEGUE_MODE_MAP)
    return refuse (error, "%s: LIVE, PREPARE, ISOLATE and SHARED are flags of MAP stages", what);
  if (view->flags & SEGUE_STAGE_SHARED && view->flags & (SEGUE_STAGE_LIVE | SEGUE_STAGE_ISOLATE))
    return refuse (error, "%s: a SHARED stage is neither LIVE nor ISOLATE", what);
  switch (view->mode) {
  case SEGUE_MODE_SOURCE:
    if (!view->produce || inputs != 0 || outputs != 1)
      return refuse (error, "%s: a SOURCE has produce (), no input and one output", what);
    return TRUE;
  case SEGUE_MODE_MAP:
    if (!view->process || inputs != 1 || outputs != 1)
      return refuse (error, "%s: a MAP stage has process (), one input and one output", what);
    return TRUE;
  case SEGUE_MODE_SERIAL:
    if (!view->process || inputs == 0)
      return refuse (error, "%s: a SERIAL stage has process () and an input", what);
    return TRUE;
  case SEGUE_MODE_COLLECT:
    if (!view->collect || inputs == 0)
      return refuse (error, "%s: a COLLECT stage has collect () and an input", what);
    return TRUE;
  }
  return refuse (error, "%s: has no known mode", what);
}

static gboolean
check_decoder (const SegueStageType *view, const char *what, GError **error)
{
  const SegueDecodes *decodes = view->decodes;
  const SeguePort *const *in = view->inputs, *const *out = view->outputs;
  if (!decodes)
    return TRUE;
  if (decodes->struct_size <
        G_STRUCT_OFFSET (SegueDecodes, extensions) + sizeof decodes->extensions ||
      !decodes->extensions)
    return refuse (error, "%s: declares that it decodes, but no file types; fill in SegueDecodes",
                   what);
  if (view->mode != SEGUE_MODE_MAP || !(view->flags & SEGUE_STAGE_PREPARE) || !in || !in[0] ||
      in[1] || in[0]->kind != SEGUE_KIND_FILE || !out || !out[0] || out[1] ||
      out[0]->kind != SEGUE_KIND_AUDIO)
    return refuse (
      error, "%s: a decoder is a MAP stage, flagged SEGUE_STAGE_PREPARE, from one file to audio",
      what);
  return TRUE;
}

static gboolean
check_stage (const SegueStageType *type, GError **error)
{
  /* The fields that the first version of the interface had before its callbacks. */
  if (type->struct_size < G_STRUCT_OFFSET (SegueStageType, check))
    return refuse (error,
                   "a stage type's struct_size is %" G_GSIZE_FORMAT "; use { SEGUE_STAGE_TYPE, … }",
                   type->struct_size);
  SegueStageType view = { 0 };
  memcpy (&view, type, MIN (type->struct_size, sizeof view));
  if (!view.name || !segue_name_is_valid (view.name, FALSE))
    return refuse (error, "stage type '%s': a name is [a-z][a-z0-9-]*", view.name ? view.name : "");
  g_autofree char *what = g_strdup_printf ("stage type '%s'", view.name);
  if (!view.summary || !*view.summary)
    return refuse (error, "%s: has no summary", what);
  return check_mode (type, &view, what, error) && check_decoder (&view, what, error) &&
         segue_params_check_table (view.params, view.config_size, what, error);
}

/* Everything that training and classification use. */
static gboolean
check_classifier (const SegueModelType *type, const char *what, GError **error)
{
  if (!type->recipe)
    return refuse (error, "%s: has no recipe", what);
  if (type->recipe->struct_size <
      G_STRUCT_OFFSET (SegueRecipe, schedule) + sizeof type->recipe->schedule)
    return refuse (
      error, "%s: the recipe's struct_size is %" G_GSIZE_FORMAT "; use SEGUE_INIT (SegueRecipe, …)",
      what, type->recipe->struct_size);
  if (!type->load || !type->save || !type->list_tensors || !type->plan || !type->forward ||
      (!type->backward && !type->fit))
    return refuse (error, "%s: lacks one of load, save, list_tensors, plan, forward, backward",
                   what);
  if (type->takes && type->takes != SEGUE_KIND_AUDIO && type->takes != SEGUE_KIND_TENSOR)
    return refuse (error, "%s: takes neither audio nor tensors", what);
  if (type->fit && type->takes != SEGUE_KIND_TENSOR)
    return refuse (error, "%s: fit () is for types with .takes = SEGUE_KIND_TENSOR", what);
  return TRUE;
}

static gboolean
check_encoder (const SegueEncoder *encoder, const char *what, GError **error)
{
  if (encoder->struct_size < G_STRUCT_OFFSET (SegueEncoder, encode) + sizeof encoder->encode)
    return refuse (error,
                   "%s: the encoder's struct_size is %" G_GSIZE_FORMAT
                   "; use SEGUE_INIT (SegueEncoder, …)",
                   what, encoder->struct_size);
  if (!encoder->describe || !encoder->count_frames || !encoder->plan || !encoder->encode)
    return refuse (error, "%s: its encoder lacks one of describe, count_frames, plan, encode",
                   what);
  return TRUE;
}

static gboolean
check_model (const SegueModelType *type, GError **error)
{
  SegueModelType view = { 0 };
  if (type->struct_size < G_STRUCT_OFFSET (SegueModelType, backward) + sizeof type->backward)
    return refuse (error,
                   "a model type's struct_size is %" G_GSIZE_FORMAT "; use { SEGUE_MODEL_TYPE, … }",
                   type->struct_size);
  if (!type->name || !segue_name_is_valid (type->name, FALSE))
    return refuse (error, "model type '%s': a name is [a-z][a-z0-9-]*",
                   type->name ? type->name : "");
  g_autofree char *what = g_strdup_printf ("model type '%s'", type->name);
  memcpy (&view, type, MIN (type->struct_size, sizeof view));
  if (!type->summary || !*type->summary)
    return refuse (error, "%s: has no summary", what);
  if (!view.create || !view.free || !view.describe)
    return refuse (error, "%s: lacks one of create, free, describe", what);
  if (view.encoder && !check_encoder (view.encoder, what, error))
    return FALSE;
  if ((!view.encoder || view.recipe) && !check_classifier (&view, what, error))
    return FALSE;
  return segue_params_check_table (type->params, type->config_size, what, error);
}

static gboolean
check_interface (const SeguePlugin *plugin, GError **error)
{
  if (plugin->struct_size < G_STRUCT_OFFSET (SeguePlugin, models))
    return refuse (error,
                   "the descriptor's struct_size is %" G_GSIZE_FORMAT "; use SEGUE_PLUGIN (…)",
                   plugin->struct_size);
  if (plugin->abi_major != SEGUE_ABI_MAJOR)
    return refuse (error,
                   "built for plugin interface %u.%u, this segue has %d.%d; rebuild it with this "
                   "version's headers",
                   plugin->abi_major, plugin->abi_minor, SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR);
  if (plugin->abi_minor > SEGUE_ABI_MINOR)
    return refuse (error,
                   "needs plugin interface %u.%u, this segue has %d.%d; install a newer segue",
                   plugin->abi_major, plugin->abi_minor, SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR);
  return TRUE;
}

/* What stage types and model types begin with. */
typedef struct {
  gsize struct_size;
  const char *name;
} Named;

const char *
segue_type_get_name (gconstpointer type)
{
  const Named *named = type;
  gboolean valid =
    named->struct_size >= sizeof *named && named->name && segue_name_is_valid (named->name, FALSE);
  return valid ? named->name : NULL;
}

gboolean
segue_plugin_read (const SeguePlugin *plugin, SeguePlugin *view)
{
  *view = (SeguePlugin){ 0 };
  if (!check_interface (plugin, NULL))
    return FALSE;
  memcpy (view, plugin, MIN (plugin->struct_size, sizeof *view));
  return TRUE;
}

/* @types: each checked */
static gboolean
check_names (gconstpointer const *types, const char *what, GError **error)
{
  for (guint i = 0; types && types[i]; i++)
    for (guint k = 0; k < i; k++)
      if (!strcmp (((const Named *) types[i])->name, ((const Named *) types[k])->name))
        return refuse (error, "two %s types are named '%s'", what,
                       ((const Named *) types[i])->name);
  return TRUE;
}

static gboolean
check_content (const SeguePlugin *plugin, GError **error)
{
  gboolean has_stages = plugin->stages && plugin->stages[0];
  gboolean has_models = plugin->models && plugin->models[0];
  if (!has_stages && !has_models)
    return refuse (error,
                   "plugin '%s' provides nothing: neither .stages nor .models of SEGUE_PLUGIN (…) "
                   "has a type before its NULL",
                   plugin->name);
  return check_names ((gconstpointer const *) plugin->stages, "stage", error) &&
         check_names ((gconstpointer const *) plugin->models, "model", error);
}

gboolean
segue_plugin_check (const SeguePlugin *plugin, GError **error)
{
  SeguePlugin view;
  if (!check_interface (plugin, error) || !segue_plugin_read (plugin, &view))
    return FALSE;
  if (!view.name || !segue_name_is_valid (view.name, FALSE))
    return refuse (error, "plugin '%s': a name is [a-z][a-z0-9-]*", view.name ? view.name : "");
  if (!view.version || !view.licence)
    return refuse (error, "plugin '%s' does not state its version and licence", view.name);
  for (const SegueStageType *const *type = view.stages; type && *type; type++)
    if (!check_stage (*type, error))
      return FALSE;
  for (const SegueModelType *const *type = view.models; type && *type; type++)
    if (!check_model (*type, error))
      return FALSE;
  return check_content (&view, error);
}
