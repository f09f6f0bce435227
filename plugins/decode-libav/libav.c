#include "libav.h"

#include <gmodule.h>
#include <segue/error.h>
#include <string.h>

/* Maximum number of log lines per song: a damaged one may cause a thousand. */
#define MAX_LINES 10u
/* A system with this much free memory is not out of memory. */
#define ENOUGH_MEMORY (32u << 20)

Libav libav;

/* Of the song that is being decoded in this thread; songs are decoded in one thread each. */
typedef struct {
  SegueContext *context;
  guint n_lines;
} Listener;

static GPrivate listeners = G_PRIVATE_INIT (g_free);

static void G_GNUC_PRINTF (3, 0) on_log (void *object, int level, const char *format, va_list args)
{
  Listener *listener = g_private_get (&listeners);
  g_autofree char *text = NULL, *line = NULL;

  if (level > AV_LOG_WARNING || (listener && listener->n_lines >= MAX_LINES))
    return;
  text = g_strdup_vprintf (format, args);
  line = g_utf8_make_valid (g_strchomp (text), -1);
  for (char *at = line; *at; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  if (listener && listener->context) {
    listener->n_lines++;
    segue_context_log (listener->context, G_LOG_LEVEL_DEBUG, "libav: %s", line);
  } else {
    g_debug ("libav: %s", line);
  }
}

void
libav_log_to (SegueContext *context)
{
  Listener *listener = g_private_get (&listeners);

  if (!listener) {
    listener = g_new0 (Listener, 1);
    g_private_set (&listeners, listener);
  }
  *listener = (Listener){ .context = context };
}

static GModule *
open_library (const char *name, GError **error)
{
  GModule *module = g_module_open (name, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);

  if (module)
    g_module_make_resident (module);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "%s can't be loaded: %s; check that there is enough memory and that FFmpeg is "
                 "installed, in the major version that segue was built with",
                 name, g_module_error ());
  return module;
}

/* @function: a pointer to the member that receives it. */
static gboolean
find (GModule *module, const char *name, gpointer function, GError **error)
{
  gpointer symbol;

  if (!g_module_symbol (module, name, &symbol) || !symbol) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "%s has no ‘%s’: reinstall FFmpeg",
                 g_module_name (module), name);
    return FALSE;
  }
  memcpy (function, &symbol, sizeof symbol);
  return TRUE;
}

#define SONAME(library, major) "lib" library ".so." G_STRINGIFY (major)
#define FIND(name)             &&find (module, #name, &libav.name, error)

static gboolean
load (GError **error)
{
  GModule *module;

  return (module = open_library (SONAME ("avutil", LIBAVUTIL_VERSION_MAJOR), error))
           LIBAV_UTIL_FUNCTIONS (FIND) &&
         (module = open_library (SONAME ("avcodec", LIBAVCODEC_VERSION_MAJOR), error))
           LIBAV_CODEC_FUNCTIONS (FIND) &&
         (module = open_library (SONAME ("avformat", LIBAVFORMAT_VERSION_MAJOR), error))
           LIBAV_FORMAT_FUNCTIONS (FIND);
}

/* %NULL or the reason for the failure; lives as long as the process. */
static gpointer
load_once (gpointer unused)
{
  GError *error = NULL;

  if (load (&error))
    libav.av_log_set_callback (on_log);
  return error;
}

gboolean
libav_load (GError **error)
{
  static GOnce once = G_ONCE_INIT;
  const GError *failure = g_once (&once, load_once, NULL);

  if (failure)
    g_propagate_error (error, g_error_copy (failure));
  return !failure;
}

char *
libav_describe (void)
{
  unsigned codec = libav.avcodec_version (), format = libav.avformat_version ();

  return g_strdup_printf (
    "FFmpeg %s (libavcodec %u.%u.%u, libavformat %u.%u.%u)", libav.av_version_info (),
    AV_VERSION_MAJOR (codec), AV_VERSION_MINOR (codec), AV_VERSION_MICRO (codec),
    AV_VERSION_MAJOR (format), AV_VERSION_MINOR (format), AV_VERSION_MICRO (format));
}

gboolean
libav_out_of_memory (void)
{
  g_autofree char *block = g_try_malloc (ENOUGH_MEMORY);

  return !block;
}
