/* Patterns of files and folders to skip. */
#pragma once

#include <glib.h>

typedef struct {
  GPtrArray *whole; /* GPatternSpec, matched against the path */
  GPtrArray *names; /* GPatternSpec, matched against one name: the last in the path */
  guint64 n_excluded;
} Exclude;

/** exclude_init: @patterns: (element-type char *) */
void exclude_init (Exclude *exclude, const GArray *patterns);
void exclude_clear (Exclude *exclude);
/** exclude_match: a #WalkExcludeFunc over an #Exclude; counts matches. */
gboolean exclude_match (const char *path, gpointer exclude);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Exclude, exclude_clear)
