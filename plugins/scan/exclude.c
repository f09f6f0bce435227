#include "exclude.h"

#include "names.h"

#include <string.h>

void
exclude_init (Exclude *self, const GArray *patterns)
{
  *self = (Exclude){ g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free),
                     g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free), 0 };
  for (guint i = 0; i < patterns->len; i++) {
    const char *pattern = g_array_index (patterns, const char *, i);
    g_autofree char *folded = name_fold (pattern);

    g_ptr_array_add (strchr (pattern, '/') ? self->whole : self->names,
                     g_pattern_spec_new (folded));
  }
}

void
exclude_clear (Exclude *self)
{
  g_clear_pointer (&self->whole, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
}

/* The parent folders were checked before: only the last name is new. */
gboolean
exclude_match (const char *path, gpointer data)
{
  Exclude *self = data;
  const char *slash = strrchr (path, '/');
  g_autofree char *whole = NULL, *name = NULL;

  if (self->whole->len + self->names->len == 0)
    return FALSE;
  whole = name_fold (path);
  name = name_fold (slash ? slash + 1 : path);
  for (guint i = 0; i < self->whole->len + self->names->len; i++) {
    gboolean is_whole = i < self->whole->len;
    GPatternSpec *pattern =
      g_ptr_array_index (is_whole ? self->whole : self->names, is_whole ? i : i - self->whole->len);

    if (g_pattern_spec_match_string (pattern, is_whole ? whole : name)) {
      self->n_excluded++;
      return TRUE;
    }
  }
  return FALSE;
}
