/* Errors about an item call it by one name, once (internal). */
#pragma once

#include <glib.h>

/**
 * segue_error_name_item: (transfer full): @error with a message that names the item as ‘@name’: in place
 * of its id, of the id with a segment's suffix, or of its path, as a stage may have called it; and in
 * front, where the message has no name.
 * @path: (nullable): bytes as the system has them
 */
GError *segue_error_name_item (const GError *error, const char *id, const char *path,
                               const char *name);
