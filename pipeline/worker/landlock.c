/* Landlock: from here on, no file but those that are named, and those only to be read. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
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

/* Later than the headers that this may be built with; the kernel says what it knows. */
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
allow (int rules, const char *path)
{
  struct stat info;
  int fd = open (path, O_PATH | O_CLOEXEC);
  if (fd < 0)
    return;
  if (fstat (fd, &info) == 0) {
    guint64 access = LANDLOCK_ACCESS_FS_READ_FILE;
    access |= S_ISDIR (info.st_mode) ? LANDLOCK_ACCESS_FS_READ_DIR : 0;
    struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
    syscall (SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  }
  close (fd);
}

const char *
landlock_lock (GPtrArray *readable)
{
  long abi = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1)
    return "this system has no Landlock";
  Rules wanted = rules_of ((int) abi);
  int rules = (int) syscall (SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
  if (rules < 0)
    return g_strerror (errno);
  for (guint i = 0; i < readable->len; i++)
    allow (rules, g_ptr_array_index (readable, i));
  int failed = prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                   syscall (SYS_landlock_restrict_self, rules, 0) != 0
                 ? errno
                 : 0;
  close (rules);
  return failed ? g_strerror (failed) : NULL;
}

#else

const char *
landlock_lock (GPtrArray *readable)
{
  return "built without Landlock";
}

#endif
