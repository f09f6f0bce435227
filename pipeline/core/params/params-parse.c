/* YAML → configuration struct, by a table of rows. */
#include "base/suggest.h"
#include "params/params-paths.h"
#include "params/params.h"
#include "yaml/scalar.h"
#include <string.h>

typedef struct {
  const SegueParamScope *scope;
  GString *path; /* of the current parameter, for messages: "ops[1].db" */
  GError **error;
  gboolean failed; /* an error was added to the scope's problems */
} Parser;

static gboolean parse_value (Parser *p, const SegueParam *row, const SegueNode *node,
                             gpointer field);
static gboolean parse_rows (Parser *p, const SegueParam *const *rows, const SegueNode *node,
                            gpointer config, const char *own_key);

static gboolean G_GNUC_PRINTF (3, 4)
  fail (Parser *p, const SegueNode *node, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return segue_node_error (node ? node : p->scope->at, p->error, "%s%s",
                           p->scope->where ? p->scope->where : "", message);
}

/* Whether to look for more after a failure, which is then added to the problems. */
static gboolean
goes_on (Parser *p)
{
  if (!p->scope->problems || !*p->error)
    return FALSE;
  g_ptr_array_add (p->scope->problems, g_steal_pointer (p->error));
  p->failed = TRUE;
  return TRUE;
}

/* An unquoted {artist} is a map with the key "artist" and no value. */
static gboolean
looks_like_braces (const SegueNode *node)
{
  return node->type == SEGUE_NODE_MAP && node->values->len > 0 &&
         ((const SegueNode *) g_ptr_array_index (node->values, 0))->type == SEGUE_NODE_NULL;
}

/* The valid spelling of what was meant by a wrong number or boolean; NULL: unknown. */
static char *
find_meant (const SegueParam *row, const SegueNode *node)
{
  static const char *const on[] = { "true", "yes", "on", "y", "1", NULL };
  static const char *const off[] = { "false", "no", "off", "n", "0", NULL };
  g_autofree char *lower = g_ascii_strdown (node->text, -1);
  double value;
  if (row->type == SEGUE_PARAM_BOOL)
    return g_strdup (g_strv_contains (on, lower)    ? on[0]
                     : g_strv_contains (off, lower) ? off[0]
                                                    : NULL);
  if (node->quoted && segue_scalar_to_double (node->text, &value) == SEGUE_SCALAR_OK)
    return g_strdup (node->text);
  return segue_scalar_meant (node->text, row->unit);
}

static gboolean
fail_type (Parser *p, const SegueParam *row, const SegueNode *node)
{
  g_autofree char *shown = segue_node_shown (node);
  const char *words = segue_param_type_words (row);
  gboolean number = row->type == SEGUE_PARAM_INT || row->type == SEGUE_PARAM_DOUBLE ||
                    row->type == SEGUE_PARAM_RANGE || row->type == SEGUE_PARAM_BOOL;
  const char *got = node->quoted && number ? "the text " : "";
  g_autofree char *meant =
    node->type == SEGUE_NODE_SCALAR && number ? find_meant (row, node) : NULL;
  if (meant && g_str_equal (meant, node->text))
    return fail (p, node, "%s must be %s, got %s%s; remove the quotes", p->path->str, words, got,
                 shown);
  if (meant)
    return fail (p, node, "%s must be %s, got %s%s; write %s", p->path->str, words, got, shown,
                 meant);
  if (looks_like_braces (node) && !number) {
    const SegueNode *key = g_ptr_array_index (node->keys, 0);
    return fail (p, node, "%s must be %s; text with braces needs quotes: write \"{%s}\"",
                 p->path->str, words, key->text);
  }
  if (row->type == SEGUE_PARAM_LIST && node->type == SEGUE_NODE_SCALAR)
    return fail (p, node, "%s must be a list, got %s; write [%s]", p->path->str, shown, shown);
  return fail (p, node, "%s must be %s, got %s%s", p->path->str, words, got, shown);
}

