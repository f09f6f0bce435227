/* Overrides: `train.epochs=3` and similar, from outside the file. */
#include "graph/pipeline-private.h"
#include "params/params.h"
#include <segue/error.h>
#include <string.h>

/* A message shows at most this much of an assignment. */
#define SHOWN_BYTES 80

static void
mark_outside (SegueNode *node)
{
  node->outside = TRUE;
  node->line = node->column = 0;
  for (guint i = 0; node->keys && i < node->keys->len; i++)
    mark_outside (g_ptr_array_index (node->keys, i));
  for (guint i = 0; node->values && i < node->values->len; i++)
    mark_outside (g_ptr_array_index (node->values, i));
}

static char *
shown_assignment (const char *assignment)
{
  g_autofree char *valid = g_utf8_make_valid (assignment, -1);
  if (strlen (valid) <= SHOWN_BYTES)
    return g_steal_pointer (&valid);
  const char *end = g_utf8_find_prev_char (valid, valid + SHOWN_BYTES);
  g_autofree char *start = g_strndup (valid, (gsize) (end - valid));
  return g_strconcat (start, "…", NULL);
}

static SegueNode *
raw_scalar (const char *text, const char *shown)
{
  SegueNode *node = segue_node_new_scalar (NULL, text);
  node->file = g_ref_string_new (shown);
  node->outside = TRUE;
  return node;
}

SegueOverride *
segue_override_parse (const char *assignment, GError **error)
{
  const char *equals = strchr (assignment, '=');
  g_autofree char *shown = shown_assignment (assignment);
  if (!equals || equals == assignment) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "'%s' sets nothing; write NAME=VALUE, for example train.epochs=3", shown);
    return NULL;
  }
  SegueOverride *override = g_new0 (SegueOverride, 1);
  override->key = g_strndup (assignment, (gsize) (equals - assignment));
  override->text = g_strdup (equals + 1);
  override->value = raw_scalar (override->text, shown);
  return override;
}

void
segue_override_free (SegueOverride *override)
{
  g_free ((char *) override->key);
  g_free ((char *) override->text);
  segue_node_free (override->value);
  g_free (override);
}

static SegueNode *
parse_value (const SegueOverride *override, GError **error)
{
  if (!g_utf8_validate (override->text, -1, NULL))
    return raw_scalar (override->text, override->value->file);
  SegueNode *node = segue_node_parse (override->text, -1, override->value->file, error);
  if (node)
    mark_outside (node);
  return node;
}

SegueNode *
segue_override_value (const SegueOverride *override, const SegueNode *like, GError **error)
{
  if (like && (like->type == SEGUE_NODE_LIST || like->type == SEGUE_NODE_MAP))
    return parse_value (override, error);
  if (override->text[0] == '"' || override->text[0] == '\'') {
    g_autoptr (SegueNode) parsed = parse_value (override, NULL);
    if (parsed && parsed->type == SEGUE_NODE_SCALAR && parsed->quoted)
      return g_steal_pointer (&parsed);
  }
  return raw_scalar (override->text, override->value->file);
}

/* The target of a value, and the row that describes it (found FALSE: no row does). */
typedef struct {
  SegueNode **slot;
  gboolean found;
  SegueParam row;
  const SegueParam *const *rows; /* of a stage's own map; else NULL */
} Place;

static const SegueParam *const *
case_rows (const SegueParam *row, const char *name)
{
  for (const SegueParamGroup *const *one = row->cases; *one; one++)
    if (!strcmp ((*one)->name, name))
      return (*one)->params;
  return NULL;
}

/* The rows of the keys in the map at @place; NULL where they are unknown. */
static const SegueParam *const *
rows_at (const Place *place, SegueRegistry *registry)
{
  if (place->rows || !place->found)
    return place->rows;
  if (place->row.type == SEGUE_PARAM_RECORD)
    return place->row.group->params;
  gboolean variant = place->row.type == SEGUE_PARAM_VARIANT;
  if (!variant && place->row.type != SEGUE_PARAM_MODEL)
    return NULL;
  const SegueNode *name = segue_node_get (*place->slot, variant ? place->row.tag : "use");
  if (!name || name->type != SEGUE_NODE_SCALAR)
    return NULL;
  if (variant)
    return case_rows (&place->row, name->text);
  const SegueModelType *type = segue_registry_find_model (registry, name->text);
  return type ? type->params : NULL;
}

/* Makes the node at @place a map or list, so that a value can be set inside it: `distilhubert`
 * becomes `{ use: distilhubert }`. */
