/* Where a test fails (internal). */
#pragma once

#include <gio/gio.h>

/** segue_place_check: ends the test at a line of its own if there is an @error (nullable). */
static inline void
segue_place_check (const GError *error, const char *file, int line, const char *function)
{
  if (error)
    g_assertion_message (G_LOG_DOMAIN, file, line, function, error->message);
}
