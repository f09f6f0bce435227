/* Names and folders of the Hugging Face cache. */
#include "base/hub-cache.h"

#include <string.h>

#define MAX_NAME     96 /* of an organisation or a model, as on the Hub */
#define MAX_REVISION 256
#define MAX_FILE     1024

void
segue_hub_name_clear (SegueHubName *name)
{
  g_clear_pointer (&name->repo, g_free);
  g_clear_pointer (&name->revision, g_free);
}

/* One part of a path: not empty, hidden, `.` or `..`. */
static gboolean
is_part (const char *part, gsize length, gsize max)
{
  if (length == 0 || length > max || part[0] == '.' || part[0] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (part[i]) && !strchr ("._-", part[i]))
      return FALSE;
  return TRUE;
}

/* An organisation or a model. The Hub refuses `--` and `..`, which would make a folder name
 * `models--A--B` ambiguous. */
static gboolean
is_repo_part (const char *part, gsize length)
{
  g_autofree char *text = g_strndup (part, length);
  return is_part (part, length, MAX_NAME) && !strstr (text, "--") && !strstr (text, "..");
}

gboolean
segue_hub_is_revision (const char *text)
{
  gsize total = strlen (text);
  if (total == 0 || total > MAX_REVISION)
    return FALSE;
  for (const char *part = text;; part++) {
    gsize length = strcspn (part, "/");
    if (!is_part (part, length, MAX_REVISION))
      return FALSE;
    part += length;
    if (!*part)
      return TRUE;
  }
}

gboolean
segue_hub_is_commit (const char *text)
{
  gsize length = strlen (text);
  return (length == 40 || length == 64) && strspn (text, "0123456789abcdef") == length;
}

gboolean
segue_hub_is_file (const char *text)
{
  gsize total = strlen (text);
  if (total == 0 || total > MAX_FILE || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *p = text; *p; p++)
    if (g_ascii_iscntrl (*p) || *p == '\\')
      return FALSE;
  for (const char *part = text;; part++) {
    gsize length = strcspn (part, "/");
    if (length == 0 || length > 255 || (length == 1 && part[0] == '.') ||
        (length == 2 && part[0] == '.' && part[1] == '.'))
      return FALSE;
    part += length;
    if (!*part)
      return TRUE;
  }
}

gboolean
segue_hub_name_parse (const char *text, SegueHubName *name)
{
  const char *slash = strchr (text, '/');
  if (!slash || !is_repo_part (text, (gsize) (slash - text)))
    return FALSE;
  gsize length = strcspn (slash + 1, "@");
  if (!is_repo_part (slash + 1, length))
    return FALSE;
  const char *end = slash + 1 + length;
  const char *revision = *end == '@' ? end + 1 : SEGUE_HUB_MAIN;
  if (!segue_hub_is_revision (revision))
    return FALSE;
  name->repo = g_strndup (text, (gsize) (end - text));
  name->revision = g_strdup (revision);
  return TRUE;
}

/* An empty variable counts as not set. */
static char *
folder_from_env (const char *variable, const char *below)
{
  const char *value = g_getenv (variable);
  if (!value || !*value)
    return NULL;
  if (value[0] == '~' && (value[1] == '/' || value[1] == '\0'))
    return g_build_filename (g_get_home_dir (), value + 1, below, NULL);
  return g_build_filename (value, below, NULL);
}

char *
segue_hub_cache_folder (void)
{
  static const struct {
    const char *variable;
    const char *below;
  } places[] = {
    { "HF_HUB_CACHE", NULL },
    { "HUGGINGFACE_HUB_CACHE", NULL },
    { "HF_HOME", "hub" },
    { "XDG_CACHE_HOME", "huggingface/hub" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    char *folder = folder_from_env (places[i].variable, places[i].below);
    if (folder)
      return folder;
  }
  return g_build_filename (g_get_home_dir (), ".cache", "huggingface", "hub", NULL);
}

char *
segue_hub_repo_folder (const char *cache, const char *repo)
{
  g_auto (GStrv) parts = g_strsplit (repo, "/", 2);
  g_autofree char *flat = g_strjoinv ("--", parts);
  g_autofree char *name = g_strconcat ("models--", flat, NULL);
  return g_build_filename (cache, name, NULL);
}
