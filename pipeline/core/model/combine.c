/* The folder of a combined model, written. */
#include "model/members.h"
#include "model/model-copy.h"
#include "model/model-folder.h"

#include <segue/file.h>
#include <segue/json.h>

static gboolean
check_combination (const SegueCombination *combination, GError **error)
{
  guint n = combination->n_members;
  if (n >= 2 && n <= SEGUE_MAX_MEMBERS)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "a combined model has 2 to %d members, not %u", SEGUE_MAX_MEMBERS, n);
  return FALSE;
}

static gboolean
refuse_combined (const char *folder, GError **error)
{
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "‘%s’ is a combined model, which can't be a member of another; combine its members "
               "instead",
               shown);
  return FALSE;
}

static gboolean
copy_members (const SegueCombination *combination, const char *const *folders, const char *to,
              GError **error)
{
  for (guint i = 0; i < combination->n_members; i++) {
    g_auto (SegueModelFolder) content = { 0 };
    if (!segue_model_folder_read (folders[i], &content, error))
      return FALSE;
    if (content.weights)
      return refuse_combined (folders[i], error);
    g_autofree char *path = segue_member_path (to, i);
    if (!segue_model_copy_within (folders[i], path, to, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_document (json_t *document, const char *folder, const char *name, GError **error)
{
  g_autofree char *text = segue_json_print (document, JSON_INDENT (2));
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return segue_file_write (path, line, -1, error);
}

/* The labels, as other programs expect them. */
static json_t *
describe_labels (const char *const *labels)
{
  json_t *names = json_object (), *numbers = json_object ();
  for (guint i = 0; labels[i]; i++) {
    g_autofree char *number = g_strdup_printf ("%u", i);
    json_object_set_new (names, number, json_string (labels[i]));
    json_object_set_new (numbers, labels[i], json_integer (i));
  }
  return json_pack ("{s:s, s:o, s:o}", "model_type", SEGUE_COMBINED_MODEL, "id2label", names,
                    "label2id", numbers);
}

static json_t *
describe_members (const SegueCombination *combination)
{
  json_t *members = json_array ();
  for (guint i = 0; i < combination->n_members; i++)
    json_array_append_new (members, json_pack ("{s:f}", "weight", combination->weights[i]));
  return json_pack ("{s:i, s:s, s:s, s:o}", "segue", SEGUE_MODEL_FOLDER_VERSION, "model",
                    SEGUE_COMBINED_MODEL, "rule", segue_combination_names ()[combination->rule],
                    "members", members);
}

gboolean
segue_model_combine (const SegueCombination *combination, const char *const *folders,
                     const char *const *labels, const char *to, GError **error)
{
  /* segue.json last: a folder that has one is complete. */
  return check_combination (combination, error) && segue_file_make_folder (to, error) &&
         copy_members (combination, folders, to, error) &&
         write_document (describe_labels (labels), to, "config.json", error) &&
         write_document (describe_members (combination), to, "segue.json", error);
}
