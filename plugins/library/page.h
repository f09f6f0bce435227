/* map/index.html and its files. */
#pragma once

#include "place.h"

#include <gio/gio.h>

/** page_write: @places: #Place; @folder: exists; index.html is written last. */
gboolean page_write (const GArray *places, const char *folder, GError **error);
