/* An untrusted list of stages, checked so that it is safe to run on a song. */
#include "host/replay.h"
#include "item/item-private.h"
#include "model/preparation.h"
#include "params/params.h"
#include "registry/registry.h"

static gboolean refuse (GError **error, const char *name, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

static gboolean
refuse (GError **error, const char *name, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %s", name, what);
  return FALSE;
}

/* The stage type @use, if it is allowed here. */
static const SegueStageType *
find_type (SegueRegistry *registry, const char *use, const char *name, GError **error)
{
  const SegueStageType *type = segue_registry_find_stage (registry, use);
  if (!type && !segue_registry_check_whole (registry, error))
    return NULL;
  if (!type) {
    g_autofree char *why = segue_registry_explain_missing (registry, use);
    refuse (error, name,
            "songs are prepared by the stage type '%s'; %s; `segue inspect` lists the available "
            "stage types",
            use, why);
    return NULL;
  }
  if (type->mode != SEGUE_MODE_MAP || !(type->flags & SEGUE_STAGE_PREPARE) ||
      (type->flags & SEGUE_STAGE_LIVE)) {
    refuse (error, name,
            "the stage type '%s' is not allowed in the preparation of a model: it can do more than "
            "process audio. Do not use this model",
            use);
    return NULL;
  }
  return type;
}

static gboolean
check_version (const SegueStageType *type, const SegueNode *version, const char *name,
               GError **error)
{
  guint64 number;
  if (!version)
    return TRUE;
  if (version->type != SEGUE_NODE_SCALAR ||
      !g_ascii_string_to_unsigned (version->text, 10, 0, G_MAXUINT, &number, NULL))
    return refuse (error, name, "the result_version of '%s' is not a number", type->name);
  if (number > type->result_version)
    return refuse (error, name,
                   "songs were prepared by a newer '%s' (result version %u; the installed one has "
                   "version %u); update it to use this model",
                   type->name, (guint) number, type->result_version);
  return TRUE;
}

/* Advances @kind from what the stage takes to what it emits. */
static gboolean
follow_kind (const SegueStageType *type, SegueKind *kind, const char *name, GError **error)
{
  const SeguePort *input = type->inputs ? type->inputs[0] : NULL;
  const SeguePort *output = type->outputs ? type->outputs[0] : NULL;
  if (!input || !output || !segue_kind_takes (input->kind, *kind))
    return refuse (error, name, "'%s' does not accept the output of the stage before it",
                   type->name);
  if (output->kind != SEGUE_KIND_ANY)
    *kind = output->kind;
  return TRUE;
}

/* Another decoder changes a song's samples a little, by less than a lossy format does. */
static void
compare_decoder (SegueReplay *preparation, const SegueGraphStage *stage, const SegueNode *node)
{
  const SegueNode *decoder = segue_node_get (node, "decoder");
  const SegueNode *version = segue_node_get (node, "result_version");
  const char *here = segue_graph_stage_first_decoder (stage);
  const char *then = decoder && decoder->type == SEGUE_NODE_SCALAR ? decoder->text : NULL;
  if (!then && version && g_strcmp0 (version->text, "1") == 0)
    then = "decode-gstreamer"; /* the only decoder of ‘decode’ at that time */
  if (!here || !then || !segue_name_is_valid (then, FALSE) || g_str_equal (here, then) ||
      preparation->warning)
    return;
  preparation->warning =
    g_strdup_printf ("songs were decoded by %s in training and are decoded by %s here: "
                     "probabilities may differ a little",
                     then, here);
}

static gboolean
add_stage (SegueReplay *preparation, SegueRegistry *registry, SegueNode *node, SegueKind *kind,
           const char *folder, const char *name, SegueRelax relax, GError **error)
{
  const SegueNode *use = node->type == SEGUE_NODE_MAP ? segue_node_get (node, "use") : NULL;
  if (!use || use->type != SEGUE_NODE_SCALAR)
    return refuse (error, name, "a stage of the preparation has no \"use\"");

  const SegueStageType *type = find_type (registry, use->text, name, error);
  if (!type || !check_version (type, segue_node_get (node, "result_version"), name, error) ||
      !follow_kind (type, kind, name, error))
    return FALSE;

  preparation->relaxed |= segue_relax_stage (type, node, relax);
  segue_relax_limit (type, node);
  g_autoptr (GError) local = NULL;
  g_autofree char *files = g_build_filename (folder, SEGUE_PREPARATION_FOLDER, NULL);
  SegueGraphStage *stage = segue_graph_stage_new_in_model (
    registry, type, segue_node_get (node, "with"), folder, files, &local);
  if (!stage)
    return refuse (error, name, "%s", local->message);
  g_ptr_array_add (preparation->stages, stage);
  compare_decoder (preparation, stage, node);
  return TRUE;
}

SegueReplay *
segue_replay_new (SegueRegistry *registry, const char *text, const char *folder, const char *name,
                  SegueRelax relax, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueReplay) preparation = g_new0 (SegueReplay, 1);
  preparation->stages = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_graph_stage_free);
  preparation->root = segue_node_parse (text, -1, "preparation", &local);
  if (!preparation->root) {
    refuse (error, name, "%s", local->message);
    return NULL;
  }

  SegueKind kind = SEGUE_KIND_FILE;
  const GPtrArray *nodes =
    preparation->root->type == SEGUE_NODE_LIST ? preparation->root->values : NULL;
  for (guint i = 0; nodes && i < nodes->len; i++) {
    if (!add_stage (preparation, registry, g_ptr_array_index (nodes, i), &kind, folder, name, relax,
                    error))
      return NULL;
  }
  if (segue_kind_takes (SEGUE_KIND_EXAMPLES, kind))
    return g_steal_pointer (&preparation);
  refuse (error, name, "its stages do not turn a file into audio or vectors");
  return NULL;
}

void
segue_replay_free (SegueReplay *preparation)
{
  if (!preparation)
    return;
  g_clear_pointer (&preparation->stages, g_ptr_array_unref);
  g_clear_pointer (&preparation->root, segue_node_free);
  g_clear_pointer (&preparation->warning, g_free);
  g_free (preparation);
}
