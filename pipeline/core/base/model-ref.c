/* A model by name: a folder, an installed model, or a snapshot in the Hugging Face cache. */
#include "base/file-type.h"
#include "base/hub-cache.h"

#include <segue/file.h>
#include <segue/model.h>
#include <string.h>

#define MAX_REF_FILE 256 /* bytes of refs/<revision>: a commit and a line end */

static gboolean
is_folder (const char *path)
{
  return g_file_test (path, G_FILE_TEST_IS_DIR);
}

/* `/x`, `./x`, `../x` and `~/x` can only mean a path. */
static gboolean
is_surely_path (const char *ref)
{
  return ref[0] == '/' || ref[0] == '.' || ref[0] == '~';
}

static char *
resolve_path (const char *ref, GError **error)
{
  g_autofree char *path = NULL;
  if (ref[0] == '~' && (ref[1] == '/' || ref[1] == '\0'))
    path = g_build_filename (g_get_home_dir (), ref + 1, NULL);
  else
    path = g_strdup (ref);
  mode_t type;
  if (!segue_file_type (path, &type, error))
    return NULL;
  if (type == S_IFDIR)
    return g_canonicalize_filename (path, NULL);
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               type ? "the model ‘%s’ is a file; give the folder that contains its config.json"
                    : "there is no model folder ‘%s’",
               shown);
  return NULL;
}

static gboolean
not_fetched (const SegueHubName *name, const char *cache, GError **error)
{
  /* runs/artist also looks like a name. */
  g_autofree char *parent = g_path_get_dirname (name->repo);
  if (is_folder (parent)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no model folder ‘%s’",
                 name->repo);
    return FALSE;
  }
  g_autofree char *shown = g_filename_display_name (cache);
  gboolean is_main = g_str_equal (name->revision, SEGUE_HUB_MAIN);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "the model ‘%s’%s%s is neither a folder nor in the cache ‘%s’; get it with: segue "
               "fetch %s%s%s",
               name->repo, is_main ? "" : " at revision ", is_main ? "" : name->revision, shown,
               name->repo, is_main ? "" : " --revision ", is_main ? "" : name->revision);
  return FALSE;
}

/* The commit of a branch or tag when it was downloaded. NULL with no error set: not in the cache. */
static char *
read_commit (const char *repo, const char *revision, GError **error)
{
  g_autofree char *path = g_build_filename (repo, "refs", revision, NULL);
  gsize length = 0;
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = segue_file_read (path, MAX_REF_FILE, &length, &problem);
  if (!text && g_error_matches (problem, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    return NULL;
  if (text && strlen (text) == length && segue_hub_is_commit (g_strstrip (text)))
    return g_steal_pointer (&text);
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "‘%s’ does not contain a commit hash; delete it and download the model again with segue fetch",
    shown);
  return NULL;
}

static char *
resolve_name (const SegueHubName *name, GError **error)
{
  g_autofree char *cache = segue_hub_cache_folder ();
  g_autofree char *repo = segue_hub_repo_folder (cache, name->repo);
  g_autofree char *commit = NULL;
  if (segue_hub_is_commit (name->revision)) {
    commit = g_strdup (name->revision);
  } else {
    GError *local = NULL;
    commit = read_commit (repo, name->revision, &local);
    if (local) {
      g_propagate_error (error, local);
      return NULL;
    }
  }
  if (commit) {
    g_autofree char *snapshot = g_build_filename (repo, "snapshots", commit, NULL);
    if (is_folder (snapshot))
      return g_canonicalize_filename (snapshot, NULL);
  }
  not_fetched (name, cache, error);
  return NULL;
}

static char *
resolve_installed (const char *name, GError **error)
{
  g_autofree char *models = g_build_filename (g_get_user_data_dir (), "segue", "models", NULL);
  g_autofree char *folder = g_build_filename (models, name, NULL);
  if (is_folder (folder))
    return g_canonicalize_filename (folder, NULL);
  g_autofree char *shown = g_filename_display_name (name);
  g_autofree char *place = g_filename_display_name (models);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "‘%s’ is neither a model folder, nor a model that is installed in ‘%s’ (as `sh "
               "examples/encoder.sh` installs msd-musicnn), nor a name "
               "such as ntu-spml/distilhubert",
               shown, place);
  return NULL;
}

char *
segue_model_ref_resolve (const char *ref, GError **error)
{
  g_return_val_if_fail (ref, NULL);
  g_auto (SegueHubName) name = { 0 };
  if (is_surely_path (ref) || is_folder (ref))
    return resolve_path (ref, error);
  if (segue_hub_name_parse (ref, &name))
    return resolve_name (&name, error);
  if (*ref && !strchr (ref, '/'))
    return resolve_installed (ref, error);
  g_autofree char *shown = g_filename_display_name (ref);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "‘%s’ is neither a model folder nor a name such as ntu-spml/distilhubert", shown);
  return NULL;
}