static gboolean
fail_bounds (Parser *p, const SegueParam *row, const SegueNode *node)
{
  g_autofree char *bounds = segue_param_bounds (row);
  g_autofree char *shown = segue_node_shown (node);
  return fail (p, node, "%s must be %s%s%s, got %s", p->path->str, bounds ? bounds : "a number",
               row->unit ? " " : "", row->unit ? row->unit : "", shown);
}

/* A whole number that does not fit into the field: the message names the nearest bound. */
static gboolean
fail_too_large (Parser *p, const SegueParam *row, const SegueNode *node)
{
  g_autofree char *shown = segue_node_shown (node);
  gboolean below = node->text[0] == '-';
  gboolean open = row->min == row->max;
  gint64 min = open || row->min <= (double) G_MININT64 ? SEGUE_UNSET_INT + 1 : (gint64) row->min;
  gint64 max = open || row->max >= (double) G_MAXINT64 ? G_MAXINT64 : (gint64) row->max;
  if (min > SEGUE_UNSET_INT + 1 && max < G_MAXINT64)
    return fail_bounds (p, row, node);
  return fail (p, node, "%s must be at %s %" G_GINT64_FORMAT ", got %s", p->path->str,
               below ? "least" : "most", below ? min : max, shown);
}

/* @why: (nullable): a clause, for a value that is not like one of @names */
static gboolean
fail_choice (Parser *p, const SegueNode *node, const char *got, const char *const *names,
             const char *why)
{
  g_autofree char *near = segue_suggest (got, names);
  g_autofree char *list = g_strjoinv (", ", (char **) names);
  g_autofree char *shown = segue_node_shown (node);
  if (near)
    return fail (p, node, "%s must be one of %s, got %s; did you mean '%s'?", p->path->str, list,
                 shown, near);
  return fail (p, node, "%s must be one of %s, got %s%s%s", p->path->str, list, shown,
               why ? "; " : "", why ? why : "");
}

static gboolean
parse_bool (Parser *p, const SegueParam *row, const SegueNode *node, gboolean *field)
{
  gboolean value;
  if (node->type != SEGUE_NODE_SCALAR || node->quoted || !segue_scalar_to_bool (node->text, &value))
    return fail_type (p, row, node);
  *field = value;
  return TRUE;
}

static gboolean
parse_int (Parser *p, const SegueParam *row, const SegueNode *node, gint64 *field)
{
  gint64 value;
  if (node->type != SEGUE_NODE_SCALAR || node->quoted)
    return fail_type (p, row, node);
  switch (segue_scalar_to_int (node->text, &value)) {
  case SEGUE_SCALAR_OK:
    break;
  case SEGUE_SCALAR_TOO_LARGE:
    return fail_too_large (p, row, node);
  default:
    return fail_type (p, row, node);
  }
  /* The smallest integer means "unset" in the struct. */
  if (value == SEGUE_UNSET_INT)
    return fail_too_large (p, row, node);
  if (!segue_param_in_bounds (row, (double) value))
    return fail_bounds (p, row, node);
  *field = value;
  return TRUE;
}

static gboolean
parse_double (Parser *p, const SegueParam *row, const SegueNode *node, double *field)
{
  double value;
  if (node->type != SEGUE_NODE_SCALAR || node->quoted)
    return fail_type (p, row, node);
  switch (segue_scalar_to_double (node->text, &value)) {
  case SEGUE_SCALAR_OK:
    break;
  case SEGUE_SCALAR_TOO_LARGE:
    if (row->min != row->max)
      return fail_bounds (p, row, node);
    G_GNUC_FALLTHROUGH;
  case SEGUE_SCALAR_NOT_FINITE:
    return fail (p, node, "%s must be a finite number, got %s", p->path->str, node->text);
  default:
    return fail_type (p, row, node);
  }
  if (!segue_param_in_bounds (row, value))
    return fail_bounds (p, row, node);
  *field = value;
  return TRUE;
}

