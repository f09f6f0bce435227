#include "ignored.h"

#include "names.h"

#include <segue/file.h>

/* Maximum number named in one line; a folder that is not a music library may contain any number. */
#define MAX_EXTENSIONS 40

/* "3 .cue, 12 .jpg, 1 no extension" */
void
ignored_log (GHashTable *ignored, SegueContext *context)
{
  g_autoptr (GPtrArray) extensions = names_sorted (ignored);
  g_autoptr (GString) all = g_string_new (NULL), odd = g_string_new (NULL);

  for (guint i = 0; i < extensions->len; i++) {
    const char *extension = g_ptr_array_index (extensions, i),
               *kind = segue_extension_describe_foreign (extension);
    guint n = GPOINTER_TO_UINT (g_hash_table_lookup (ignored, extension));
    g_autofree char *shown = name_to_text (extension);
    g_autofree char *named = *shown ? g_strconcat (".", shown, NULL) : g_strdup ("no extension");

    if (kind)
      g_string_append_printf (odd, "%s%u %s (%s)", odd->len ? ", " : "", n, named, kind);
    if (i < MAX_EXTENSIONS)
      g_string_append_printf (all, "%s%u %s", all->len ? ", " : "", n, named);
  }
  if (all->len > 0)
    segue_context_log (context, G_LOG_LEVEL_INFO, "ignored files: %s%s", all->str,
                       extensions->len > MAX_EXTENSIONS ? ", …" : "");
  if (odd->len > 0)
    segue_context_log (context, G_LOG_LEVEL_WARNING, "files that are not used: %s", odd->str);
}
