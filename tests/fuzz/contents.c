/* Cached hashes of files: whatever the record contains, a key is the file's own or one that was recorded for
 * exactly this file, and always a valid key. */
#include "store/contents.h"
#include "base/sha256.h"
#include "scratch.h"
#include "standalone.h"

#include <string.h>

/* SHA-256 of "abc". */
#define SONG_KEY "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static SegueFileStamp stamp;
  static char *song, *memory;
  g_autoptr (GError) error = NULL;
  if (!song) {
    song = g_build_filename (fuzz_folder (), "song", NULL);
    fuzz_put ("song", "abc", 3);
    g_autofree char *first = segue_contents_key (NULL, song, &stamp, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (first, ==, SONG_KEY);
    g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, song, -1);
    memory = g_strdup_printf ("files/%.2s/%s", name, name + 2);
  }
  /* The first byte selects whether the rest is used as the key in a record of this file with a correct
   * checksum. */
  g_autoptr (GByteArray) text = g_byte_array_new ();
  gboolean known = size > 0 && data[0] == '=';
  if (known) {
    g_autoptr (GByteArray) body = g_byte_array_new ();
    g_autofree char *prefix = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                                               " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " ",
                                               stamp.inode, stamp.size, stamp.mtime, stamp.ctime);
    g_byte_array_append (body, (const guint8 *) prefix, (guint) strlen (prefix));
    g_byte_array_append (body, data + 1, (guint) size - 1);
    g_byte_array_append (body, (const guint8 *) "\n", 1);
    g_byte_array_append (body, (const guint8 *) song, (guint) strlen (song));
    g_autofree char *digest =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, body->data, body->len);
    g_autofree char *line = g_strdup_printf ("segue file 2 %s\n", digest);
    g_byte_array_append (text, (const guint8 *) line, (guint) strlen (line));
    g_byte_array_append (text, body->data, body->len);
  } else {
    g_byte_array_append (text, data, (guint) size);
  }
  fuzz_put (memory, text->len > 0 ? text->data : (const guint8 *) "", text->len);

  g_autofree char *files = g_build_filename (fuzz_folder (), "files", NULL);
  SegueFileStamp now;
  g_autofree char *key = segue_contents_key (files, song, &now, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (segue_sha256_is_valid (key));
  g_autofree char *noted = known ? g_strndup ((const char *) data + 1, size - 1) : NULL;
  gboolean taken = noted && size == 1 + 64 && segue_sha256_is_valid (noted);
  g_assert_cmpstr (key, ==, taken ? noted : SONG_KEY);
  return 0;
}
