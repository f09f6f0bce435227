/* Whether a table of rows describes its struct correctly: mistakes of a plugin's author, found when
 * the plugin is loaded. */
#include "params/params.h"
#include "yaml/scalar.h"
#include <string.h>

/* Records in lists in cases: no table nests deeper; one that contains itself would never end. */
#define MAX_DEPTH 8

static gboolean check_rows (const SegueParam *const *rows, gsize size, const char *what,
                            const char *own_key, guint depth, GError **error);

static gboolean G_GNUC_PRINTF (3, 4)
  refuse (GError **error, const char *what, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "%s: %s", what, message);
  return FALSE;
}

static gboolean
check_group (const SegueParamGroup *group, const char *what, GError **error)
{
  if (group->struct_size >= G_STRUCT_OFFSET (SegueParamGroup, params) + sizeof group->params)
    return TRUE;
  return refuse (error, what,
                 "a group's struct_size is %" G_GSIZE_FORMAT
                 "; use SEGUE_INIT (SegueParamGroup, …)",
                 group->struct_size);
}

static gboolean
check_cases (const SegueParam *row, const char *what, guint depth, GError **error)
{
  if (!row->cases || !row->cases[0] || !row->tag || !segue_name_is_valid (row->tag, TRUE))
    return refuse (error, what, "a VARIANT needs .cases and a .tag");
  for (const SegueParamGroup *const *one = row->cases; *one; one++) {
    if (!check_group (*one, what, error))
      return FALSE;
    if (!(*one)->name || !segue_name_is_valid ((*one)->name, FALSE))
      return refuse (error, what, "a case's name is [a-z][a-z0-9-]*");
    for (const SegueParamGroup *const *other = row->cases; other < one; other++)
      if (!strcmp ((*other)->name, (*one)->name))
        return refuse (error, what, "two cases are named '%s'", (*one)->name);
    g_autofree char *inner = g_strdup_printf ("%s: case '%s'", what, (*one)->name);
    if (!check_rows ((*one)->params, (*one)->size, inner, row->tag, depth, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean check_type (const SegueParam *row, const char *what, guint depth, GError **error);

static gboolean
check_element (const SegueParam *row, const char *what, guint depth, GError **error)
{
  if (!row->element)
    return refuse (error, what, "a LIST needs an .element");
  SegueParam element = segue_param_read (row->element);
  if (element.type == SEGUE_PARAM_LIST)
    return refuse (error, what, "a list of lists is not supported; use a list of records");
  if (row->min_items > segue_param_max_items (row))
    return refuse (error, what, ".min_items is above .max_items");
  return check_type (&element, what, depth, error);
}

static gboolean
check_type (const SegueParam *row, const char *what, guint depth, GError **error)
{
  if ((int) row->type < SEGUE_PARAM_BOOL || row->type > SEGUE_PARAM_MODEL)
    return refuse (error, what, "has no known type");
  if (row->min > row->max || isnan (row->min) || isnan (row->max))
    return refuse (error, what, ".min is above .max (INFINITY: no bound)");
  switch (row->type) {
  case SEGUE_PARAM_CHOICE:
    return row->choices && row->choices[0] ? TRUE : refuse (error, what, "a CHOICE needs .choices");
  case SEGUE_PARAM_LIST:
    return check_element (row, what, depth, error);
  case SEGUE_PARAM_RECORD:
    if (row->group && !check_group (row->group, what, error))
      return FALSE;
    if (!row->group || !row->group->params || row->group->size == 0)
      return refuse (error, what, "a RECORD needs a .group with rows and a size");
    if (row->flags & SEGUE_PARAM_OPTIONAL)
      return refuse (error, what, "a RECORD can't be unset; make its rows optional");
    return check_rows (row->group->params, row->group->size, what, NULL, depth, error);
  case SEGUE_PARAM_VARIANT:
    return check_cases (row, what, depth, error);
  default:
    return TRUE;
  }
}

/* A default must be a value that a person could write. Model types are looked up at the time of
 * use: their plugin may be loaded later. */
static gboolean
check_value (const SegueParam *row, const char *value, const char *name, const char *what,
             GError **error)
{
  if (!value || row->type == SEGUE_PARAM_MODEL)
    return TRUE;
  SegueParam alone = *row;
  alone.struct_size = sizeof alone;
  alone.offset = 0;
  alone.def = value;
  const SegueParam *const rows[] = { &alone, NULL };
  g_autofree gpointer field = g_malloc0 (MAX (segue_param_field_size (row), 1));
  g_autofree char *where = g_strdup_printf ("%s: %s: ", what, name);
  SegueParamScope scope = { .where = where };
  if (!segue_params_parse (rows, NULL, field, &scope, error))
    return FALSE;
  segue_params_clear (rows, field);
  return TRUE;
}

static gboolean
check_row (const SegueParam *row, gsize size, const char *what, guint depth, GError **error)
{
  if (!check_type (row, what, depth, error))
    return FALSE;
  gsize field = segue_param_field_size (row);
  if (row->offset > size || field > size - row->offset)
    return refuse (error, what, "its field is outside the struct; check config_size");
  if (row->offset % segue_param_field_align (row))
    return refuse (error, what, "its field's type does not fit the row's; see SegueParamType");
  return check_value (row, row->def, "default", what, error) &&
         check_value (row, row->relaxed, "relaxed", what, error);
}

static gboolean
check_rows (const SegueParam *const *rows, gsize size, const char *what, const char *own_key,
            guint depth, GError **error)
{
  if (depth > MAX_DEPTH)
    return refuse (error, what, "tables nest deeper than %d", MAX_DEPTH);
  for (const SegueParam *const *one = rows; one && *one; one++) {
    /* The fields that every row needs. */
    if ((*one)->struct_size < G_STRUCT_OFFSET (SegueParam, min))
      return refuse (error, what, "a row's struct_size is %" G_GSIZE_FORMAT "; use SEGUE_PARAM (…)",
                     (*one)->struct_size);
    SegueParam row = segue_param_read (*one);
    if (!row.name || !segue_name_is_valid (row.name, TRUE) || !g_strcmp0 (row.name, own_key))
      return refuse (error, what, "parameter '%s': a name is [a-z][a-z0-9_]*, and not the tag",
                     row.name ? row.name : "");
    for (const SegueParam *const *other = rows; other < one; other++)
      if (!strcmp ((*other)->name, row.name))
        return refuse (error, what, "two parameters are named '%s'", row.name);
    g_autofree char *inner = g_strdup_printf ("%s: parameter '%s'", what, row.name);
    if (!check_row (&row, size, inner, depth + 1, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
segue_params_check_table (const SegueParam *const *rows, gsize size, const char *what,
                          GError **error)
{
  return check_rows (rows, size, what, NULL, 0, error);
}