static gboolean
open_place (Place *place, const SegueOverride *override, GError **error)
{
  const SegueParam *row = place->found ? &place->row : NULL;
  SegueNode *node = *place->slot;
  if (node->type == SEGUE_NODE_NULL) {
    SegueNode *opened = row && row->def ? segue_node_parse (row->def, -1, row->name, error)
                                        : segue_node_new (SEGUE_NODE_MAP, override->value);
    if (!opened)
      return FALSE;
    segue_node_free (node);
    *place->slot = node = opened;
  }
  if (node->type != SEGUE_NODE_SCALAR)
    return TRUE;
  const char *key = NULL;
  if (row && row->type == SEGUE_PARAM_MODEL)
    key = "use";
  else if (row && row->type == SEGUE_PARAM_VARIANT)
    key = row->tag;
  if (!key) {
    g_autofree char *shown = segue_node_shown (node);
    return segue_node_error (override->value, error, "a single value (%s) has no parameters to set",
                             shown);
  }
  SegueNode *map = segue_node_new (SEGUE_NODE_MAP, node);
  segue_node_set (map, key, node);
  *place->slot = map;
  return TRUE;
}

static gboolean
enter_list (Place *place, const char *part, const SegueOverride *override, GError **error)
{
  SegueNode *list = *place->slot;
  guint64 index;
  if (!g_ascii_string_to_unsigned (part, 10, 0, G_MAXUINT, &index, NULL) ||
      index >= list->values->len)
    return segue_node_error (override->value, error,
                             "'%s' is not an index of a list of %u entries; indexes start at 0",
                             part, list->values->len);
  place->slot = (SegueNode **) &g_ptr_array_index (list->values, index);
  if (place->found && place->row.type == SEGUE_PARAM_LIST)
    place->row = segue_param_read (place->row.element);
  else
    place->found = FALSE;
  return TRUE;
}

static void
enter_map (Place *place, const char *part, const SegueOverride *override, SegueRegistry *registry)
{
  SegueNode *map = *place->slot;
  const SegueParam *const *rows = rows_at (place, registry);
  place->rows = NULL;
  place->found = FALSE;
  for (; rows && *rows && !place->found; rows++)
    if (!strcmp ((*rows)->name, part)) {
      place->found = TRUE;
      place->row = segue_param_read (*rows);
    }
  if (!segue_node_get (map, part))
    segue_node_set (map, part, segue_node_new (SEGUE_NODE_NULL, override->value));
  guint i = 0;
  while (strcmp (((const SegueNode *) g_ptr_array_index (map->keys, i))->text, part))
    i++;
  place->slot = (SegueNode **) &g_ptr_array_index (map->values, i);
}

static gboolean
has_row (const SegueParam *const *rows, const char *name)
{
  for (; rows && *rows; rows++)
    if (!strcmp ((*rows)->name, name))
      return TRUE;
  return FALSE;
}

/* Whether @path is a setting of any stage, unless the type has a parameter of that name. */
static gboolean
is_setting (const char *path, const SegueStageType *type)
{
  return has_row (segue_stage_settings, path) && !has_row (type->params, path);
}

/* A layout is text, but a map in YAML: `songs.layout={artist}/{title}`. */
static SegueNode *
value_for (const Place *place, const SegueOverride *override, GError **error)
{
  gboolean text =
    place->found &&
    (place->row.type == SEGUE_PARAM_STRING || place->row.type == SEGUE_PARAM_INPUT_PATH ||
     place->row.type == SEGUE_PARAM_OUTPUT_PATH || place->row.type == SEGUE_PARAM_MODEL_REF);
  g_autoptr (SegueNode) value = parse_value (override, text ? NULL : error);
  if (!text || (value && value->type == SEGUE_NODE_NULL))
    return g_steal_pointer (&value);
  return segue_override_value (override, NULL, error);
}

gboolean
segue_override_apply (const SegueOverride *override, const char *path, SegueNode *stage,
                      SegueRegistry *registry, const SegueStageType *type, GError **error)
{
  if (is_setting (path, type)) {
    SegueNode *setting = parse_value (override, error);
    if (setting)
      segue_node_set (stage, path, setting);
    return setting != NULL;
  }
  Place place = { .slot = &stage };
  enter_map (&place, "with", override, registry);
  place.rows = type->params;
  g_auto (GStrv) parts = g_strsplit (path, ".", SEGUE_NODE_MAX_DEPTH);
  for (guint i = 0; parts[i]; i++) {
    if (!open_place (&place, override, error))
      return FALSE;
    if ((*place.slot)->type == SEGUE_NODE_LIST) {
      if (!enter_list (&place, parts[i], override, error))
        return FALSE;
    } else {
      enter_map (&place, parts[i], override, registry);
    }
  }
  SegueNode *value = value_for (&place, override, error);
  if (!value)
    return FALSE;
  segue_node_free (*place.slot);
  *place.slot = value;
  return TRUE;
}
