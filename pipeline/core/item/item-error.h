/* Errors about an item name it once, by one name (internal). */
#pragma once

#include <glib.h>

/**
 * segue_error_name_item: (transfer full): @error with a message that names the item as ‘@name’: in place
 * of its id, of the id with a segment's suffix, or of its path, where a stage used one of them; as a
 * prefix, where the message contains no name.
 * @path: (nullable): bytes as the system has them
 */
GError *segue_error_name_item (const GError *error, const char *id, const char *path,
                               const char *name);
