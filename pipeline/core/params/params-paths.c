/* Paths in pipelines: made absolute once, when they are read. */
#include "params/params-paths.h"
#include "base/hub-cache.h"
#include "params/params.h"
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *
segue_path_resolve (const char *text, const char *folder)
{
  if (g_str_has_prefix (text, "file:///")) {
    char *path = g_filename_from_uri (text, NULL, NULL);
    if (path)
      return path;
  }
  if (text[0] == '~' && (text[1] == '\0' || text[1] == '/')) {
    g_autofree char *in_home = g_build_filename (g_get_home_dir (), text + 1, NULL);
    return g_canonicalize_filename (in_home, NULL);
  }
  g_autofree char *base = g_canonicalize_filename (folder ? folder : ".", NULL);
  return g_canonicalize_filename (text, base);
}

/* ORG/NAME of a model in the hub's cache, or NAME of an installed one. */
static gboolean
is_model_name (const char *text)
{
  g_auto (SegueHubName) name = { 0 };
  return segue_hub_name_parse (text, &name) || (!strchr (text, '/') && text[0] != '.');
}

char *
segue_model_ref_parse (const char *text, const char *folder)
{
  g_autofree char *path = segue_path_resolve (text, folder);
  if (is_model_name (text) && !g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_strdup (text);
  return g_steal_pointer (&path);
}

char *
segue_path_to_text (const char *path)
{
  if (g_utf8_validate (path, -1, NULL))
    return g_strdup (path);
  char *uri = g_filename_to_uri (path, NULL, NULL);
  return uri ? uri : g_utf8_make_valid (path, -1);
}

/* (nullable): the existing part of @path without links; %NULL where a link is broken. */
static char *
real_path (const char *path)
{
  g_autofree char *at = g_strdup (path);
  for (;;) {
    char *real = realpath (at, NULL);
    struct stat info;
    if (real || lstat (at, &info) == 0)
      return real;
    char *parent = g_path_get_dirname (at);
    g_free (at);
    at = parent;
  }
}

gboolean
segue_path_is_within (const char *path, const char *folder)
{
  char *real = real_path (path), *root = real_path (folder);
  gsize length = root ? strlen (root) : 0;
  gboolean within = real && root && strncmp (real, root, length) == 0 &&
                    (length == 1 || real[length] == '/' || real[length] == '\0');
  free (real);
  free (root);
  return within;
}

const char *
segue_params_find_output (const SegueParam *const *rows, gconstpointer config)
{
  const char *path = NULL;
  for (; rows && *rows && !path; rows++) {
    SegueParam row = segue_param_read (*rows);
    gconstpointer field = (const char *) config + row.offset;
    const SegueVariant *variant = field;
    if (row.type == SEGUE_PARAM_OUTPUT_PATH)
      path = *(char *const *) field;
    else if (row.type == SEGUE_PARAM_RECORD)
      path = segue_params_find_output (row.group->params, field);
    else if (row.type == SEGUE_PARAM_VARIANT && variant->chosen && variant->config)
      path = segue_params_find_output (variant->chosen->params, variant->config);
  }
  return path;
}
