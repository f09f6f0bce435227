/* YAML values as JSON. */
#include "yaml/json-node.h"
#include "yaml/scalar.h"

static void
write_scalar (SegueJson *json, const SegueNode *node)
{
  gboolean truth;
  double number;
  if (!node->quoted && segue_scalar_to_bool (node->text, &truth))
    segue_json_bool (json, truth);
  else if (!node->quoted && segue_scalar_to_double (node->text, &number) == SEGUE_SCALAR_OK)
    segue_json_double (json, number);
  else
    segue_json_string (json, node->text);
}

void
segue_json_node (SegueJson *json, const SegueNode *node)
{
  switch (node->type) {
  case SEGUE_NODE_NULL:
    segue_json_null (json);
    break;
  case SEGUE_NODE_SCALAR:
    write_scalar (json, node);
    break;
  case SEGUE_NODE_LIST:
    segue_json_open (json, '[');
    for (guint i = 0; i < node->values->len; i++)
      segue_json_node (json, g_ptr_array_index (node->values, i));
    segue_json_close (json, '[');
    break;
  case SEGUE_NODE_MAP:
    segue_json_open (json, '{');
    for (guint i = 0; i < node->values->len; i++) {
      segue_json_key (json, ((const SegueNode *) g_ptr_array_index (node->keys, i))->text);
      segue_json_node (json, g_ptr_array_index (node->values, i));
    }
    segue_json_close (json, '{');
    break;
  }
}

void
segue_json_yaml (SegueJson *json, const char *yaml)
{
  g_autoptr (SegueNode) node = segue_node_parse (yaml, -1, "", NULL);
  if (node)
    segue_json_node (json, node);
  else
    segue_json_null (json);
}
