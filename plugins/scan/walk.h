/* Finds the files of a folder, whatever it contains.
 *
 * Real folders are walked first, links to folders after them, and each folder once: loops end, and
 * where a song can be reached by two paths the real path is used. The result depends on the folder
 * alone, not on the order in which the system lists it.
 */
#pragma once

#include <gio/gio.h>

/** WalkProblem: something that should have been a song or a folder of songs. */
typedef struct {
  char *path;
  char *reason;
} WalkProblem;

/**
 * Walk: the result; @files are regular files with an audio file's extension, @problems are entries
 * that looked like songs or folders but can't be used; both sorted by the bytes of their paths.
 * Files for which segue_file_is_junk() is true are skipped; other files count as ignored.
 */
typedef struct {
  GPtrArray *files;    /* char *, below the root */
  GPtrArray *problems; /* WalkProblem */
  guint64 n_ignored;   /* files that are not audio */
  GHashTable *ignored; /* of these: extension in lower case ("": none) → GUINT_TO_POINTER (n) */
} Walk;

/** WalkExcludeFunc: whether to skip @path, a file or folder. */
typedef gboolean (*WalkExcludeFunc) (const char *path, gpointer data);

/** walk_folder: (transfer full): %SEGUE_ERROR_NO_INPUT where @root itself can't be read. */
Walk *walk_folder (const char *root, const GArray *extensions, WalkExcludeFunc exclude,
                   gpointer data, GCancellable *cancellable, GError **error);
/** walk_free: accepts %NULL. */
void walk_free (Walk *walk);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Walk, walk_free)
