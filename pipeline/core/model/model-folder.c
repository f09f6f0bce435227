/* segue.json: the model type of a folder, and the stages that prepare a song for it. */
#include "model/model-folder.h"
#include "base/file-type.h"

#include <math.h>
#include <segue/file.h>
#include <segue/json.h>
#include <string.h>

/* The longest reasonable chain has a handful of stages. */
#define MAX_PREPARATION_STAGES 64
/* Weights add up to 1, as far as their text is exact. */
#define WEIGHT_TOLERANCE 1e-6

json_t *
segue_model_folder_read_object (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return segue_json_read (path, SEGUE_JSON_SETTINGS, SEGUE_JSON_OPTIONAL | SEGUE_JSON_FOLLOW_LINK,
                          NULL, error);
}

static gboolean
refuse (GError **error, const char *folder, const char *what)
{
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s/segue.json’ %s", shown, what);
  return FALSE;
}

static gboolean
is_name (const char *text)
{
  if (!text || !g_ascii_islower (text[0]) || strlen (text) > 100)
    return FALSE;
  for (const char *p = text; *p != '\0'; p++) {
    if (!g_ascii_islower (*p) && !g_ascii_isdigit (*p) && *p != '-')
      return FALSE;
  }
  return TRUE;
}

/* [{"use": name, "result_version": n, "with": {…}}, …]: the shape only; code that replays it checks
 * whether such stages exist and are allowed. */
static gboolean
check_preparation (const json_t *stages)
{
  if (!json_is_array (stages) || json_array_size (stages) > MAX_PREPARATION_STAGES)
    return FALSE;
  for (gsize i = 0; i < json_array_size (stages); i++) {
    json_t *stage = json_array_get (stages, i);
    json_t *version = json_object_get (stage, "result_version");
    json_t *with = json_object_get (stage, "with");
    if (!json_is_object (stage) || !is_name (json_string_value (json_object_get (stage, "use"))))
      return FALSE;
    if (version && (!json_is_integer (version) || json_integer_value (version) < 0))
      return FALSE;
    if (with && !json_is_object (with))
      return FALSE;
  }
  return TRUE;
}

/* (nullable): the weights of the @members of a combined model, which add up to 1. */
static GArray *
parse_weights (const json_t *members)
{
  gsize n = json_array_size (members);
  double sum = 0;
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (double));
  for (gsize i = 0; n >= 2 && n <= SEGUE_MAX_MEMBERS && i < n; i++) {
    const json_t *weight = json_object_get (json_array_get (members, i), "weight");
    double value = json_number_value (weight);
    if (!json_is_number (weight) || !(value >= 0 && value <= 1))
      return NULL;
    g_array_append_val (weights, value);
    sum += value;
  }
  return fabs (sum - 1) <= WEIGHT_TOLERANCE ? g_steal_pointer (&weights) : NULL;
}

static gboolean
parse_rule (const json_t *rule, SegueCombinationRule *found)
{
  for (guint i = 0; i < SEGUE_N_COMBINATION_RULES; i++)
    if (g_strcmp0 (json_string_value (rule), segue_combination_names ()[i]) == 0) {
      *found = (SegueCombinationRule) i;
      return TRUE;
    }
  return FALSE;
}

static gboolean
parse_segue_json (const json_t *root, const char *folder, SegueModelFolder *content, GError **error)
{
  const json_t *version = json_object_get (root, "segue");
  const char *model = json_string_value (json_object_get (root, "model"));
  const json_t *preparation = json_object_get (root, "preparation");

  if (!json_is_integer (version) || json_integer_value (version) < 1)
    return refuse (error, folder, "has no format number under \"segue\"");
  if (json_integer_value (version) > SEGUE_MODEL_FOLDER_VERSION)
    return refuse (error, folder, "was written by a newer segue; update to read it");
  if (!is_name (model))
    return refuse (error, folder, "names no model type under \"model\"");
  if (preparation && !json_is_null (preparation) && !check_preparation (preparation))
    return refuse (error, folder,
                   "has a \"preparation\" that is not a list of stages with \"use\" and \"with\"");
  const json_t *members = json_object_get (root, "members");
  if (members && (!(content->weights = parse_weights (members)) ||
                  !parse_rule (json_object_get (root, "rule"), &content->rule)))
    return refuse (
      error, folder,
      "has \"members\" that are not 2 to 64 objects with a \"weight\", which add up to "
      "1, or a \"rule\" that is neither \"mean\" nor \"geometric\"");

  content->model = g_strdup (model);
  if (json_is_array (preparation))
    content->preparation =
      segue_json_print (json_incref ((json_t *) preparation), JSON_COMPACT | JSON_SORT_KEYS);
  return TRUE;
}

