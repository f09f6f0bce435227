/* Folders that segue may replace: a list in them has a digest of every file that segue wrote. */
#include "base/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LIST  ((gsize) 64 * 1024 * 1024) /* bytes: half a million files */
#define MAX_DEPTH 16
#define CHUNK     65536

/* Called for each file: @file is its path below the folder, @digest NULL where it could not be read or is
 * not a regular file. */
typedef gboolean (*Visit) (gpointer data, int parent, const char *name, const char *file,
                           const char *digest);

/* (transfer full) (nullable) */
static char *
hash_at (int parent, const char *name)
{
  struct sha256_ctx sha;
  struct stat info;
  guint8 buffer[CHUNK], digest[SHA256_DIGEST_SIZE];
  gssize n = -1;
  int fd = openat (parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  sha256_init (&sha);
  if (fd >= 0 && fstat (fd, &info) == 0 && S_ISREG (info.st_mode))
    while ((n = read (fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
      sha256_update (&sha, (gsize) MAX (n, 0), buffer);
  if (fd >= 0)
    close (fd);
  if (n < 0)
    return NULL;
  GString *hex = g_string_new (NULL);
  sha256_digest (&sha, sizeof digest, digest);
  for (guint i = 0; i < sizeof digest; i++)
    g_string_append_printf (hex, "%02x", digest[i]);
  return g_string_free (hex, FALSE);
}

static gboolean
is_folder (int parent, const char *name)
{
  struct stat info;
  return fstatat (parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (info.st_mode);
}

/* Visits all files below @name in @parent, including links and devices, until a visit returns %FALSE. */
static gboolean
walk (int parent, const char *name, const char *prefix, guint depth, Visit visit, gpointer data)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  gboolean ok = folder && depth < MAX_DEPTH;
  if (!ok)
    visit (data, parent, name, *prefix ? prefix : ".", NULL);
  while (ok && (entry = readdir (folder))) {
    const char *each = entry->d_name;
    if (strcmp (each, ".") == 0 || strcmp (each, "..") == 0)
      continue;
    g_autofree char *file = *prefix ? g_strconcat (prefix, "/", each, NULL) : g_strdup (each);
    if (is_folder (fd, each)) {
      ok = walk (fd, each, file, depth + 1, visit, data);
    } else {
      g_autofree char *digest = hash_at (fd, each);
      ok = visit (data, fd, each, file, digest);
    }
  }
  if (folder)
    closedir (folder);
  else if (fd >= 0)
    close (fd);
  return ok;
}

/* ---- Sealing ---- */

static gboolean
add_line (gpointer data, int parent, const char *name, const char *file, const char *digest)
{
  GPtrArray *lines = data;
  gboolean ok = digest && !strpbrk (file, "\n\\") && !g_str_equal (file, SEGUE_FILE_SEAL);
  if (ok)
    g_ptr_array_add (lines, g_strdup_printf ("%s  %s", digest, file));
  return ok || g_str_equal (file, SEGUE_FILE_SEAL);
}

/* By file: the text after the digest. */
static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (strchr (*(char *const *) a, ' '), strchr (*(char *const *) b, ' '));
}

gboolean
segue_file_seal_folder (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (folder, SEGUE_FILE_SEAL, NULL);
  if (!walk (AT_FDCWD, folder, "", 0, add_line, lines)) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't list the files in ‘%s’", shown);
    return FALSE;
  }
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, g_strdup ("")); /* end of the last line */
  g_ptr_array_add (lines, NULL);
  g_autofree char *text = g_strjoinv ("\n", (char **) lines->pdata);
  return segue_file_write (path, text, -1, error);
}

/* ---- Reading seals ---- */

/* The path in @line; NULL: this is not a line of a list, so the file is not a list. */
static char *
find_path (char *line)
{
  gsize digits = strspn (line, "0123456789abcdef");
  return digits == 2 * SHA256_DIGEST_SIZE && g_str_has_prefix (line + digits, "  ")
           ? line + digits + 2
           : NULL;
}

/* (transfer full): path → digest; empty where there is no list. */
static GHashTable *
read_seal (const char *folder)
{
  GHashTable *sealed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *path = g_build_filename (folder, SEGUE_FILE_SEAL, NULL);
  g_autofree char *text = segue_file_read (path, MAX_LIST, NULL, NULL);
  char *at = text, *line;
  gboolean ours = text != NULL;
  while (ours && at && (line = strsep (&at, "\n"))) {
    char *file = find_path (line);
    if (file)
      g_hash_table_replace (sealed, g_strdup (file), g_strndup (line, 2 * SHA256_DIGEST_SIZE));
    ours = file || !*line;
  }
  if (ours)
    g_hash_table_replace (sealed, g_strdup (SEGUE_FILE_SEAL), NULL);
  else
    g_hash_table_remove_all (sealed);
  return sealed;
}

typedef struct {
  GHashTable *sealed;
  char *stranger;
} Check;

static gboolean
is_sealed (GHashTable *sealed, const char *file, const char *digest)
{
  gpointer known;
  return digest && g_hash_table_lookup_extended (sealed, file, NULL, &known) &&
         (!known || strcmp (known, digest) == 0);
}

static gboolean
check_file (gpointer data, int parent, const char *name, const char *file, const char *digest)
{
  Check *check = data;
  if (is_sealed (check->sealed, file, digest))
    return TRUE;
  check->stranger = g_strdup (file);
  return FALSE;
}

char *
segue_file_find_unsealed (const char *folder)
{
  Check check = { .sealed = read_seal (folder) };
  walk (AT_FDCWD, folder, "", 0, check_file, &check);
  g_hash_table_unref (check.sealed);
  return check.stranger;
}
