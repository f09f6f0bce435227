/* A copy of a model folder that shares its data where possible. */
#include <errno.h>
#include <fcntl.h>
#include <segue/file.h>
#include <segue/model.h>
#include <stdlib.h>
#include <unistd.h>

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

gboolean
segue_model_copy (const char *from, const char *to, GError **error)
{
  g_auto (GStrv) names = segue_file_list_folder (from, error);
  if (!names || !segue_file_make_folder (to, error))
    return FALSE;
  gboolean link_files = may_link (from, to);
  for (guint i = 0; names[i]; i++) {
    g_autofree char *source = g_build_filename (from, names[i], NULL);
    g_autofree char *target = g_build_filename (to, names[i], NULL);
    gboolean is_file = g_file_test (source, G_FILE_TEST_IS_REGULAR);
    if (is_file && !(link_files && link (source, target) == 0) &&
        !copy_file (source, target, error))
      return FALSE;
  }
  return TRUE;
}
