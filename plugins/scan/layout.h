/* How a music folder is laid out: `{artist}/{album}/{title}`.
 *
 * A layout has one part per level. A part consists of fields in braces and text between them:
 * `{artist} - {album}/{track} {title}`. A field matches as little as possible, and at least one
 * character. The extension of the file is not part of the last level.
 */
#pragma once

#include <glib.h>

typedef struct _Layout Layout;

/** layout_parse: errors state what is wrong with @text. */
Layout *layout_parse (const char *text, GError **error);
/** layout_free: accepts %NULL. */
void layout_free (Layout *layout);
gboolean layout_has_field (const Layout *layout, const char *name);
/** layout_list_fields: (transfer full): "artist, album, title". */
char *layout_list_fields (const Layout *layout);
guint layout_get_depth (const Layout *layout);

/** LayoutFieldFunc: a field and its value (NFC), in the layout's order. */
typedef void (*LayoutFieldFunc) (const char *name, const char *value, gpointer data);

/**
 * layout_match:
 * @path: below the root, as bytes
 * @any_depth: a path whose number of levels differs from the layout's is fitted: the file's own
 *   name to the last part, folders to the others from the top; extra folders are added to the last
 *   folder part (`Life/CD 1`), missing fields stay unset
 * @reason: (out) (transfer full): why it does not match
 */
gboolean layout_match (const Layout *layout, const char *path, gboolean any_depth,
                       LayoutFieldFunc func, gpointer data, char **reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Layout, layout_free)
