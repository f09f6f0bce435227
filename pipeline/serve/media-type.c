#include "media-type.h"

#include <glib.h>

static const struct {
  const char *ending, *type;
} types[] = {
  { ".html", "text/html; charset=utf-8" },
  { ".css", "text/css; charset=utf-8" },
  { ".js", "text/javascript; charset=utf-8" },
  { ".json", "application/json" },
  { ".csv", "text/csv; charset=utf-8" },
  { ".txt", "text/plain; charset=utf-8" },
  { ".svg", "image/svg+xml" },
  { ".png", "image/png" },
  { ".jpg", "image/jpeg" },
  { ".webp", "image/webp" },
  { ".ogg", "audio/ogg" },
  { ".opus", "audio/ogg" },
  { ".mp3", "audio/mpeg" },
  { ".flac", "audio/flac" },
  { ".m4a", "audio/mp4" },
  { ".wav", "audio/wav" },
  { ".woff2", "font/woff2" },
};

const char *
media_type_of (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (name, types[i].ending))
      return types[i].type;
  return NULL;
}
