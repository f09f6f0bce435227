/* SHA-256 as text: 64 lower-case hexadecimal digits (internal).  nettle computes the hashes. */
#pragma once

#include <glib.h>
#include <nettle/sha2.h>

/** segue_sha256_is_valid: whether @text is such a text. */
gboolean segue_sha256_is_valid (const char *text);
/** segue_sha256_finish: (transfer full): of all data that @sha was updated with; @sha is reset. */
char *segue_sha256_finish (struct sha256_ctx *sha);
/** segue_sha256_of: (transfer full): of @length bytes. */
char *segue_sha256_of (const void *data, gsize length);
/** segue_sha256_join: (transfer full): of @first, a line feed and @second: a chain of them identifies all
 * earlier parts. */
char *segue_sha256_join (const char *first, const char *second);
