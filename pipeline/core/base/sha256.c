#include "base/sha256.h"

#include <nettle/base16.h>
#include <string.h>

#define DIGITS BASE16_ENCODE_LENGTH (SHA256_DIGEST_SIZE)

gboolean
segue_sha256_is_valid (const char *text)
{
  return strlen (text) == DIGITS && strspn (text, "0123456789abcdef") == DIGITS;
}

char *
segue_sha256_finish (struct sha256_ctx *sha)
{
  guint8 digest[SHA256_DIGEST_SIZE];
  char *text = g_malloc0 (DIGITS + 1);
  sha256_digest (sha, sizeof digest, digest);
  base16_encode_update (text, sizeof digest, digest);
  return text;
}

char *
segue_sha256_of (const void *data, gsize length)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  sha256_update (&sha, length, data);
  return segue_sha256_finish (&sha);
}

char *
segue_sha256_join (const char *first, const char *second)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  sha256_update (&sha, strlen (first), (const guint8 *) first);
  sha256_update (&sha, 1, (const guint8 *) "\n");
  sha256_update (&sha, strlen (second), (const guint8 *) second);
  return segue_sha256_finish (&sha);
}
