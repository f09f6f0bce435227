/* Log messages of libraries, on stderr. */
#include "cli.h"
#include "progress.h"

#include <string.h>

static const struct {
  const char *name;
  GLogLevelFlags level;
} levels[] = {
  { "error", G_LOG_LEVEL_CRITICAL },  { "warning", G_LOG_LEVEL_WARNING },
  { "message", G_LOG_LEVEL_MESSAGE }, { "info", G_LOG_LEVEL_INFO },
  { "debug", G_LOG_LEVEL_DEBUG },
};

/* Greater is less important; unknown names enable nothing. */
static GLogLevelFlags
level_from_name (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_ascii_strcasecmp (name, levels[i].name) == 0)
      return levels[i].level;
  return 0;
}

gboolean
segue_log_wants (const char *debug, const char *category, GLogLevelFlags level)
{
  GLogLevelFlags shown = G_LOG_LEVEL_MESSAGE;
  g_auto (GStrv) rules = g_strsplit (debug ? debug : "", ",", -1);
  for (gsize i = 0; rules[i]; i++) {
    char *colon = strrchr (rules[i], ':');
    if (!colon)
      continue;
    *colon = '\0';
    GLogLevelFlags asked = level_from_name (g_strstrip (colon + 1));
    const char *name = g_strstrip (rules[i]);
    if (asked && (g_str_equal (name, "*") || g_strcmp0 (name, category) == 0))
      shown = asked;
  }
  return (level & G_LOG_LEVEL_MASK) <= shown;
}

static const char *
find_field (const GLogField *fields, gsize n, const char *key)
{
  for (gsize i = 0; i < n; i++)
    if (fields[i].length < 0 && g_str_equal (fields[i].key, key))
      return fields[i].value;
  return NULL;
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  SegueCli *cli = data;
  const char *domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  const char *message = find_field (fields, n_fields, "MESSAGE");
  /* Messages about damaged files; the stage reports what happens to the file. */
  if (domain && g_str_has_prefix (domain, "GStreamer") && !(level & G_LOG_LEVEL_ERROR))
    level = G_LOG_LEVEL_DEBUG;
  /* GLib's own writer handles fatal errors ($G_DEBUG). */
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return g_log_writer_default (level, fields, n_fields, NULL);
  if (!message || !segue_log_wants (g_getenv ("SEGUE_DEBUG"), domain ? domain : "", level))
    return G_LOG_WRITER_HANDLED;
  g_autofree char *text = segue_text_printable (message);
  g_autofree char *line = g_strdup_printf ("%s: %s", domain ? domain : "segue", text);
  if (cli->progress)
    segue_progress_print (cli->progress, line);
  else
    fprintf (cli->err.stream, "%s\n", line);
  return G_LOG_WRITER_HANDLED;
}

void
segue_log_install (SegueCli *cli)
{
  g_log_set_writer_func (write_log, cli, NULL);
}
