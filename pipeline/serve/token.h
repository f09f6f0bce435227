/* The token that gives access to a server, and report addresses that cannot be guessed.
 *
 * The loopback address is shared by all users of a system, and every page in a browser can send
 * requests to it. Each request has to contain the token. */
#pragma once

#include <glib.h>

#define TOKEN_KEY_SIZE 32 /* bytes */

/** token_new: (transfer full): random, of URL-safe characters. */
char *token_new (GError **error);
/** token_read: (transfer full): the first line of the file at @path; it has to be long enough. */
char *token_read (const char *path, GError **error);
/** token_is_exposed: whether users other than the owner may read the file at @path. */
gboolean token_is_exposed (const char *path);
/** token_check: that @token is long enough, and of characters that are valid in a URL and a
 * header. */
gboolean token_check (const char *token, GError **error);
/** token_equal: in constant time for tokens of the same length. @given: (nullable) */
gboolean token_equal (const char *token, const char *given);
/** token_in_header: (transfer none) (nullable): of `Authorization: Bearer TOKEN` or `token TOKEN`.
 * @authorization: (nullable): the header's value */
const char *token_in_header (const char *authorization);

/** token_key_init: fills @key from the system's random source. */
gboolean token_key_init (guint8 key[TOKEN_KEY_SIZE], GError **error);
/** token_sign: (transfer full): a signature of the run @name/@id, which only the owner of @key can
 * compute. */
char *token_sign (const guint8 key[TOKEN_KEY_SIZE], const char *name, const char *id);
