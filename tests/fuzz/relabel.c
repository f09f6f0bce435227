/* Relabel tables: whatever the bytes, a table of text or an error that names the line. */
#include "relabel.h"
#include "scratch.h"
#include "standalone.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  char path[256];
  g_snprintf (path, sizeof path, "%s/table.csv", fuzz_folder ());
  fuzz_put ("table.csv", data, size);
  g_autoptr (GHashTable) labels = relabel_load (path, &error);
  if (!labels) {
    fuzz_check_error (error);
    return 0;
  }
  GHashTableIter iter;
  gpointer song, label;
  g_hash_table_iter_init (&iter, labels);
  while (g_hash_table_iter_next (&iter, &song, &label)) {
    g_assert_true (g_utf8_validate (song, -1, NULL));
    g_assert_true (g_utf8_validate (label, -1, NULL));
  }
  return 0;
}