gboolean
segue_model_folder_read (const char *folder, SegueModelFolder *content, GError **error)
{
  GError *local = NULL;
  memset (content, 0, sizeof *content);
  mode_t type;
  if (!segue_file_type (folder, &type, error))
    return FALSE;
  if (type != S_IFDIR) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "‘%s’ is not a folder; name the folder that contains config.json", shown);
    return FALSE;
  }

  json_t *own = segue_model_folder_read_object (folder, "segue.json", &local);
  if (own)
    parse_segue_json (own, folder, content, &local);
  json_decref (own);

  json_t *config = !local ? segue_model_folder_read_object (folder, "config.json", &local) : NULL;
  const char *config_type = json_string_value (json_object_get (config, "model_type"));
  if (config_type && strlen (config_type) <= 100)
    content->config_type = g_strdup (config_type);
  json_decref (config);

  if (!local)
    return TRUE;
  g_propagate_error (error, local);
  segue_model_folder_clear (content);
  return FALSE;
}

void
segue_model_folder_clear (SegueModelFolder *content)
{
  g_clear_pointer (&content->model, g_free);
  g_clear_pointer (&content->preparation, g_free);
  g_clear_pointer (&content->config_type, g_free);
  g_clear_pointer (&content->weights, g_array_unref);
}

/* @what: "wrote no …" */
static gboolean
refuse_saved (const SegueModelType *type, GError **error, const char *what)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
               "model type '%s': its save () wrote %s: a bug in its plugin", type->name, what);
  return FALSE;
}

gboolean
segue_model_folder_check (const char *folder, const SegueModelType *type, GError **error)
{
  g_autofree char *weights = g_build_filename (folder, "model.safetensors", NULL);
  g_autoptr (GError) local = NULL;
  json_t *config = segue_model_folder_read_object (folder, "config.json", &local);
  gboolean present = config != NULL;
  g_autofree char *name = g_strdup (json_string_value (json_object_get (config, "model_type")));
  json_decref (config);
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA)) {
    g_autofree char *what =
      g_strdup_printf ("a config.json that cannot be read (%s)", local->message);
    return refuse_saved (type, error, what);
  }
  if (local) { /* the disk's fault */
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (!present)
    return refuse_saved (type, error, "no config.json");
  mode_t weights_type;
  if (!segue_file_type (weights, &weights_type, error))
    return FALSE;
  if (weights_type != S_IFREG)
    return refuse_saved (type, error, "no model.safetensors");
  if (!type->config_types || (name && g_strv_contains (type->config_types, name)))
    return TRUE;
  g_autofree char *types = g_strjoinv ("', '", (char **) type->config_types);
  g_autofree char *what = g_strdup_printf (
    "a config.json with the \"model_type\" '%s', which is none of its config_types ('%s')",
    name ? name : "", types);
  return refuse_saved (type, error, what);
}

gboolean
segue_model_folder_write (const char *folder, const char *model, const char *preparation,
                          GError **error)
{
  json_t *stages =
    preparation ? segue_json_parse (preparation, -1, "segue.json", SEGUE_JSON_SETTINGS, NULL, NULL)
                : json_array ();
  if (!check_preparation (stages)) {
    json_decref (stages);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "the preparation of a %s model is not a list of stages", model);
    return FALSE;
  }

  json_decref (stages);

  /* The text is inserted unchanged: canonical numbers stay the shortest ones. */
  g_autofree char *content =
    g_strdup_printf ("{\n  \"segue\": %d,\n  \"model\": \"%s\",\n  \"preparation\": %s\n}\n",
                     SEGUE_MODEL_FOLDER_VERSION, model, preparation ? preparation : "[]");
  g_autofree char *path = g_build_filename (folder, "segue.json", NULL);
  return segue_file_write (path, content, -1, error);
}
