/* Landlock: allows from now on access to the listed files only, and only for reading. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<linux/landlock.h>)
#define HAVE_LANDLOCK 1
#endif
#endif

#ifdef HAVE_LANDLOCK

#include <linux/landlock.h>
#include <sys/prctl.h>

/* Newer than the headers that this may be built with; the kernel reports what it supports. */
#define FS_TRUNCATE          ((guint64) 1 << 14)
#define FS_IOCTL_DEVICE      ((guint64) 1 << 15)
#define NET_BIND_AND_CONNECT ((guint64) 3)
#define SCOPE_SOCKET_SIGNAL  ((guint64) 3)
#define FIRST_ABI_FS         (((guint64) 1 << 13) - 1)
#define FS_REFER             ((guint64) 1 << 13)

typedef struct {
  guint64 handled_fs;
  guint64 handled_net;
  guint64 scoped;
} Rules;

static Rules
rules_of (int abi)
{
  Rules rules = { .handled_fs = FIRST_ABI_FS };
  rules.handled_fs |= abi >= 2 ? FS_REFER : 0;
  rules.handled_fs |= abi >= 3 ? FS_TRUNCATE : 0;
  rules.handled_fs |= abi >= 5 ? FS_IOCTL_DEVICE : 0;
  rules.handled_net = abi >= 4 ? NET_BIND_AND_CONNECT : 0;
  rules.scoped = abi >= 6 ? SCOPE_SOCKET_SIGNAL : 0;
  return rules;
}

static void
allow_file (int rules, int fd, guint64 access)
{
  struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
  syscall (SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static void
allow (int rules, const char *path)
{
  struct stat info;
  int fd = open (path, O_PATH | O_CLOEXEC);
  if (fd < 0)
    return;
  if (fstat (fd, &info) == 0)
    allow_file (rules, fd,
                LANDLOCK_ACCESS_FS_READ_FILE |
                  (S_ISDIR (info.st_mode) ? LANDLOCK_ACCESS_FS_READ_DIR : 0));
  close (fd);
}

static gboolean
is_library (const char *name)
{
  const char *end = strstr (name, ".so");
  return end && (end[3] == '\0' || end[3] == '.');
}

/* The libraries beside one that was loaded, which other libraries may load later; other files in that
 * folder, which may be in a user's home, stay denied. */
static void
allow_neighbours (int rules, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *library = g_build_filename (folder, name, NULL);
    int fd = is_library (name) ? open (library, O_PATH | O_CLOEXEC) : -1;
    if (fd >= 0)
      allow_file (rules, fd, LANDLOCK_ACCESS_FS_READ_FILE);
    if (fd >= 0)
      close (fd);
  }
}

typedef struct {
  int rules;
  GHashTable *seen; /* folders */
} Libraries;

static int
allow_library (struct dl_phdr_info *info, size_t size, gpointer data)
{
  static const char *const whole[] = { "/usr/", "/lib/", "/lib64/", "/lib32/", "/nix/store/" };
  Libraries *libraries = data;
  const char *path = info->dlpi_name;
  if (!path || !g_path_is_absolute (path))
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (whole); i++)
    if (g_str_has_prefix (path, whole[i]))
      return 0;
  if (g_hash_table_add (libraries->seen, g_path_get_dirname (path)))
    allow_neighbours (libraries->rules, path);
  return 0;
}

static void
allow_all (int rules, GPtrArray *readable)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Libraries libraries = { rules, seen };
  for (guint i = 0; i < readable->len; i++)
    allow (rules, g_ptr_array_index (readable, i));
  if (readable->len > 0)
    dl_iterate_phdr (allow_library, &libraries);
}

typedef struct {
  int rules;   /* -1: there are none */
  char *about; /* their contents; without rules: the reason */
} Prepared;

static Prepared prepared = { .rules = -1 };

void
landlock_prepare (GPtrArray *readable)
{
  long abi = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) {
    prepared.about = g_strdup ("this system has no Landlock");
    return;
  }
  Rules wanted = rules_of ((int) abi);
  prepared.rules = (int) syscall (SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
  if (prepared.rules < 0) {
    prepared.about = g_strdup (g_strerror (errno));
    return;
  }
  allow_all (prepared.rules, readable);
  prepared.about =
    g_strdup_printf ("Landlock %ld: %s", abi,
                     readable->len > 0 ? "libraries and the files that the stage requested"
                                       : "no file can be opened");
}

gboolean
landlock_lock (char **how)
{
  *how = g_strdup (prepared.about);
  if (prepared.rules < 0)
    return FALSE;
  gboolean done = prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                  syscall (SYS_landlock_restrict_self, prepared.rules, 0) == 0;
  if (!done) {
    g_free (*how);
    *how = g_strdup (g_strerror (errno));
  }
  close (prepared.rules);
  prepared.rules = -1;
  return done;
}

#else

void
landlock_prepare (GPtrArray *readable)
{
}

gboolean
landlock_lock (char **how)
{
  *how = g_strdup ("built without Landlock");
  return FALSE;
}

#endif
