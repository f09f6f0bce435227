#include "samples.h"

typedef struct {
  const SegueParam *target;
  const char *value;
  const char *model;
} Sample;

static void append_rows (GString *yaml, const SegueParam *const *rows, const char *tag,
                         const char *name, const Sample *sample);

static gboolean
holds (const SegueParam *row, const SegueParam *target)
{
  if (row == target)
    return TRUE;
  if (row->type == SEGUE_PARAM_LIST)
    return holds (row->element, target);
  if (row->type == SEGUE_PARAM_RECORD)
    for (const SegueParam *const *inner = row->group->params; *inner; inner++)
      if (holds (*inner, target))
        return TRUE;
  if (row->type == SEGUE_PARAM_VARIANT)
    for (const SegueParamGroup *const *one = row->cases; *one; one++)
      for (const SegueParam *const *inner = (*one)->params; inner && *inner; inner++)
        if (holds (*inner, target))
          return TRUE;
  return FALSE;
}

/* The case that contains the target, or else the first. */
static const SegueParamGroup *
chosen_case (const SegueParam *row, const SegueParam *target)
{
  for (const SegueParamGroup *const *one = row->cases; *one; one++)
    for (const SegueParam *const *inner = (*one)->params; inner && *inner; inner++)
      if (target && holds (*inner, target))
        return *one;
  return row->cases[0];
}

static void
append_number (GString *yaml, const SegueParam *row)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean bounded = row->min != 0 || row->max != 0;
  double value = bounded ? row->min : 1;
  if (isinf (value))
    value = isinf (row->max) ? 1 : row->max;
  g_string_append (yaml, g_ascii_formatd (text, sizeof text, "%.17g", value));
}

static void
append_value (GString *yaml, const SegueParam *row, const Sample *sample)
{
  if (row == sample->target) {
    g_string_append (yaml, sample->value);
    return;
  }
  gboolean inside = sample->target && holds (row, sample->target);
  if (row->def && !inside) {
    g_string_append (yaml, row->def);
    return;
  }
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    g_string_append (yaml, "true");
    break;
  case SEGUE_PARAM_INT:
  case SEGUE_PARAM_DOUBLE:
  case SEGUE_PARAM_RANGE:
    append_number (yaml, row);
    break;
  case SEGUE_PARAM_CHOICE:
    g_string_append (yaml, row->choices[0]);
    break;
  case SEGUE_PARAM_LIST:
    g_string_append_c (yaml, '[');
    for (guint i = 0; i < MAX (row->min_items, inside ? 1 : 0); i++) {
      append_value (yaml, row->element, sample);
      g_string_append (yaml, ", ");
    }
    g_string_append_c (yaml, ']');
    break;
  case SEGUE_PARAM_RECORD:
    append_rows (yaml, row->group->params, NULL, NULL, sample);
    break;
  case SEGUE_PARAM_VARIANT: {
    const SegueParamGroup *one = chosen_case (row, inside ? sample->target : NULL);
    append_rows (yaml, one->params, row->tag, one->name, sample);
    break;
  }
  case SEGUE_PARAM_MODEL:
    g_string_append (yaml, sample->model);
    break;
  case SEGUE_PARAM_STRING:
  case SEGUE_PARAM_INPUT_PATH:
  case SEGUE_PARAM_OUTPUT_PATH:
  case SEGUE_PARAM_MODEL_REF:
    g_string_append (yaml, "sample");
    break;
  }
}

static void
append_rows (GString *yaml, const SegueParam *const *rows, const char *tag, const char *name,
             const Sample *sample)
{
  g_string_append_c (yaml, '{');
  if (tag)
    g_string_append_printf (yaml, "%s: %s, ", tag, name);
  for (; rows && *rows; rows++) {
    const SegueParam *row = *rows;
    gboolean required = !row->def && !(row->flags & SEGUE_PARAM_OPTIONAL);
    if (!required && !(sample->target && holds (row, sample->target)))
      continue;
    g_string_append_printf (yaml, "%s: ", row->name);
    append_value (yaml, row, sample);
    g_string_append (yaml, ", ");
  }
  g_string_append_c (yaml, '}');
}

char *
segue_sample_config (const SegueParam *const *rows, const SegueParam *target, const char *value,
                     const char *model)
{
  Sample sample = { .target = target, .value = value, .model = model };
  GString *yaml = g_string_new (NULL);
  append_rows (yaml, rows, NULL, NULL, &sample);
  return g_string_free (yaml, FALSE);
}

char *
segue_sample_value (const SegueParam *row, const char *model)
{
  Sample sample = { .model = model };
  GString *yaml = g_string_new (NULL);
  append_value (yaml, row, &sample);
  return g_string_free (yaml, FALSE);
}
