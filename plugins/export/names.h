/* Portable file and folder names for a data set: valid on other systems and for `datasets`, which reads sets and
 * labels from paths.
 *
 * A name made here
 *   - is one path component that is neither hidden nor special, on any system;
 *   - contains no word by which `datasets` would put the file into another set ("test", "val", "dev", … between
 *     separators): such a word gets a `~`;
 *   - is at most 160 bytes of UTF-8 (NFC);
 *   - differs from all others made by the same Names, ignoring case.
 */
#pragma once

#include <glib.h>

typedef struct _Names Names;

Names *names_new (void);
/** names_free: accepts %NULL. */
void names_free (Names *names);
/** names_make: (transfer full): a new name for @text, different from all earlier ones. @scope:
 * names need to differ only within one scope (a folder). */
char *names_make (Names *names, const char *scope, const char *text);

/** name_sanitise: (transfer full): does everything except uniqueness. */
char *name_sanitise (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Names, names_free)