static gboolean
parse_range (Parser *p, const SegueParam *row, const SegueNode *node, double *field)
{
  double low, high;
  if (node->type == SEGUE_NODE_LIST) {
    if (node->values->len != 2)
      return fail (p, node, "%s must be [low, high], got %u values", p->path->str,
                   node->values->len);
    if (!parse_double (p, row, g_ptr_array_index (node->values, 0), &low) ||
        !parse_double (p, row, g_ptr_array_index (node->values, 1), &high))
      return FALSE;
    if (low > high)
      return fail (p, node, "%s must be [low, high] with low not above high; swap them",
                   p->path->str);
  } else {
    if (!parse_double (p, row, node, &low))
      return FALSE;
    high = low;
  }
  field[0] = low;
  field[1] = high;
  return TRUE;
}

static gboolean
parse_choice (Parser *p, const SegueParam *row, const SegueNode *node, int *field)
{
  if (node->type != SEGUE_NODE_SCALAR)
    return fail_type (p, row, node);
  for (int i = 0; row->choices[i]; i++)
    if (!strcmp (row->choices[i], node->text)) {
      *field = i;
      return TRUE;
    }
  return fail_choice (p, node, node->text, row->choices, NULL);
}

static gboolean
parse_text (Parser *p, const SegueParam *row, const SegueNode *node, char **field)
{
  if (node->type != SEGUE_NODE_SCALAR)
    return fail_type (p, row, node);
  if (row->type == SEGUE_PARAM_STRING) {
    if (!g_utf8_validate (node->text, -1, NULL))
      return fail (p, node, "%s must be UTF-8 text", p->path->str);
    *field = g_strdup (node->text);
    return TRUE;
  }
  if (node->text[0] == '\0')
    return fail (p, node, "%s is empty; write %s", p->path->str, segue_param_type_words (row));
  const char *folder = node->outside ? NULL : p->scope->folder;
  *field = row->type == SEGUE_PARAM_MODEL_REF ? segue_model_ref_parse (node->text, folder)
                                              : segue_path_resolve (node->text, folder);
  if (row->type == SEGUE_PARAM_OUTPUT_PATH && !node->outside && p->scope->within &&
      !segue_path_is_within (*field, p->scope->within))
    return fail (p, node,
                 "%s is outside the folder of the pipeline; use a path inside it, or allow this "
                 "one with --set %s.%s=FOLDER",
                 p->path->str, p->scope->id ? p->scope->id : "STAGE", p->path->str);
  if (row->type != SEGUE_PARAM_OUTPUT_PATH && p->scope->files &&
      !segue_path_is_within (*field, p->scope->files))
    return fail (p, node, "%s is outside the model's folder; do not use this model", p->path->str);
  return TRUE;
}

static gboolean
parse_list (Parser *p, const SegueParam *row, const SegueNode *node, GArray **field)
{
  if (node->type != SEGUE_NODE_LIST)
    return fail_type (p, row, node);
  guint n = node->values->len, max = segue_param_max_items (row);
  if (n < row->min_items || n > max)
    return fail (p, node, "%s must have %u..%u entries, got %u", p->path->str, row->min_items, max,
                 n);
  SegueParam element = segue_param_read (row->element);
  gsize size = segue_param_field_size (&element);
  GArray *list = g_array_sized_new (FALSE, TRUE, (guint) size, MAX (n, 1));
  g_array_set_size (list, n);
  *field = list;
  for (guint i = 0; i < n; i++)
    segue_param_unset (&element, list->data + i * size);
  gsize length = p->path->len;
  for (guint i = 0; i < n; i++) {
    const SegueNode *member = g_ptr_array_index (node->values, i);
    g_string_append_printf (p->path, "[%u]", i);
    if (member->type == SEGUE_NODE_NULL)
      return fail (p, member, "%s is empty; write %s", p->path->str,
                   segue_param_type_words (&element));
    if (!parse_value (p, &element, member, list->data + i * size) && !goes_on (p))
      return FALSE;
    g_string_truncate (p->path, length);
  }
  return TRUE;
}

