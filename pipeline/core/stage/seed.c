/* Seeds: SHA-256 over the arguments, so that they depend on nothing else. */
#include "stage/seed.h"
#include <segue/param.h>

guint64
segue_seed_derive (guint64 run_seed, const char *stage_type, gint64 stage_seed, gint64 epoch,
                   const char *item)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *own = stage_seed == SEGUE_UNSET_INT
                           ? g_strdup ("0")
                           : g_strdup_printf ("seed %" G_GINT64_FORMAT, stage_seed);
  g_autofree char *text =
    g_strdup_printf ("segue seed 1\n%" G_GUINT64_FORMAT "\n%s\n%s\n%" G_GINT64_FORMAT "\n%s\n",
                     run_seed, stage_type, own, epoch, item ? item : "");
  g_checksum_update (checksum, (const guchar *) text, -1);
  guint8 digest[32];
  gsize length = sizeof digest;
  g_checksum_get_digest (checksum, digest, &length);
  guint64 seed = 0;
  for (guint i = 0; i < sizeof seed; i++)
    seed |= (guint64) digest[i] << (8 * i);
  return seed;
}
