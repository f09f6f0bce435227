/* File and folder names for a data set that travels: to other systems, and through `datasets`, which
 * reads sets and labels out of paths.
 *
 * A name made here
 *   - is one path component that is neither hidden nor special, on any system;
 *   - holds no word by which `datasets` would put the file into another set ("test", "val", "dev",
 *     … between separators): such a word gets a `~`;
 *   - is at most 160 bytes of UTF-8 (NFC);
 *   - is unlike all others that were made by the same Names, whatever the case of letters.
 */
#pragma once

#include <glib.h>

typedef struct _Names Names;

Names *names_new (void);
/** names_free: accepts %NULL. */
void names_free (Names *names);
/** names_make: (transfer full): a new name for @text, different from all before.  @scope: names
 * need to differ only within one (a folder). */
char *names_make (Names *names, const char *scope, const char *text);

/** name_sanitise: (transfer full): all but the uniqueness. */
char *name_sanitise (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Names, names_free)
