/* File names are bytes; ids, labels and fields are text. */
#pragma once

#include <glib.h>

/**
 * name_to_text: (transfer full):
 *
 * @bytes as UTF-8 in which every invalid byte becomes `%XX`. A `%` before two hexadecimal digits
 * becomes `%25`, so that no two names give the same text: `100% pure` is unchanged.
 */
char *name_to_text (const char *bytes);

/** name_to_nfc: (transfer full): name_to_text() in Unicode NFC: names that macOS writes decomposed
 * and other systems composed give the same text. */
char *name_to_nfc (const char *bytes);

/** name_has_extension: whether @name ends in a dot and one of @extensions (with or without a
 * leading dot), ignoring the case of ASCII letters. */
gboolean name_has_extension (const char *name, const GArray *extensions);

/** name_fold: (transfer full): for comparisons that ignore case and the composition of accented
 * letters. */
char *name_fold (const char *text);
/** names_sorted: (transfer container): the keys of @table, in order of their bytes. */
GPtrArray *names_sorted (GHashTable *table);
