/* Files that are either whole or not there.
 *
 * Whatever segue writes is synced before it gets its name: a kill, a full disk or a power cut leaves
 * the old file or the new one, never half of one.  What a kill may leave beside it is a temporary
 * file, and only where the file system has no files without a name (or in the blink of a rename).
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

typedef struct _SegueFileWriter SegueFileWriter;

/** segue_file_writer_new: begins to write @path (bytes as the system has them); its folder exists.
 * %SEGUE_ERROR_CANNOT_CREATE where that is not possible.  One thread at a time. */
SEGUE_API
SegueFileWriter *segue_file_writer_new (const char *path, GError **error);
/** segue_file_writer_write: appends; %SEGUE_ERROR_IO where the disk is full or fails. */
SEGUE_API
gboolean segue_file_writer_write (SegueFileWriter *writer, const void *data, gsize length,
                                  GError **error);
/** segue_file_writer_commit: syncs and names; only now is the file there, in place of an old one. */
SEGUE_API
gboolean segue_file_writer_commit (SegueFileWriter *writer, GError **error);
/** segue_file_writer_free: accepts %NULL; removes what was not committed. */
SEGUE_API
void segue_file_writer_free (SegueFileWriter *writer);

/** segue_file_write: @length bytes (-1: a string) as the whole of @path. */
SEGUE_API
gboolean segue_file_write (const char *path, const void *data, gssize length, GError **error);
/** segue_file_read: (transfer full): a small file that somebody else may have put there, with a zero
 * byte behind its end: it is not read through a link, never waited for, and no larger than @max.
 * @length: (out) (optional) */
SEGUE_API
char *segue_file_read (const char *path, gsize max, gsize *length, GError **error);
/** segue_file_make_folder: with its parents; fine where it is there. */
SEGUE_API
gboolean segue_file_make_folder (const char *path, GError **error);
/** segue_file_list_folder: (transfer full): names of what lies in the folder @path, in order of their bytes;
 * all of them, or %NULL with @error (%SEGUE_ERROR_NO_INPUT: not there, or not ours to read). */
SEGUE_API
GStrv segue_file_list_folder (const char *path, GError **error);
/** segue_file_remove_folder: with all that is in it, without following links; fine where it is not
 * there. */
SEGUE_API
gboolean segue_file_remove_folder (const char *path, GError **error);
/**
 * SEGUE_FILE_SEAL: the list in a folder that segue filled, in the format of sha256sum(1).
 *
 * A folder that is to be replaced is distinguished from people's own by what it holds, not by names: each file in it
 * has to be in the list, with the bytes that were written.  A list that somebody else wrote names nothing of
 * which he does not know the bytes.
 */
#define SEGUE_FILE_SEAL ".segue-files"

/** segue_file_seal_folder: lists all files below @folder, which segue wrote; the last thing that is
 * written there.  %SEGUE_ERROR_IO. */
SEGUE_API
gboolean segue_file_seal_folder (const char *folder, GError **error);
/** segue_file_find_unsealed: (transfer full) (nullable): a file below @folder that is not as the list has it,
 * or is a link; %NULL: there is none, so that nothing of anybody else's is lost with the folder. */
SEGUE_API
char *segue_file_find_unsealed (const char *folder);
/** segue_file_link: makes @path a symbolic link to @target, in place of one that is there. */
SEGUE_API
gboolean segue_file_link (const char *path, const char *target, GError **error);

/** segue_file_is_junk: whether a file or folder called @name is one that a system or program leaves
 * beside people's own: `._song.mp3`, `.DS_Store`, `@eaDir`, `#recycle`, `.Trash-1000`, `.git`.  A name
 * that only begins with a dot (`...And Justice for All`) is not. */
SEGUE_API
gboolean segue_file_is_junk (const char *name);

/** segue_file_is_temporary: whether a file of that name was being written when somebody was killed, or is
 * being written now. */
SEGUE_API
gboolean segue_file_is_temporary (const char *name);
/** segue_file_remove_temporaries: removes those in @folder (not below); not where another process may be
 * writing. */
SEGUE_API
void segue_file_remove_temporaries (const char *folder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueFileWriter, segue_file_writer_free)

/* As much of a file as segue_file_recognise() looks at. */
#define SEGUE_RECOGNISE_LENGTH 4096

/** segue_file_recognise: (transfer none) (nullable): what a file plainly is, if no sound, by its first @n
 * bytes: “a web page (HTML)”; %NULL: it may be sound. */
SEGUE_API
const char *segue_file_recognise (const guint8 *start, gsize n);

/** segue_extension_describe_foreign: (transfer none) (nullable): what files with @extension (lower case, without
 * the dot) hold in place of plain sound: “video”; %NULL: nothing is known. */
SEGUE_API
const char *segue_extension_describe_foreign (const char *extension);

G_END_DECLS
