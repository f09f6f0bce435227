/* File names are bytes; ids, labels and fields are text. */
#pragma once

#include <glib.h>

/**
 * name_to_text: (transfer full):
 *
 * @bytes as UTF-8 in which every byte that is none reads `%XX`.  A `%` that two hexadecimal digits
 * follow reads `%25`, so that no two names have one text: `100% pure` stays as it is.
 */
char *name_to_text (const char *bytes);

/** name_to_nfc: (transfer full): name_to_text() in Unicode NFC: what macOS writes decomposed and
 * others composed is one text. */
char *name_to_nfc (const char *bytes);

/** name_has_extension: whether @name ends in a dot and one of @extensions (with or without a
 * leading dot), whatever the case of ASCII letters. */
gboolean name_has_extension (const char *name, const GArray *extensions);

/** name_fold: (transfer full): for comparing without regard to case or to how letters with accents
 * are composed. */
char *name_fold (const char *text);
/** names_sorted: (transfer container): the keys of @table, in order of their bytes. */
GPtrArray *names_sorted (GHashTable *table);