static gboolean fail_key (Parser *p, const SegueNode *key, const char *const *known);

/* The name that a VARIANT or MODEL node gives, as text or under @key; NULL after an error. */
static const SegueNode *
chosen_name (Parser *p, const SegueParam *row, const SegueNode *node, const char *key)
{
  if (node->type == SEGUE_NODE_SCALAR)
    return node;
  if (node->type != SEGUE_NODE_MAP) {
    fail_type (p, row, node);
    return NULL;
  }
  const SegueNode *name = segue_node_get (node, key);
  if (name && name->type == SEGUE_NODE_SCALAR)
    return name;
  const char *const tag[] = { key, NULL };
  for (guint i = 0; !name && i < node->keys->len; i++) {
    const SegueNode *other = g_ptr_array_index (node->keys, i);
    g_autofree char *near = segue_suggest (other->text, tag);
    if (near) {
      fail_key (p, other, tag);
      return NULL;
    }
  }
  fail (p, node, "%s does not specify which one; write { %s: NAME, … }", p->path->str, key);
  return NULL;
}

static gboolean
parse_variant (Parser *p, const SegueParam *row, const SegueNode *node, SegueVariant *field)
{
  const SegueNode *name = chosen_name (p, row, node, row->tag);
  if (!name)
    return FALSE;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (const SegueParamGroup *const *one = row->cases; *one; one++) {
    if (!strcmp ((*one)->name, name->text))
      field->chosen = *one;
    g_ptr_array_add (names, (gpointer) (*one)->name);
  }
  g_ptr_array_add (names, NULL);
  if (!field->chosen)
    return fail_choice (p, name, name->text, (const char *const *) names->pdata, NULL);
  field->config = field->chosen->size ? g_malloc0 (field->chosen->size) : NULL;
  return parse_rows (p, field->chosen->params, node == name ? NULL : node, field->config, row->tag);
}

static const SegueModelType *
find_model (Parser *p, const char *name)
{
  const SegueModelTypes *models = &p->scope->models;
  return models->find ? models->find (models->data, name) : NULL;
}

static gboolean
fail_model (Parser *p, const SegueNode *node)
{
  const SegueModelTypes *models = &p->scope->models;
  g_autoptr (GPtrArray) names = models->find ? models->list (models->data, p->error) : NULL;
  if (models->find && !names)
    return FALSE;
  g_autofree char *refusal = names ? models->refusal (models->data, node->text) : NULL;
  g_autofree char *shown = segue_node_shown (node);
  if (refusal)
    return fail (p, node, "%s: no model type '%s'; %s", p->path->str, shown, refusal);
  if (!names || names->len == 1)
    return fail (p, node,
                 "%s: no model type is installed; $SEGUE_PLUGIN_PATH names folders of plugins",
                 p->path->str);
  g_autofree char *why = models->explain (models->data, node->text);
  return fail_choice (p, node, node->text, (const char *const *) names->pdata, why);
}

static gboolean
parse_model (Parser *p, const SegueParam *row, const SegueNode *node, SegueModelChoice *field)
{
  const SegueNode *name = chosen_name (p, row, node, "use");
  if (!name)
    return FALSE;
  const SegueModelType *type = find_model (p, name->text);
  if (!type)
    return fail_model (p, name);
  field->type = type;
  field->config = type->config_size ? g_malloc0 (type->config_size) : NULL;
  return parse_rows (p, type->params, node == name ? NULL : node, field->config, "use");
}

