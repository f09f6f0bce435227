/* README.md of an exported data set: text for people, and front matter for `datasets`. */
#pragma once

#include <glib.h>

/** Card: strings are borrowed. @sets: %NULL-terminated, those that are not empty. @labels: folder names, in the
 * order in which `datasets` numbers them. @columns: (nullable): of the metadata files, without `file_name`; names
 * and types ("string", "float64") alternate. @vectors: the files are arrays for NumPy. @rate: of audio, in Hz; 0: each file
 * has its own. */
typedef struct {
  const char *title;
  const char *const *sets;
  const char *const *labels;
  const char *const *columns;
  const guint *counts; /* items of each of @sets */
  gboolean vectors;
  guint rate;
} Card;

/** card_write: (transfer full): the whole text. */
char *card_write (const Card *card);
