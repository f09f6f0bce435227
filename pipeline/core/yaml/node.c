/* The tree of YAML text: creating, copying and reading nodes. */
#include "yaml/node.h"
#include <segue/error.h>
#include <string.h>

/* A message shows this many characters of a value. */
#define SHOWN_CHARACTERS 60

SegueNode *
segue_node_new (SegueNodeType type, const SegueNode *at)
{
  SegueNode *node = g_new0 (SegueNode, 1);
  node->type = type;
  if (type == SEGUE_NODE_MAP)
    node->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_node_free);
  if (type == SEGUE_NODE_MAP || type == SEGUE_NODE_LIST)
    node->values = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_node_free);
  if (at) {
    node->file = at->file ? g_ref_string_acquire (at->file) : NULL;
    node->line = at->line;
    node->column = at->column;
    node->outside = at->outside;
  }
  return node;
}

SegueNode *
segue_node_new_scalar (const SegueNode *at, const char *text)
{
  SegueNode *node = segue_node_new (SEGUE_NODE_SCALAR, at);
  node->text = g_strdup (text);
  return node;
}

void
segue_node_free (SegueNode *node)
{
  if (!node)
    return;
  g_clear_pointer (&node->keys, g_ptr_array_unref);
  g_clear_pointer (&node->values, g_ptr_array_unref);
  g_clear_pointer (&node->file, g_ref_string_release);
  g_free (node->text);
  g_free (node);
}

static gboolean
copy_into (GPtrArray *into, const GPtrArray *from, guint depth, SegueNodeBudget *budget)
{
  for (guint i = 0; i < from->len; i++) {
    SegueNode *child = segue_node_copy (g_ptr_array_index (from, i), depth, budget);
    if (!child)
      return FALSE;
    g_ptr_array_add (into, child);
  }
  return TRUE;
}

SegueNode *
segue_node_copy (const SegueNode *node, guint depth, SegueNodeBudget *budget)
{
  gsize bytes = node->text ? strlen (node->text) : 0;
  if (depth >= SEGUE_NODE_MAX_DEPTH || budget->nodes == 0 || bytes > budget->bytes)
    return NULL;
  budget->nodes--;
  budget->bytes -= bytes;
  g_autoptr (SegueNode) copy = segue_node_new (node->type, node);
  copy->quoted = node->quoted;
  copy->text = g_strdup (node->text);
  if (node->keys && !copy_into (copy->keys, node->keys, depth + 1, budget))
    return NULL;
  if (node->values && !copy_into (copy->values, node->values, depth + 1, budget))
    return NULL;
  return g_steal_pointer (&copy);
}

static guint
find_key (const SegueNode *map, const char *key)
{
  if (map && map->type == SEGUE_NODE_MAP)
    for (guint i = 0; i < map->keys->len; i++) {
      const SegueNode *candidate = g_ptr_array_index (map->keys, i);
      if (!strcmp (candidate->text, key))
        return i;
    }
  return G_MAXUINT;
}

const SegueNode *
segue_node_get (const SegueNode *map, const char *key)
{
  guint i = find_key (map, key);
  return i == G_MAXUINT ? NULL : g_ptr_array_index (map->values, i);
}

void
segue_node_set (SegueNode *map, const char *key, SegueNode *value)
{
  guint i = find_key (map, key);
  if (i == G_MAXUINT) {
    g_ptr_array_add (map->keys, segue_node_new_scalar (value, key));
    g_ptr_array_add (map->values, value);
    return;
  }
  segue_node_free (g_ptr_array_index (map->values, i));
  g_ptr_array_index (map->values, i) = value;
}

/* Keeps a message to one line of text, whatever bytes and control characters it quotes. */
static char *
one_line (const char *text)
{
  char *valid = g_utf8_make_valid (text, -1);
  for (char *c = valid; *c; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  return valid;
}

gboolean
segue_node_error (const SegueNode *node, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *place = NULL;
  if (node && node->file && node->line > 0)
    place = g_strdup_printf ("%s:%u:%u: ", node->file, node->line, node->column);
  else if (node && node->file)
    place = g_strconcat (node->file, ": ", NULL);
  g_autofree char *placed = g_strconcat (place ? place : "", message, NULL);
  g_autofree char *shown = one_line (placed);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, shown);
  return FALSE;
}

char *
segue_node_shown (const SegueNode *node)
{
  switch (node->type) {
  case SEGUE_NODE_NULL:
    return g_strdup ("nothing");
  case SEGUE_NODE_LIST:
    return g_strdup ("a list");
  case SEGUE_NODE_MAP:
    return g_strdup ("a map");
  case SEGUE_NODE_SCALAR:
    break;
  }
  /* An override may contain any bytes; a message is one line of text. */
  g_autofree char *valid = g_utf8_make_valid (node->text, -1);
  GString *shown = g_string_new (node->quoted ? "\"" : NULL);
  const char *c = valid;
  for (guint n = 0; *c && n < SHOWN_CHARACTERS; n++, c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);
    g_string_append_unichar (shown, g_unichar_iscntrl (character) ? ' ' : character);
  }
  if (*c)
    g_string_append (shown, "…");
  if (node->quoted)
    g_string_append_c (shown, '"');
  return g_string_free (shown, FALSE);
}
