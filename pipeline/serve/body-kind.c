#include "body-kind.h"

#include <string.h>

#define FORM                                                                                       \
  "the body is a multipart form, not a song; send the song itself as the body (with curl: "        \
  "--data-binary @song.mp3 instead of -F)"
#define GZIP                                                                                       \
  "the body is compressed; send the song uncompressed, without gzip and without Content-Encoding"
#define PAGE                                                                                       \
  "the body is a web page (HTML), not a song; its download may have failed: open the file in an "  \
  "editor to check its content"

static gboolean
begins (const char *text, gsize length, const char *with)
{
  gsize n = strlen (with);
  return length >= n && g_ascii_strncasecmp (text, with, n) == 0;
}

const char *
body_kind_of_headers (const char *type, const char *encoding)
{
  if (type && begins (type, strlen (type), "multipart/"))
    return FORM;
  if (encoding && *encoding && g_ascii_strcasecmp (encoding, "identity") != 0)
    return GZIP;
  return NULL;
}

const char *
body_kind_of_bytes (const char *data, gsize length)
{
  if (length >= 3 && memcmp (data, "\x1f\x8b\x08", 3) == 0)
    return GZIP;
  if (begins (data, length, "--") && g_strstr_len (data, (gssize) MIN (length, BODY_KIND_BYTES),
                                                   "\r\nContent-Disposition: form-data"))
    return FORM;
  /* A page may begin with a byte order mark and blanks. */
  if (begins (data, length, "\xef\xbb\xbf")) {
    data += 3;
    length -= 3;
  }
  while (length > 0 && g_ascii_isspace (*data)) {
    data++;
    length--;
  }
  return begins (data, length, "<!doctype html") || begins (data, length, "<html") ? PAGE : NULL;
}
