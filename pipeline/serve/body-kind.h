/* Bodies that are not a song's bytes, recognised by a few headers and the beginning of the body. */
#pragma once

#include <glib.h>

#define BODY_KIND_BYTES 1024 /* of a body, enough to recognise it */

/** body_kind_of_headers: (transfer none) (nullable): what the body is and how to send the song;
 * %NULL: a song, as far as headers show. @type, @encoding: (nullable): Content-Type,
 * Content-Encoding */
const char *body_kind_of_headers (const char *type, const char *encoding);
/** body_kind_of_bytes: likewise, of a body that begins with @data. */
const char *body_kind_of_bytes (const char *data, gsize length);
