/* What people send in place of a song's bytes: told by a few headers, and by how the body begins. */
#pragma once

#include <glib.h>

#define BODY_KIND_BYTES 1024 /* of a body, that it can be told by */

/** body_kind_of_headers: (transfer none) (nullable): what the body is and how to send the song; %NULL: a
 * song, as far as headers tell.  @type, @encoding: (nullable): Content-Type, Content-Encoding */
const char *body_kind_of_headers (const char *type, const char *encoding);
/** body_kind_of_bytes: likewise, of a body that begins with @data. */
const char *body_kind_of_bytes (const char *data, gsize length);