static gboolean
parse_value (Parser *p, const SegueParam *row, const SegueNode *node, gpointer field)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    return parse_bool (p, row, node, field);
  case SEGUE_PARAM_INT:
    return parse_int (p, row, node, field);
  case SEGUE_PARAM_DOUBLE:
    return parse_double (p, row, node, field);
  case SEGUE_PARAM_CHOICE:
    return parse_choice (p, row, node, field);
  case SEGUE_PARAM_RANGE:
    return parse_range (p, row, node, field);
  case SEGUE_PARAM_LIST:
    return parse_list (p, row, node, field);
  case SEGUE_PARAM_RECORD:
    return parse_rows (p, row->group->params, node, field, NULL);
  case SEGUE_PARAM_VARIANT:
    return parse_variant (p, row, node, field);
  case SEGUE_PARAM_MODEL:
    return parse_model (p, row, node, field);
  case SEGUE_PARAM_STRING:
  case SEGUE_PARAM_INPUT_PATH:
  case SEGUE_PARAM_OUTPUT_PATH:
  case SEGUE_PARAM_MODEL_REF:
    return parse_text (p, row, node, field);
  }
  return fail (p, node, "%s is %s", p->path->str, segue_param_type_words (row));
}

/* @key is none of @known. */
static gboolean
fail_key (Parser *p, const SegueNode *key, const char *const *known)
{
  g_autofree char *near = segue_suggest (key->text, known);
  g_autofree char *list = g_strjoinv (", ", (char **) known);
  g_autofree char *shown = segue_node_shown (key);
  const char *dot = p->path->len ? "." : "";
  if (near)
    return fail (p, key, "unknown parameter '%s%s%s'; did you mean '%s'?", p->path->str, dot, shown,
                 near);
  if (!*list)
    return fail (p, key, "unknown parameter '%s%s%s'; it takes none, remove it", p->path->str, dot,
                 shown);
  return fail (p, key, "unknown parameter '%s%s%s'; known are %s", p->path->str, dot, shown, list);
}

/* The MODEL row for a model's parameter that was written next to it. NULL: @key is not one. */
static const SegueParam *
find_model_row (Parser *p, const SegueParam *const *rows, const SegueNode *node,
                const SegueNode *key, const SegueModelType **type)
{
  for (; p->scope->models.find && rows && *rows; rows++) {
    if ((*rows)->type != SEGUE_PARAM_MODEL)
      continue;
    const SegueNode *value = segue_node_get (node, (*rows)->name);
    value = value && value->type == SEGUE_NODE_MAP ? segue_node_get (value, "use") : value;
    const char *name = value ? value->text : (*rows)->def;
    *type = name ? find_model (p, name) : NULL;
    for (const SegueParam *const *own = *type ? (*type)->params : NULL; own && *own; own++)
      if (!strcmp ((*own)->name, key->text))
        return *rows;
  }
  return NULL;
}

