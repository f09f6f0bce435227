/* Rows and their fields: sizes, unset values, bounds, freeing. */
#include "params/params.h"
#include "base/number.h"
#include <string.h>

#define DEFAULT_MAX_ITEMS 1024

SegueParam
segue_param_read (const SegueParam *row)
{
  SegueParam view = { 0 };
  memcpy (&view, row, MIN (row->struct_size, sizeof view));
  return view;
}

gboolean
segue_param_is_required (const SegueParam *row)
{
  if (row->def || row->flags & SEGUE_PARAM_OPTIONAL)
    return FALSE;
  if (row->type != SEGUE_PARAM_RECORD)
    return TRUE;
  for (const SegueParam *const *one = row->group->params; *one; one++) {
    SegueParam inner = segue_param_read (*one);
    if (segue_param_is_required (&inner))
      return TRUE;
  }
  return FALSE;
}

gboolean
segue_params_have_short_form (const SegueParam *const *rows)
{
  for (const SegueParam *const *one = rows; one && *one; one++) {
    SegueParam row = segue_param_read (*one);
    if (segue_param_is_required (&row) != (one == rows))
      return FALSE;
  }
  return rows && *rows;
}

gsize
segue_param_field_size (const SegueParam *row)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    return sizeof (gboolean);
  case SEGUE_PARAM_INT:
    return sizeof (gint64);
  case SEGUE_PARAM_DOUBLE:
    return sizeof (double);
  case SEGUE_PARAM_CHOICE:
    return sizeof (int);
  case SEGUE_PARAM_RANGE:
    return sizeof (double[2]);
  case SEGUE_PARAM_LIST:
    return sizeof (GArray *);
  case SEGUE_PARAM_RECORD:
    return row->group->size;
  case SEGUE_PARAM_VARIANT:
    return sizeof (SegueVariant);
  case SEGUE_PARAM_MODEL:
    return sizeof (SegueModelChoice);
  case SEGUE_PARAM_STRING:
  case SEGUE_PARAM_INPUT_PATH:
  case SEGUE_PARAM_OUTPUT_PATH:
  case SEGUE_PARAM_MODEL_REF:
    return sizeof (char *);
  }
  return 0;
}

gsize
segue_param_field_align (const SegueParam *row)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
  case SEGUE_PARAM_CHOICE:
    return _Alignof(int);
  case SEGUE_PARAM_INT:
    return _Alignof(gint64);
  case SEGUE_PARAM_DOUBLE:
  case SEGUE_PARAM_RANGE:
    return _Alignof(double);
  case SEGUE_PARAM_RECORD: {
    gsize align = 1;
    for (const SegueParam *const *inner = row->group->params; inner && *inner; inner++) {
      SegueParam view = segue_param_read (*inner);
      align = MAX (align, segue_param_field_align (&view));
    }
    return align;
  }
  default:
    return _Alignof(gpointer);
  }
}

static void
unset_record (const SegueParam *row, gpointer field)
{
  for (const SegueParam *const *inner = row->group->params; inner && *inner; inner++) {
    SegueParam view = segue_param_read (*inner);
    segue_param_unset (&view, (char *) field + view.offset);
  }
}

void
segue_param_unset (const SegueParam *row, gpointer field)
{
  memset (field, 0, segue_param_field_size (row));
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    *(gboolean *) field = -1;
    break;
  case SEGUE_PARAM_CHOICE:
    *(int *) field = -1;
    break;
  case SEGUE_PARAM_INT:
    *(gint64 *) field = SEGUE_UNSET_INT;
    break;
  case SEGUE_PARAM_DOUBLE:
    *(double *) field = SEGUE_UNSET_DOUBLE;
    break;
  case SEGUE_PARAM_RANGE:
    ((double *) field)[0] = ((double *) field)[1] = SEGUE_UNSET_DOUBLE;
    break;
  case SEGUE_PARAM_RECORD:
    unset_record (row, field);
    break;
  default:
    break;
  }
}

gboolean
segue_param_is_unset (const SegueParam *row, gconstpointer field)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    return *(const gboolean *) field == -1;
  case SEGUE_PARAM_CHOICE:
    return *(const int *) field == -1;
  case SEGUE_PARAM_INT:
    return *(const gint64 *) field == SEGUE_UNSET_INT;
  case SEGUE_PARAM_DOUBLE:
  case SEGUE_PARAM_RANGE:
    return isnan (*(const double *) field);
  case SEGUE_PARAM_RECORD:
    return FALSE;
  case SEGUE_PARAM_VARIANT:
    return !((const SegueVariant *) field)->chosen;
  case SEGUE_PARAM_MODEL:
    return !((const SegueModelChoice *) field)->type;
  default:
    return !*(const gconstpointer *) field;
  }
}

