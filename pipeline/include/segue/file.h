/* Atomic writing of files, and other operations on files and folders.
 *
 * Every file that segue writes is synced before it gets its name: a kill, a full disk or a power cut
 * leaves the old file or the new one, never a partial one. A kill may leave a temporary file beside
 * it, but only if the file system does not support unnamed files (or during a rename).
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

typedef struct _SegueFileWriter SegueFileWriter;

/** segue_file_writer_new: begins to write @path (bytes as the system has them); its folder exists.
 * %SEGUE_ERROR_CANNOT_CREATE if that is not possible. One thread at a time. */
SEGUE_API
SegueFileWriter *segue_file_writer_new (const char *path, GError **error);
/** segue_file_writer_write: appends; %SEGUE_ERROR_IO if the disk is full or fails. */
SEGUE_API
gboolean segue_file_writer_write (SegueFileWriter *writer, const void *data, gsize length,
                                  GError **error);
/** segue_file_writer_copy: appends the rest of the file @fd; the two share their data if the file system can. */
SEGUE_API
gboolean segue_file_writer_copy (SegueFileWriter *writer, int fd, GError **error);
/** segue_file_writer_commit: syncs the file and gives it its name, replacing an old file. */
SEGUE_API
gboolean segue_file_writer_commit (SegueFileWriter *writer, GError **error);
/** segue_file_writer_free: accepts %NULL; removes what was not committed. */
SEGUE_API
void segue_file_writer_free (SegueFileWriter *writer);

/** segue_file_write: writes @length bytes (-1: a string) as the whole of @path. */
SEGUE_API
gboolean segue_file_write (const char *path, const void *data, gssize length, GError **error);
/** segue_file_read: (transfer full): the content of a small, untrusted file, with a zero byte after its
 * end. Links are not followed, the read never blocks, and a file larger than @max is an error.
 * @length: (out) (optional) */
SEGUE_API
char *segue_file_read (const char *path, gsize max, gsize *length, GError **error);
/** segue_file_make_folder: creates the folder with its parents; succeeds if it exists. */
SEGUE_API
gboolean segue_file_make_folder (const char *path, GError **error);
/** segue_file_list_folder: (transfer full): the names of all entries of the folder @path, in byte order;
 * %NULL with @error on failure (%SEGUE_ERROR_NO_INPUT: it does not exist or may not be read). */
SEGUE_API
GStrv segue_file_list_folder (const char *path, GError **error);
/** segue_file_remove_folder: removes the folder with its contents, without following links; succeeds if
 * it does not exist. */
SEGUE_API
gboolean segue_file_remove_folder (const char *path, GError **error);
/**
 * SEGUE_FILE_SEAL: the list of files in a folder that segue wrote, in the format of sha256sum(1).
 *
 * Before a folder is replaced, its contents, not its name, must prove that segue wrote it: each file in it must
 * be in the list, with the bytes that were written. A forged list can contain only files whose bytes its author
 * knows.
 */
#define SEGUE_FILE_SEAL ".segue-files"

/** segue_file_seal_folder: writes the list of all files below @folder, which segue wrote; must be the last
 * write to the folder. %SEGUE_ERROR_IO. */
SEGUE_API
gboolean segue_file_seal_folder (const char *folder, GError **error);
/** segue_file_find_unsealed: (transfer full) (nullable): a file below @folder that does not match the list,
 * or is a link; %NULL: there is none, so that the folder can be removed without losing other files. */
SEGUE_API
char *segue_file_find_unsealed (const char *folder);
/** segue_file_link: makes @path a symbolic link to @target, replacing an existing link. */
SEGUE_API
gboolean segue_file_link (const char *path, const char *target, GError **error);

/** segue_file_is_junk: whether @name is that of a file or folder which a system or program adds to the
 * user's own: `._song.mp3`, `.DS_Store`, `@eaDir`, `#recycle`, `.Trash-1000`, `.git`. A name
 * that only begins with a dot (`...And Justice for All`) is not. */
SEGUE_API
gboolean segue_file_is_junk (const char *name);

/** segue_file_is_temporary: whether @name is that of a temporary file, left by a killed process or being
 * written now. */
SEGUE_API
gboolean segue_file_is_temporary (const char *name);
/** segue_file_remove_temporaries: removes temporary files in @folder (not below); do not call it if another
 * process may be writing there. */
SEGUE_API
void segue_file_remove_temporaries (const char *folder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueFileWriter, segue_file_writer_free)

/* The number of bytes that segue_file_recognise() reads at most. */
#define SEGUE_RECOGNISE_LENGTH 4096

/** segue_file_recognise: (transfer none) (nullable): the type of a file that is clearly not audio, by its
 * first @n bytes: “a web page (HTML)”; %NULL: it may be audio. */
SEGUE_API
const char *segue_file_recognise (const guint8 *start, gsize n);

/** segue_extension_describe_foreign: (transfer none) (nullable): what files with @extension (lower case, without
 * the dot) contain instead of plain audio: “video”; %NULL: unknown. */
SEGUE_API
const char *segue_extension_describe_foreign (const char *extension);

G_END_DECLS
