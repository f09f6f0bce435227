#include "notes.h"

/* Per item. */
#define MAX_BYTES 4096

static GMutex lock;
static GString *notes; /* nullable */

static const char *
find_field (const GLogField *fields, gsize n, const char *key)
{
  for (gsize i = 0; i < n; i++)
    if (fields[i].length < 0 && g_str_equal (fields[i].key, key))
      return fields[i].value;
  return "";
}

/* An error ends the process. A critical message does so if $G_DEBUG requests it, which GLib's own
 * writer handles; those of GStreamer concern the current file. */
static gboolean
may_be_fatal (GLogLevelFlags level, const char *domain)
{
  return (level & G_LOG_LEVEL_ERROR) || ((level & G_LOG_LEVEL_CRITICAL) && g_getenv ("G_DEBUG") &&
                                         !g_str_has_prefix (domain, "GStreamer"));
}

static GLogWriterOutput
write_note (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const char *domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  const char *message = find_field (fields, n_fields, "MESSAGE");
  if (may_be_fatal (level, domain))
    return g_log_writer_default (level, fields, n_fields, NULL);
  if (level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG))
    return G_LOG_WRITER_HANDLED;
  g_mutex_lock (&lock);
  if (!notes)
    notes = g_string_new (NULL);
  if (notes->len < MAX_BYTES)
    g_string_append_printf (notes, "%s%s: %.512s", notes->len > 0 ? "\n" : "", domain, message);
  g_mutex_unlock (&lock);
  return G_LOG_WRITER_HANDLED;
}

void
notes_install (void)
{
  g_log_set_writer_func (write_note, NULL, NULL);
}

char *
notes_take (void)
{
  g_mutex_lock (&lock);
  char *text = notes ? g_string_free (notes, FALSE) : NULL;
  notes = NULL;
  g_mutex_unlock (&lock);
  return text;
}
