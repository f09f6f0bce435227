/* Configuration struct → JSON: one text per meaning, for keys, model folders and people. */
#include "params/model-version.h"
#include "params/params-json.h"
#include "params/params-paths.h"
#include <string.h>

typedef struct {
  SegueJson *json;
  SegueParamsSelection selection;
  SegueParamContentFunc content; /* (nullable): what stands for a path */
  gpointer data;
  gboolean versions; /* of model types, too */
  GError *error;     /* the first error of @content */
} Writer;

/* A key of the object to write: a row, or a name under `use` or a variant's tag. */
typedef struct {
  const char *key;
  const SegueParam *row; /* NULL: a name */
  const char *name;
} Entry;

static void write_object (Writer *writer, const SegueParam *const *rows, gconstpointer config,
                          const char *tag, const char *name, const SegueModelType *model);

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Entry *) a)->key, ((const Entry *) b)->key);
}

static void
write_path (Writer *writer, const SegueParam *row, const char *path)
{
  if (writer->content && row->type != SEGUE_PARAM_OUTPUT_PATH) {
    g_autofree char *content =
      writer->error ? NULL : writer->content (row, path, writer->data, &writer->error);
    segue_json_string (writer->json, content);
    return;
  }
  g_autofree char *text = segue_path_to_text (path);
  segue_json_string (writer->json, text);
}

static void
write_value (Writer *writer, const SegueParam *row, gconstpointer field)
{
  SegueJson *json = writer->json;
  if (segue_param_is_unset (row, field)) {
    segue_json_null (json);
    return;
  }
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    segue_json_bool (json, *(const gboolean *) field);
    break;
  case SEGUE_PARAM_INT:
    segue_json_int (json, *(const gint64 *) field);
    break;
  case SEGUE_PARAM_DOUBLE:
    segue_json_double (json, *(const double *) field);
    break;
  case SEGUE_PARAM_STRING:
    segue_json_string (json, *(char *const *) field);
    break;
  case SEGUE_PARAM_CHOICE:
    segue_json_string (json, row->choices[*(const int *) field]);
    break;
  case SEGUE_PARAM_RANGE:
    segue_json_open (json, '[');
    segue_json_double (json, ((const double *) field)[0]);
    segue_json_double (json, ((const double *) field)[1]);
    segue_json_close (json, '[');
    break;
  case SEGUE_PARAM_LIST: {
    const GArray *list = *(GArray *const *) field;
    SegueParam element = segue_param_read (row->element);
    segue_json_open (json, '[');
    for (guint i = 0; i < list->len; i++)
      write_value (writer, &element, list->data + i * segue_param_field_size (&element));
    segue_json_close (json, '[');
    break;
  }
  case SEGUE_PARAM_RECORD:
    write_object (writer, row->group->params, field, NULL, NULL, NULL);
    break;
  case SEGUE_PARAM_VARIANT: {
    const SegueVariant *variant = field;
    write_object (writer, variant->chosen->params, variant->config, row->tag, variant->chosen->name,
                  NULL);
    break;
  }
  case SEGUE_PARAM_MODEL: {
    const SegueModelChoice *choice = field;
    write_object (writer, choice->type->params, choice->config, "use", choice->type->name,
                  choice->type);
    break;
  }
  case SEGUE_PARAM_INPUT_PATH:
  case SEGUE_PARAM_OUTPUT_PATH:
  case SEGUE_PARAM_MODEL_REF:
    write_path (writer, row, *(char *const *) field);
    break;
  }
}

static gboolean
is_selected (const Writer *writer, const SegueParam *row, gconstpointer field)
{
  if (writer->selection == SEGUE_PARAMS_CANONICAL &&
      ((row->flags & SEGUE_PARAM_VOLATILE) || row->type == SEGUE_PARAM_OUTPUT_PATH))
    return FALSE;
  /* Omitted where that reads back as unset; where there is a default, null is written for unset. */
  return row->def || !segue_param_is_unset (row, field);
}

/* A model's results also depend on its type's code and the code that it calls. */
static void
write_model_version (Writer *writer, const SegueModelType *model)
{
  g_autofree char *fingerprint = segue_model_type_fingerprint (model);
  if (fingerprint)
    segue_json_key_string (writer->json, "fingerprint", fingerprint);
  if (model->result_version) {
    segue_json_key (writer->json, "result_version");
    segue_json_uint (writer->json, model->result_version);
  }
}

static void
write_object (Writer *writer, const SegueParam *const *rows, gconstpointer config, const char *tag,
              const char *name, const SegueModelType *model)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  if (tag)
    g_array_append_vals (entries, &(Entry){ .key = tag, .name = name }, 1);
  for (; rows && *rows; rows++)
    g_array_append_vals (entries, &(Entry){ .key = (*rows)->name, .row = *rows }, 1);
  g_array_sort (entries, compare_entries);
  segue_json_open (writer->json, '{');
  for (guint i = 0; i < entries->len; i++) {
    const Entry *entry = &g_array_index (entries, Entry, i);
    if (!entry->row) {
      segue_json_key_string (writer->json, entry->key, entry->name);
      continue;
    }
    SegueParam row = segue_param_read (entry->row);
    gconstpointer field = (const char *) config + row.offset;
    if (!is_selected (writer, &row, field))
      continue;
    segue_json_key (writer->json, row.name);
    write_value (writer, &row, field);
  }
  if (writer->versions && model)
    write_model_version (writer, model);
  segue_json_close (writer->json, '{');
}

void
segue_params_write (SegueJson *json, const SegueParam *const *rows, gconstpointer config,
                    SegueParamsSelection selection)
{
  Writer writer = { .json = json, .selection = selection };
  write_object (&writer, rows, config, NULL, NULL, NULL);
}

static char *
write_compact (const SegueParam *const *rows, gconstpointer config, SegueParamsSelection selection)
{
  SegueJson json;
  segue_json_init (&json, FALSE);
  segue_params_write (&json, rows, config, selection);
  return segue_json_finish (&json);
}

char *
segue_params_canonical (const SegueParam *const *rows, gconstpointer config)
{
  return write_compact (rows, config, SEGUE_PARAMS_CANONICAL);
}

char *
segue_params_describe (const SegueParam *const *rows, gconstpointer config)
{
  return write_compact (rows, config, SEGUE_PARAMS_ALL);
}

static char *
write_with_paths (const SegueParam *const *rows, gconstpointer config,
                  SegueParamContentFunc content, gpointer data, gboolean versions, GError **error)
{
  SegueJson json;
  segue_json_init (&json, FALSE);
  Writer writer = { .json = &json,
                    .selection = SEGUE_PARAMS_CANONICAL,
                    .content = content,
                    .data = data,
                    .versions = versions };
  write_object (&writer, rows, config, NULL, NULL, NULL);
  g_autofree char *text = segue_json_finish (&json);
  if (writer.error) {
    g_propagate_error (error, writer.error);
    return NULL;
  }
  return g_steal_pointer (&text);
}

char *
segue_params_key (const SegueParam *const *rows, gconstpointer config,
                  SegueParamContentFunc content, gpointer data, GError **error)
{
  return write_with_paths (rows, config, content, data, TRUE, error);
}

char *
segue_params_portable (const SegueParam *const *rows, gconstpointer config,
                       SegueParamContentFunc reference, gpointer data, GError **error)
{
  return write_with_paths (rows, config, reference, data, FALSE, error);
}
