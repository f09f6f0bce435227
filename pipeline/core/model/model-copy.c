/* A copy of a model folder that shares its data where possible. */
#include "model/model-copy.h"
#include "base/file-type.h"
#include "model/members.h"
#include "model/preparation.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/file.h>
#include <segue/model.h>
#include <stdlib.h>
#include <unistd.h>

/* What a folder in a model folder is. */
typedef enum { OTHER, MODEL, PREPARATION, PREPARED, MEMBERS, MEMBER } Part;

/* What the folder @name in a @part is; OTHER: nothing that belongs to the model. */
static Part
find_part (Part part, const char *name)
{
  switch (part) {
  case MODEL:
    if (g_str_equal (name, SEGUE_MEMBERS_FOLDER))
      return MEMBERS;
    return g_str_equal (name, SEGUE_PREPARATION_FOLDER) ? PREPARATION : OTHER;
  case MEMBER:
    return g_str_equal (name, SEGUE_PREPARATION_FOLDER) ? PREPARATION : OTHER;
  case MEMBERS:
    return segue_member_name_is_valid (name) ? MEMBER : OTHER;
  case PREPARATION:
    return PREPARED;
  case PREPARED:
  case OTHER:
    break;
  }
  return OTHER;
}

/* (transfer full) (nullable): RUN/stages for RUN/stages/train/model. */
static char *
find_stages (const char *model)
{
  char *path = realpath (model, NULL);
  g_autofree char *stage = path ? g_path_get_dirname (path) : NULL;
  free (path);
  return stage ? g_path_get_dirname (stage) : NULL;
}

/* Whether both are outputs of stages of one run. A link to any other folder would let an edit of the run change
 * that folder. */
static gboolean
may_link (const char *from, const char *to)
{
  g_autofree char *one = find_stages (from), *other = find_stages (to);
  return one && g_strcmp0 (one, other) == 0;
}

static gboolean
copy_file (const char *from, const char *to, GError **error)
{
  int fd = open (from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open", from);
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (to, error);
  gboolean ok = writer && segue_file_writer_copy (writer, fd, error) &&
                segue_file_writer_commit (writer, error);
  close (fd);
  return ok;
}

/* The files of folder @from, which is a @part, and of the folders in it that belong to the model. @from may also be a
 * file. */
static gboolean
copy_tree (const char *from, const char *to, gboolean link_files, Part part, GError **error)
{
  mode_t type;
  if (!segue_file_type (from, &type, error))
    return FALSE;
  if (type == S_IFREG)
    return (link_files && link (from, to) == 0) || copy_file (from, to, error);
  g_auto (GStrv) names = segue_file_list_folder (from, error);
  if (!names || !segue_file_make_folder (to, error))
    return FALSE;
  for (guint i = 0; names[i]; i++) {
    g_autofree char *source = g_build_filename (from, names[i], NULL);
    g_autofree char *target = g_build_filename (to, names[i], NULL);
    /* Files may be links, as in the hub's cache; a folder that is one could be any folder. */
    mode_t itself, target_type;
    if (!segue_file_type_of_link (source, &itself, error) ||
        !segue_file_type (source, &target_type, error))
      return FALSE;
    Part inner = itself == S_IFDIR ? find_part (part, names[i]) : OTHER;
    gboolean wanted = itself == S_IFDIR ? inner != OTHER : target_type == S_IFREG;
    if (wanted && !copy_tree (source, target, link_files, inner, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
segue_model_copy (const char *from, const char *to, GError **error)
{
  return segue_model_copy_within (from, to, to, error);
}

gboolean
segue_model_copy_within (const char *from, const char *to, const char *whole, GError **error)
{
  mode_t type;
  if (!segue_file_type (from, &type, error) ||
      (type == S_IFDIR && !segue_file_make_folder (to, error)))
    return FALSE;
  return copy_tree (from, to, may_link (from, whole), MODEL, error);
}
