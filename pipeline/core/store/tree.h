/* Folders by content, and safe copies of untrusted ones (internal).
 *
 * A tree is the regular files below a folder, by names relative to it, sorted. Empty folders, times
 * and permissions are not part of it. */
#pragma once

#include <gio/gio.h>

/** SegueTreeFile: (strings owned). @key: SHA-256 in hexadecimal. */
typedef struct {
  char *name;
  guint64 size;
  char *key;
} SegueTreeFile;

void segue_tree_file_free (SegueTreeFile *file);

/**
 * segue_tree_list: (transfer full) (element-type SegueTreeFile): the files of @folder.
 * @contents: (nullable): where hashes are cached, see segue_contents_key()
 * @follow: links to files count as files, and what is neither file nor folder is skipped: for
 *   folders that a user names. Otherwise both are %SEGUE_ERROR_DATA: for a stage's output
 */
GPtrArray *segue_tree_list (const char *folder, const char *contents, gboolean follow,
                            GCancellable *cancellable, GError **error);
/** segue_tree_key: (transfer full): of all @files that are in folder @below ("": all of them).
 * @folders: (nullable) (element-type utf8 filename): files in those that are inside @below do not count */
char *segue_tree_key (GPtrArray *files, const char *below, GPtrArray *folders);
/** segue_tree_is_sound: whether segue_tree_list() could have returned @files: names that stay below
 * the folder, in order, none of them both a file and a folder, valid keys. */
gboolean segue_tree_is_sound (GPtrArray *files);
/** segue_tree_name_is_sound: a relative path of plain names. */
gboolean segue_tree_name_is_sound (const char *name);

/**
 * segue_tree_copy: copies @files (sound) of folder @from into the empty folder @to.
 * @twins: (nullable) (element-type utf8 filename): by SHA-256, files with the same bytes that become hard links:
 *   for copies in the cache those in the cache, for copies in a run those in the same run
 *
 * Otherwise clones where the file system can, never links: people edit the copies. No link is followed
 * below either folder. Each file is synced. %SEGUE_ERROR_DATA where the data read does not match
 * @files; other errors are about @to.
 */
gboolean segue_tree_copy (const char *from, GPtrArray *files, const char *to, GHashTable *twins,
                          GCancellable *cancellable, GError **error);
