/* YAML text as a tree that records the position of every node (internal).
 *
 * YAML 1.2 core types; duplicate keys refused; depth, node count, text size and alias expansion are
 * bounded. JSON is a subset: canonical parameters are read back by the same code. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/* Limits on input: far above any pipeline that a person writes, far below any harm. */
#define SEGUE_NODE_MAX_BYTES (1024 * 1024)
#define SEGUE_NODE_MAX_NODES (64 * 1024)
#define SEGUE_NODE_MAX_DEPTH 64

typedef enum { SEGUE_NODE_NULL, SEGUE_NODE_SCALAR, SEGUE_NODE_LIST, SEGUE_NODE_MAP } SegueNodeType;

typedef struct _SegueNode SegueNode;
struct _SegueNode {
  SegueNodeType type;
  gboolean quoted;    /* a quoted scalar is always text */
  gboolean outside;   /* not from a file (an override): paths are relative to the current folder */
  char *text;         /* SCALAR */
  GPtrArray *keys;    /* MAP: SegueNode scalars */
  GPtrArray *values;  /* MAP, LIST */
  GRefString *file;   /* shared by the nodes of one text */
  guint line, column; /* from 1; 0 where there are none */
};

/** SegueNodeBudget: how many more nodes and bytes of text copies may add, so that neither aliases
 * nor variables can expand a small file into a large tree. */
typedef struct {
  gsize nodes;
  gsize bytes;
} SegueNodeBudget;

#define SEGUE_NODE_BUDGET                                                                          \
  (SegueNodeBudget)                                                                                \
  {                                                                                                \
    .nodes = SEGUE_NODE_MAX_NODES, .bytes = 2 * SEGUE_NODE_MAX_BYTES                               \
  }

/** segue_node_load: SEGUE_ERROR_NO_INPUT where @path can't be opened, else SEGUE_ERROR_PIPELINE. */
SegueNode *segue_node_load (const char *path, GError **error);
/** segue_node_parse: @name represents the file in messages. */
SEGUE_API
SegueNode *segue_node_parse (const char *text, gssize length, const char *name, GError **error);
/** segue_node_free: accepts NULL. */
SEGUE_API
void segue_node_free (SegueNode *node);
/** segue_node_get: (transfer none) (nullable): the value of @key in a map. */
const SegueNode *segue_node_get (const SegueNode *map, const char *key);
/** segue_node_error: sets SEGUE_ERROR_PIPELINE with the prefix "file:line:column: " (no prefix where
 * @node is NULL); returns FALSE. */
gboolean segue_node_error (const SegueNode *node, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

/** segue_node_new: an empty node with the position of @at (nullable). */
SegueNode *segue_node_new (SegueNodeType type, const SegueNode *at);
SegueNode *segue_node_new_scalar (const SegueNode *at, const char *text);
/** segue_node_copy: (transfer full) (nullable): a deep copy; NULL where it would exceed @budget or,
 * with @node at @depth, SEGUE_NODE_MAX_DEPTH. */
SegueNode *segue_node_copy (const SegueNode *node, guint depth, SegueNodeBudget *budget);
/** segue_node_set: @value (transfer full) becomes the value of @key in @map. */
void segue_node_set (SegueNode *map, const char *key, SegueNode *value);
/** segue_node_shown: (transfer full): a short form for messages: the scalar, "a list", "a map". */
char *segue_node_shown (const SegueNode *node);

/** segue_node_braces_hint: (transfer full) (nullable): a hint where @line contains unquoted text
 * with braces, such as `{artist}/{title}`.
 * @column: (out): where it begins, from 1 */
char *segue_node_braces_hint (const char *line, guint *column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNode, segue_node_free)
