/* The models of a folder, which is untrusted. */
#include "model/members.h"
#include "base/file-type.h"
#include "model/model-folder.h"

gboolean
segue_member_name_is_valid (const char *name)
{
  guint64 number;
  return name[0] != '0' &&
         g_ascii_string_to_unsigned (name, 10, 1, SEGUE_MAX_MEMBERS, &number, NULL);
}

char *
segue_member_path (const char *folder, guint index)
{
  g_autofree char *name = g_strdup_printf ("%u", index + 1);
  return g_build_filename (folder, SEGUE_MEMBERS_FOLDER, name, NULL);
}

static gboolean
refuse (GError **error, const char *folder, const char *what)
{
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", shown, what);
  return FALSE;
}

/* A link could make a model its own member, or lead out of the folder. */
static gboolean
check_folder (const char *folder, GError **error)
{
  mode_t type;
  if (!segue_file_type_of_link (folder, &type, error))
    return FALSE;
  return type == S_IFDIR || refuse (error, folder,
                                    "is not a folder with members of a combined model; copy the "
                                    "whole folder of that model again");
}

static gboolean
check_member (const char *folder, GError **error)
{
  g_auto (SegueModelFolder) content = { 0 };
  if (!check_folder (folder, error) || !segue_model_folder_read (folder, &content, error))
    return FALSE;
  return !content.weights || refuse (error, folder,
                                     "is a member of a combined model, and itself a combined one; "
                                     "do not use this model");
}

/* The model in @folder alone. */
static void
add_itself (SegueMembers *members, const char *folder)
{
  members->weights = g_new (double, 1);
  members->weights[0] = 1;
  members->combination = (SegueCombination){ SEGUE_COMBINE_MEAN, 1, members->weights };
  g_ptr_array_add (members->folders, g_strdup (folder));
}

static gboolean
add_members (SegueMembers *members, const char *folder, const SegueModelFolder *content,
             GError **error)
{
  guint n = content->weights->len;
  g_autofree char *inside = g_build_filename (folder, SEGUE_MEMBERS_FOLDER, NULL);
  if (!check_folder (inside, error))
    return FALSE;
  members->weights = g_memdup2 (content->weights->data, n * sizeof *members->weights);
  members->combination = (SegueCombination){ content->rule, n, members->weights };
  for (guint i = 0; i < n; i++) {
    g_ptr_array_add (members->folders, segue_member_path (folder, i));
    if (!check_member (g_ptr_array_index (members->folders, i), error))
      return FALSE;
  }
  return TRUE;
}

gboolean
segue_members_read (const char *folder, SegueMembers *members, GError **error)
{
  g_auto (SegueModelFolder) content = { 0 };
  *members = (SegueMembers){ .folders = g_ptr_array_new_with_free_func (g_free) };
  if (!segue_model_folder_read (folder, &content, error))
    return FALSE;
  if (content.weights)
    return add_members (members, folder, &content, error);
  add_itself (members, folder);
  return TRUE;
}

void
segue_members_clear (SegueMembers *members)
{
  g_clear_pointer (&members->folders, g_ptr_array_unref);
  g_clear_pointer (&members->weights, g_free);
}
