/* Preloaded: folders are read in reverse order, as another file system might return them. */
#undef _FILE_OFFSET_BITS /* it would merge two functions */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* The remaining entries of folders being read; the tests' are small and few. */
typedef struct Folder {
  DIR *dir;
  struct dirent *entries;
  size_t n;
  struct Folder *next;
} Folder;

#define PRELOADED __attribute__ ((visibility ("default")))

static _Thread_local Folder *folders;

/* Both have the same layout on this platform. */
_Static_assert(sizeof (struct dirent) == sizeof (struct dirent64), "64 bits");

static Folder *
read_all (DIR *dir)
{
  struct dirent *(*next) (DIR *) = (struct dirent * (*) (DIR *) ) dlsym (RTLD_NEXT, "readdir64");
  Folder *folder = calloc (1, sizeof *folder);
  for (struct dirent *entry = next (dir); folder && entry; entry = next (dir)) {
    struct dirent *more = realloc (folder->entries, (folder->n + 1) * sizeof *more);
    if (!more)
      break;
    folder->entries = more;
    memcpy (&more[folder->n++], entry, entry->d_reclen);
  }
  return folder;
}

PRELOADED struct dirent *
readdir (DIR *dir)
{
  Folder *folder = folders;
  while (folder && folder->dir != dir)
    folder = folder->next;
  if (!folder) {
    folder = read_all (dir);
    if (!folder)
      return NULL;
    folder->dir = dir;
    folder->next = folders;
    folders = folder;
  }
  return folder->n > 0 ? &folder->entries[--folder->n] : NULL;
}

PRELOADED struct dirent64 *
readdir64 (DIR *dir)
{
  return (struct dirent64 *) readdir (dir);
}

PRELOADED int
closedir (DIR *dir)
{
  int (*next) (DIR *) = (int (*) (DIR *)) dlsym (RTLD_NEXT, "closedir");
  for (Folder **at = &folders; *at; at = &(*at)->next)
    if ((*at)->dir == dir) {
      Folder *gone = *at;
      *at = gone->next;
      free (gone->entries);
      free (gone);
      break;
    }
  return next (dir);
}
