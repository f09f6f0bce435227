#include "warnings.h"

/* Per stage. */
#define MAX_SHOWN 10

struct _SegueWarnings {
  GPtrArray *stages; /* char *, in the order of their first warning */
  GArray *counts;    /* guint, of each */
};

SegueWarnings *
segue_warnings_new (void)
{
  SegueWarnings *warnings = g_new (SegueWarnings, 1);
  warnings->stages = g_ptr_array_new_with_free_func (g_free);
  warnings->counts = g_array_new (FALSE, TRUE, sizeof (guint));
  return warnings;
}

void
segue_warnings_free (SegueWarnings *warnings)
{
  if (!warnings)
    return;
  g_ptr_array_unref (warnings->stages);
  g_array_unref (warnings->counts);
  g_free (warnings);
}

gboolean
segue_warnings_admit (SegueWarnings *warnings, const char *stage)
{
  const char *name = stage ? stage : "run";
  guint i;
  if (!g_ptr_array_find_with_equal_func (warnings->stages, name, g_str_equal, &i)) {
    i = warnings->stages->len;
    g_ptr_array_add (warnings->stages, g_strdup (name));
    g_array_set_size (warnings->counts, i + 1);
  }
  return ++g_array_index (warnings->counts, guint, i) <= MAX_SHOWN;
}

void
segue_warnings_print_rest (SegueWarnings *warnings, const char *folder, const SegueTerm *term)
{
  g_autofree char *shown = folder ? segue_text_printable (folder) : NULL;
  for (guint i = 0; i < warnings->stages->len; i++) {
    guint n = g_array_index (warnings->counts, guint, i);
    if (n > MAX_SHOWN)
      fprintf (term->stream, "%s%s: %u more warning%s%s%s%s%s\n",
               segue_term_style (term, SEGUE_STYLE_YELLOW),
               (const char *) g_ptr_array_index (warnings->stages, i), n - MAX_SHOWN,
               n - MAX_SHOWN == 1 ? "" : "s", shown ? ", in " : "", shown ? shown : "",
               shown ? "/log.ndjson" : "", segue_term_reset (term));
  }
}
