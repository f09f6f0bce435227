/* YAML text as a tree that remembers where everything stood (internal).
 *
 * YAML 1.2 core types; duplicate keys refused; depth, node count, text size and alias expansion are bounded.  JSON is a
 * subset: canonical parameters are read back by the same code. */
#pragma once

#include <glib.h>

typedef enum { SEGUE_NODE_NULL, SEGUE_NODE_SCALAR, SEGUE_NODE_LIST, SEGUE_NODE_MAP } SegueNodeType;

typedef struct _SegueNode SegueNode;
struct _SegueNode {
  SegueNodeType type;
  gboolean quoted;    /* a quoted scalar is text, whatever it looks like */
  char *text;         /* SCALAR */
  GPtrArray *keys;    /* MAP: SegueNode scalars */
  GPtrArray *values;  /* MAP, LIST */
  const char *file;   /* interned */
  guint line, column; /* from 1 */
};

SegueNode *segue_node_load (const char *path, GError **error);
/** segue_node_parse: @name stands for the file in messages. */
SegueNode *segue_node_parse (const char *text, gssize length, const char *name, GError **error);
void segue_node_free (SegueNode *node);
/** segue_node_get: (transfer none) (nullable): the value of @key in a map. */
const SegueNode *segue_node_get (const SegueNode *map, const char *key);
/** segue_node_error: sets SEGUE_ERROR_PIPELINE with "file:line:column: " before the message; returns FALSE. */
gboolean segue_node_error (const SegueNode *node, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNode, segue_node_free)
