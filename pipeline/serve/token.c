#include "token.h"

#include <errno.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define RANDOM_SIZE    24 /* bytes: 192 bits */
#define MIN_LENGTH     16
#define MAX_LENGTH     200
#define SIGNATURE_SIZE 32 /* hexadecimal digits: 128 bits */
#define CHARACTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

static gboolean
fill (guint8 *bytes, gsize size, GError **error)
{
  gsize n = 0;
  while (n < size) {
    gssize more = getrandom (bytes + n, size - n, 0);
    if (more < 0 && errno == EINTR)
      continue;
    if (more < 0) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "can't read the system's random source: %s", g_strerror (errno));
      return FALSE;
    }
    n += (gsize) more;
  }
  return TRUE;
}

char *
token_new (GError **error)
{
  guint8 bytes[RANDOM_SIZE];
  if (!fill (bytes, sizeof bytes, error))
    return NULL;
  char *text = g_base64_encode (bytes, sizeof bytes);
  /* Base64 of a multiple of three bytes has no padding. */
  return g_strdelimit (g_strdelimit (text, "+", '-'), "/", '_');
}

gboolean
token_check (const char *token, GError **error)
{
  gsize n = strlen (token);
  if (n >= MIN_LENGTH && n <= MAX_LENGTH && strspn (token, CHARACTERS) == n)
    return TRUE;
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
    "the token must have %d to %d letters, digits, or any of -._~; it has %zu characters",
    MIN_LENGTH, MAX_LENGTH, n);
  return FALSE;
}

char *
token_read (const char *path, GError **error)
{
  g_autofree char *text = segue_file_read (path, MAX_LENGTH * 2, NULL, error);
  if (!text)
    return NULL;
  text[strcspn (text, "\r\n")] = '\0';
  return token_check (text, error) ? g_steal_pointer (&text) : NULL;
}

gboolean
token_is_exposed (const char *path)
{
  struct stat info;
  return stat (path, &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH));
}

gboolean
token_equal (const char *token, const char *given)
{
  gsize n = strlen (token);
  if (!given || strlen (given) != n)
    return FALSE;
  volatile guint8 difference = 0;
  for (gsize i = 0; i < n; i++)
    difference |= (guint8) token[i] ^ (guint8) given[i];
  return difference == 0;
}

const char *
token_in_header (const char *authorization)
{
  static const char *const schemes[] = { "Bearer ", "token " };
  for (gsize i = 0; authorization && i < G_N_ELEMENTS (schemes); i++) {
    gsize n = strlen (schemes[i]);
    if (g_ascii_strncasecmp (authorization, schemes[i], n) == 0)
      return authorization + n + strspn (authorization + n, " ");
  }
  return NULL;
}

gboolean
token_key_init (guint8 key[TOKEN_KEY_SIZE], GError **error)
{
  return fill (key, TOKEN_KEY_SIZE, error);
}

char *
token_sign (const guint8 key[TOKEN_KEY_SIZE], const char *name, const char *id)
{
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, TOKEN_KEY_SIZE);
  /* The zeros between them distinguish (a, bc) from (ab, c). */
  g_hmac_update (hmac, (const guint8 *) name, (gssize) strlen (name) + 1);
  g_hmac_update (hmac, (const guint8 *) id, (gssize) strlen (id) + 1);
  return g_strndup (g_hmac_get_string (hmac), SIGNATURE_SIZE);
}
