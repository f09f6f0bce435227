/* Variables: `${name}` in the scalars of a pipeline. */
#include "base/suggest.h"
#include "graph/pipeline-private.h"
#include "params/params.h"
#include <string.h>

/* The length of a reference "${name}" at @text and its name; 0: none begins here. */
static gsize
reference_at (const char *text, char **name)
{
  if (text[0] != '$' || text[1] != '{')
    return 0;
  const char *end = strchr (text, '}');
  *name = end ? g_strndup (text + 2, (gsize) (end - text) - 2) : NULL;
  if (end && segue_name_is_valid (*name, TRUE))
    return (gsize) (end - text) + 1;
  g_clear_pointer (name, g_free);
  return 0;
}

static const SegueNode *
look_up (SegueVariables *variables, const SegueNode *at, const char *name, GError **error)
{
  const SegueNode *value = g_hash_table_lookup (variables->values, name);
  if (value && value->type != SEGUE_NODE_NULL)
    return value;
  if (value) {
    segue_node_error (at, error, "variable '%s' has no value; set one with --set %s=…", name, name);
    return NULL;
  }
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, variables->values);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (names, key);
  g_ptr_array_add (names, NULL);
  g_autofree char *near = segue_suggest (name, (const char *const *) names->pdata);
  if (near)
    segue_node_error (at, error, "unknown variable '%s'; did you mean '%s'?", name, near);
  else
    segue_node_error (at, error, "unknown variable '%s'; define it under vars, before its use",
                      name);
  return NULL;
}

static gboolean
spend (SegueVariables *variables, const SegueNode *at, gsize bytes, GError **error)
{
  if (bytes > variables->budget.bytes)
    return segue_node_error (at, error, "variables expand to more than %d MiB; shorten them",
                             2 * SEGUE_NODE_MAX_BYTES / (1024 * 1024));
  variables->budget.bytes -= bytes;
  return TRUE;
}

/* The whole scalar is one reference: it becomes the variable's value. */
static gboolean
replace_node (SegueVariables *variables, SegueNode *node, const char *name, guint depth,
              GError **error)
{
  const SegueNode *value = look_up (variables, node, name, error);
  if (!value)
    return FALSE;
  SegueNode *copy = segue_node_copy (value, depth, &variables->budget);
  if (!copy)
    return segue_node_error (node, error, "variables expand to too many values; use fewer");
  SegueNode old = *node;
  *node = *copy;
  *copy = old;
  segue_node_free (copy);
  return TRUE;
}

static gboolean
expand_text (SegueVariables *variables, SegueNode *node, GError **error)
{
  g_autoptr (GString) result = g_string_new (NULL);
  gboolean outside = node->outside;
  for (const char *c = node->text; *c;) {
    if (g_str_has_prefix (c, "$${")) {
      g_string_append (result, "${");
      c += 3;
      continue;
    }
    g_autofree char *name = NULL;
    gsize length = reference_at (c, &name);
    if (length == 0) {
      if (c[0] == '$' && c[1] == '{')
        return segue_node_error (
          node, error, "'${' begins a variable, as in ${music}; write $${ for a literal ${");
      g_string_append_c (result, *c++);
      continue;
    }
    const SegueNode *value = look_up (variables, node, name, error);
    if (!value)
      return FALSE;
    if (value->type != SEGUE_NODE_SCALAR)
      return segue_node_error (node, error,
                               "variable '%s' is not text, so it can't be used inside text", name);
    if (!spend (variables, node, strlen (value->text), error))
      return FALSE;
    /* The first part of a path determines what it is relative to. */
    if (result->len == 0)
      outside = value->outside;
    g_string_append (result, value->text);
    c += length;
  }
  g_free (node->text);
  node->text = g_string_free (g_steal_pointer (&result), FALSE);
  node->outside = outside;
  return TRUE;
}

gboolean
segue_variables_expand (SegueVariables *variables, SegueNode *node, guint depth, GError **error)
{
  if (node->outside)
    return TRUE;
  if (node->type == SEGUE_NODE_SCALAR) {
    if (!strstr (node->text, "${"))
      return TRUE;
    g_autofree char *name = NULL;
    gsize length = reference_at (node->text, &name);
    if (length > 0 && node->text[length] == '\0')
      return replace_node (variables, node, name, depth, error);
    return expand_text (variables, node, error);
  }
  if (node->type == SEGUE_NODE_NULL)
    return TRUE;
  for (guint i = 0; i < node->values->len; i++)
    if (!segue_variables_expand (variables, g_ptr_array_index (node->values, i), depth + 1,
                                 error)) {
      if (!variables->problems)
        return FALSE;
      g_ptr_array_add (variables->problems, g_steal_pointer (error));
    }
  return TRUE;
}
