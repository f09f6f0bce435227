/* SHA-256 against GLib's, in all lengths around a block and in all cuts. */
#include "sha256.h"

#include <string.h>

static void
test_vectors (void)
{
  g_autoptr (SegueSha256) empty = segue_sha256_new ();
  g_autofree char *nothing = segue_sha256_finish_hex (empty);
  g_assert_cmpstr (nothing, ==, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  /* FIPS 180-4, one million times `a`. */
  g_autoptr (SegueSha256) million = segue_sha256_new ();
  g_autofree char *block = g_strnfill (1000, 'a');
  for (guint i = 0; i < 1000; i++)
    segue_sha256_update (million, block, 1000);
  g_autofree char *text = segue_sha256_finish_hex (million);
  g_assert_cmpstr (text, ==, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
test_against_glib (void)
{
  guint8 data[1000];
  GRand *random = g_rand_new_with_seed (1);
  for (guint i = 0; i < sizeof data; i++)
    data[i] = (guint8) g_rand_int (random);
  for (guint length = 0; length <= 300; length++) {
    g_autofree char *expected = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, length);
    g_autofree guint8 *exact = g_memdup2 (data, MAX (length, 1));
    g_autoptr (SegueSha256) whole = segue_sha256_new ();
    segue_sha256_update (whole, exact, length);
    g_autofree char *text = segue_sha256_finish_hex (whole);
    g_assert_cmpstr (text, ==, expected);
    g_autoptr (SegueSha256) portable = segue_sha256_new_portable ();
    segue_sha256_update (portable, exact, length);
    g_autofree char *other = segue_sha256_finish_hex (portable);
    g_assert_cmpstr (other, ==, expected);
  }
  for (guint round = 0; round < 300; round++) {
    g_autoptr (SegueSha256) pieces = segue_sha256_new ();
    for (gsize at = 0; at < sizeof data;) {
      gsize n = (gsize) g_rand_int_range (random, 0, 150);
      n = MIN (n, sizeof data - at);
      segue_sha256_update (pieces, data + at, n);
      at += n;
    }
    g_autofree char *text = segue_sha256_finish_hex (pieces);
    g_autofree char *expected = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, sizeof data);
    g_assert_cmpstr (text, ==, expected);
  }
  g_rand_free (random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sha256/vectors", test_vectors);
  g_test_add_func ("/sha256/against-glib", test_against_glib);
  return g_test_run ();
}