/* @node (not NULL) is a map; each of its keys must be a row's, or @own_key. */
static gboolean
check_keys (Parser *p, const SegueParam *const *rows, const SegueNode *node, const char *own_key)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const SegueParam *const *all = rows;
  if (own_key)
    g_ptr_array_add (names, (gpointer) own_key);
  for (; rows && *rows; rows++)
    g_ptr_array_add (names, (gpointer) (*rows)->name);
  g_ptr_array_add (names, NULL);
  const char *const *known = (const char *const *) names->pdata;
  for (guint i = 0; i < node->keys->len; i++) {
    const SegueNode *key = g_ptr_array_index (node->keys, i);
    const SegueModelType *type = NULL;
    if (g_strv_contains (known, key->text))
      continue;
    const SegueParam *row = find_model_row (p, all, node, key, &type);
    if (row)
      fail (p, key, "'%s' is a parameter of the model; write %s: { use: %s, %s: … }", key->text,
            row->name, type->name, key->text);
    else
      fail_key (p, key, known);
    if (!goes_on (p))
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_default (Parser *p, const SegueParam *row, const SegueNode *map, gpointer field)
{
  g_autoptr (SegueNode) node = segue_node_parse (row->def, -1, row->name, p->error);
  if (!node)
    return FALSE;
  /* A default can fail (its model type is not installed): the error points to where it applies. */
  const SegueNode *at = map ? map : p->scope->at;
  g_clear_pointer (&node->file, g_ref_string_release);
  if (at && at->file) {
    node->file = g_ref_string_acquire (at->file);
    node->line = at->line;
    node->column = at->column;
  }
  return parse_value (p, row, node, field);
}

/* @value: (nullable): of the row, if it is not a member of @map */
static gboolean
parse_row (Parser *p, const SegueParam *row, const SegueNode *map, const SegueNode *value,
           gpointer field)
{
  const SegueNode *node = value ? value : segue_node_get (map, row->name);
  gboolean optional = (row->flags & SEGUE_PARAM_OPTIONAL) != 0;
  if (node && node->type == SEGUE_NODE_NULL) {
    if (optional && row->type != SEGUE_PARAM_LIST)
      return TRUE;
    return fail (p, node, "%s has no value; write %s, or remove the key", p->path->str,
                 segue_param_type_words (row));
  }
  if (node)
    return parse_value (p, row, node, field);
  if (row->def)
    return parse_default (p, row, map, field);
  if (row->type == SEGUE_PARAM_RECORD)
    return parse_rows (p, row->group->params, NULL, field, NULL);
  if (optional && row->type == SEGUE_PARAM_LIST) {
    SegueParam element = segue_param_read (row->element);
    *(GArray **) field = g_array_new (FALSE, TRUE, (guint) segue_param_field_size (&element));
    return TRUE;
  }
  if (optional)
    return TRUE;
  return fail (p, map, "%s is required; give it %s", p->path->str, segue_param_type_words (row));
}

/* The rows of a stage, record, case or model type. @node may be NULL: all defaults. */
static gboolean
parse_rows (Parser *p, const SegueParam *const *rows, const SegueNode *node, gpointer config,
            const char *own_key)
{
  /* First, so that @config can be cleared after any failure. */
  for (const SegueParam *const *one = rows; one && *one; one++) {
    SegueParam row = segue_param_read (*one);
    segue_param_unset (&row, (char *) config + row.offset);
  }
  if (node && node->type == SEGUE_NODE_NULL)
    node = NULL;
  /* The short form. */
  const SegueNode *first = NULL;
  if (node && node->type == SEGUE_NODE_SCALAR && p->path->len && !own_key &&
      segue_params_have_short_form (rows)) {
    first = node;
    node = NULL;
  }
  if (node && node->type != SEGUE_NODE_MAP) {
    g_autofree char *shown = segue_node_shown (node);
    return fail (p, node, "%s must be a map of parameters, got %s",
                 p->path->len ? p->path->str : "with", shown);
  }
  if (node && !check_keys (p, rows, node, own_key))
    return FALSE;
  gsize length = p->path->len;
  for (const SegueParam *const *one = rows; one && *one; one++) {
    SegueParam row = segue_param_read (*one);
    g_string_append_printf (p->path, "%s%s", length ? "." : "", row.name);
    const SegueNode *value = one == rows ? first : NULL;
    if (!parse_row (p, &row, node, value, (char *) config + row.offset) && !goes_on (p))
      return FALSE;
    g_string_truncate (p->path, length);
  }
  return TRUE;
}

gboolean
segue_params_parse (const SegueParam *const *rows, const SegueNode *node, gpointer config,
                    const SegueParamScope *scope, GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);
  g_autoptr (GError) failure = NULL;
  Parser parser = { .scope = scope, .path = path, .error = &failure };
  if (parse_rows (&parser, rows, node, config, NULL) && !parser.failed)
    return TRUE;
  goes_on (&parser);
  segue_params_clear (rows, config);
  if (failure)
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