static void
clear_list (const SegueParam *row, gpointer field)
{
  GArray *list = *(GArray **) field;
  if (!list)
    return;
  SegueParam element = segue_param_read (row->element);
  gsize size = segue_param_field_size (&element);
  for (guint i = 0; i < list->len; i++)
    segue_param_clear (&element, list->data + i * size);
  g_array_unref (list);
}

void
segue_param_clear (const SegueParam *row, gpointer field)
{
  switch (row->type) {
  case SEGUE_PARAM_STRING:
  case SEGUE_PARAM_INPUT_PATH:
  case SEGUE_PARAM_OUTPUT_PATH:
  case SEGUE_PARAM_MODEL_REF:
    g_free (*(char **) field);
    break;
  case SEGUE_PARAM_LIST:
    clear_list (row, field);
    break;
  case SEGUE_PARAM_RECORD:
    segue_params_clear (row->group->params, field);
    break;
  case SEGUE_PARAM_VARIANT: {
    SegueVariant *variant = field;
    if (variant->config)
      segue_params_clear (variant->chosen->params, variant->config);
    g_free (variant->config);
    break;
  }
  case SEGUE_PARAM_MODEL: {
    SegueModelChoice *choice = field;
    if (choice->config)
      segue_params_clear (choice->type->params, choice->config);
    g_free (choice->config);
    break;
  }
  default:
    break;
  }
  segue_param_unset (row, field);
}

void
segue_params_clear (const SegueParam *const *rows, gpointer config)
{
  for (; rows && *rows; rows++) {
    SegueParam row = segue_param_read (*rows);
    gpointer field = (char *) config + row.offset;
    segue_param_clear (&row, field);
    memset (field, 0, segue_param_field_size (&row));
  }
}

static gboolean
has_bounds (const SegueParam *row)
{
  return row->min != 0 || row->max != 0;
}

gboolean
segue_param_in_bounds (const SegueParam *row, double value)
{
  return !has_bounds (row) || (value >= row->min && value <= row->max);
}

char *
segue_param_bounds (const SegueParam *row)
{
  if (!has_bounds (row) || (isinf (row->min) && isinf (row->max)))
    return NULL;
  g_autofree char *min = segue_number_to_text (row->min);
  g_autofree char *max = segue_number_to_text (row->max);
  /* Bounds that only come from the C type are not shown to users. */
  gboolean open_above = isinf (row->max) || row->max >= (double) G_MAXINT64;
  gboolean open_below = isinf (row->min) || row->min <= (double) G_MININT64;
  if (open_above && open_below)
    return NULL;
  if (open_above)
    return g_strdup_printf ("at least %s", min);
  if (open_below)
    return g_strdup_printf ("at most %s", max);
  return g_strdup_printf ("%s..%s", min, max);
}

guint
segue_param_max_items (const SegueParam *row)
{
  return row->max_items ? row->max_items : DEFAULT_MAX_ITEMS;
}

const char *
segue_param_type_words (const SegueParam *row)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    return "true or false";
  case SEGUE_PARAM_INT:
    return "a whole number";
  case SEGUE_PARAM_DOUBLE:
    return "a number";
  case SEGUE_PARAM_STRING:
    return "text";
  case SEGUE_PARAM_CHOICE:
    return "one of the choices";
  case SEGUE_PARAM_RANGE:
    return "[low, high] or a number";
  case SEGUE_PARAM_LIST:
    return "a list";
  case SEGUE_PARAM_RECORD:
    return "a map";
  case SEGUE_PARAM_VARIANT:
    return "a name or a map";
  case SEGUE_PARAM_INPUT_PATH:
    return "a file or folder";
  case SEGUE_PARAM_OUTPUT_PATH:
    return "a file or folder to write";
  case SEGUE_PARAM_MODEL_REF:
    return "a model folder or ORG/NAME";
  case SEGUE_PARAM_MODEL:
    return "a model type, or { use: NAME, … }";
  }
  return "of a type unknown to this version";
}

gboolean
segue_name_is_valid (const char *name, gboolean underscore)
{
  if (!g_ascii_islower (name[0]))
    return FALSE;
  gsize length = strspn (name, underscore ? "abcdefghijklmnopqrstuvwxyz0123456789-_"
                                          : "abcdefghijklmnopqrstuvwxyz0123456789-");
  return name[length] == '\0' && length <= 64;
}
