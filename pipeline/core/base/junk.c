/* Files that systems and programs leave in users' folders. */
#include <segue/file.h>

#include <string.h>

/* Whole names, in any case. */
static const char *const names[] = {
  /* macOS */
  ".apdisk",
  ".appledb",
  ".appledesktop",
  ".appledouble",
  ".documentrevisions-v100",
  ".ds_store",
  ".fseventsd",
  ".localized",
  ".metadata_never_index",
  ".pkinstallsandboxmanager",
  ".spotlight-v100",
  ".temporaryitems",
  ".volumeicon.icns",
  "__macosx",
  "icon\r",
  /* Windows */
  "$recycle.bin",
  "desktop.ini",
  "system volume information",
  "thumbs.db",
  "ehthumbs.db",
  /* Synology, QNAP and other network storage */
  "#recycle",
  "#snapshot",
  "@eadir",
  "@recently-snapshot",
  "@recycle",
  "@sharebin",
  "@syno",
  "@tmp",
  ".@__qini",
  ".@__thumb",
  ".@upload_cache",
  ".snapshot",
  ".snapshots",
  ".zfs",
  "@synoresource",
  "@synoeastream",
  /* Linux */
  ".cache",
  ".comments",
  ".directory",
  ".nomedia",
  ".thumbnails",
  ".xvpics",
  "lost+found",
  /* programs */
  ".bzr",
  ".dropbox",
  ".dropbox.cache",
  ".git",
  ".hg",
  ".idea",
  ".stfolder",
  ".stversions",
  ".svn",
  ".sync",
  ".tmp",
  ".vscode",
};

/* Prefixes, in any case. */
static const char *const prefixes[] = {
  "._",          ".trash",  ".nfs", ".fuse_hidden", ".goutputstream-", ".smbdelete",
  ".syncthing.", ".~lock.", ".#",   ".com.apple.",  ".com.google.",
};

gboolean
segue_file_is_junk (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_ascii_strncasecmp (name, prefixes[i], strlen (prefixes[i])) == 0)
      return TRUE;
  return FALSE;
}
