/* Preloaded into a command: counts the calls that can fail, and makes some of them fail.
 *
 *   FAIL_STATE=FILE      file of counters: zeros, shared by the command and its children
 *   FAIL_CALLS=A,B       classes that count, see `class_names`
 *   FAIL_UNDER=/a:/b     only calls on these paths, or on descriptors of files below them
 *   FAIL_LEAST=65536     only allocations of at least this size
 *   FAIL_FIRST=N         the first call that fails, from 1
 *   FAIL_TIMES=M         this many from there on (default 1)
 *   FAIL_EVERY=K         every K-th of them (default 1)
 *   FAIL_WITH=ENOSPC     an errno; or `short`: half of the requested bytes is read or written;
 *                        `kill`: the process is killed during the call; `stop`: it continues
 *                        after SIGCONT, and does not fail; `none`: the call is only recorded
 *   FAIL_BUDGET=BYTES    writes beyond this many bytes in total fail with ENOSPC
 *   FAIL_TRACE=1         with the stack of each call that failed
 *   FAIL_SITES=FILE      for each counted call, 64 bits: its class and its caller
 *
 * The state begins with numbers of 64 bits: calls counted, bytes written, the length of the text, and 21
 * for calls by class; then the text, a line for each call that failed. */
/* Both names of each function are needed, not one for the other. */
#undef _FILE_OFFSET_BITS
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAX_FDS 4096
#define EXPORT  __attribute__ ((visibility ("default")))

typedef enum {
  OPEN,
  LIST,
  READ,
  WRITE,
  SYNC,
  RENAME,
  MAKE,
  REMOVE,
  STAT,
  LOCK,
  MAP,
  MEMORY,
  PROCESS,
  THREAD,
  CLOSE,
  N_CLASSES
} Class;

#define MAX_CLASSES 21 /* with the three numbers before them: 192 bytes */
_Static_assert(N_CLASSES <= MAX_CLASSES, "room in the state");

static const char *const class_names[N_CLASSES] = {
  "open", "list", "read", "write",  "sync",    "rename", "make",  "remove",
  "stat", "lock", "map",  "memory", "process", "thread", "close",
};

typedef struct {
  _Atomic uint64_t calls, written, length, by_class[MAX_CLASSES];
  char text[];
} State;

static State *state;            /* NULL: nothing is counted */
static _Atomic uint64_t *sites; /* [n_sites]; NULL: not requested */
static size_t n_sites;
static unsigned classes;
static char *under;
static char folder[PATH_MAX];
static size_t least;
static uint64_t first, times, every, budget;
static int error_number, signal_number, is_short, is_harmless, traces;
static size_t state_size;
/* State of a descriptor: 0 not known, 1 irrelevant, 2 relevant. */
static _Atomic unsigned char kinds[MAX_FDS];
static __thread int inside;

#define REAL(name)                                                                                 \
  ({                                                                                               \
    static __typeof__ (&name) real_function;                                                       \
    if (!real_function)                                                                            \
      real_function = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name);                               \
    real_function;                                                                                 \
  })

static uint64_t
number (const char *name, uint64_t otherwise)
{
  const char *text = getenv (name);
  return text && *text ? strtoull (text, NULL, 10) : otherwise;
}

static int
errno_of (const char *name)
{
  static const struct {
    const char *name;
    int value;
  } all[] = {
    { "EIO", EIO },       { "ENOSPC", ENOSPC }, { "EACCES", EACCES }, { "EMFILE", EMFILE },
    { "EINTR", EINTR },   { "ENOMEM", ENOMEM }, { "EROFS", EROFS },   { "EDQUOT", EDQUOT },
    { "EAGAIN", EAGAIN }, { "ENOENT", ENOENT }, { "ENFILE", ENFILE }, { "ENOLCK", ENOLCK },
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp (all[i].name, name) == 0)
      return all[i].value;
  return EIO;
}

static int
is_listed (const char *name, const char *list)
{
  for (const char *at = list; *at;) {
    size_t n = strcspn (at, ",");
    if (strlen (name) == n && strncmp (at, name, n) == 0)
      return 1;
    at += n + (at[n] == ',');
  }
  return 0;
}

/* The file in memory, shared; NULL: not possible. */
static void *
map_file (const char *path, size_t *size)
{
  int fd = REAL (open) (path, O_RDWR | O_CLOEXEC);
  off_t end = fd < 0 ? 0 : lseek (fd, 0, SEEK_END);
  void *memory = MAP_FAILED;
  if (end > 0)
    memory = REAL (mmap) (NULL, (size_t) end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0)
    REAL (close) (fd);
  *size = memory == MAP_FAILED ? 0 : (size_t) end;
  return memory == MAP_FAILED ? NULL : memory;
}

__attribute__ ((constructor)) static void
start (void)
{
  const char *path = getenv ("FAIL_STATE"), *calls = getenv ("FAIL_CALLS"),
             *with = getenv ("FAIL_WITH"), *sites_path = getenv ("FAIL_SITES");
  if (!path || !calls)
    return;
  inside++;
  for (int i = 0; i < N_CLASSES; i++)
    if (is_listed (class_names[i], calls))
      classes |= 1u << i;
  under = getenv ("FAIL_UNDER");
  least = number ("FAIL_LEAST", 0);
  first = number ("FAIL_FIRST", 0);
  times = number ("FAIL_TIMES", 1);
  every = number ("FAIL_EVERY", 1);
  budget = number ("FAIL_BUDGET", UINT64_MAX);
  traces = (int) number ("FAIL_TRACE", 0);
  is_short = with && strcmp (with, "short") == 0;
  is_harmless = with && (strcmp (with, "stop") == 0 || strcmp (with, "none") == 0);
  signal_number = !with                        ? 0
                  : strcmp (with, "kill") == 0 ? SIGKILL
                  : strcmp (with, "stop") == 0 ? SIGSTOP
                                               : 0;
  error_number = with ? errno_of (with) : EIO;
  if (!getcwd (folder, sizeof folder))
    folder[0] = '\0';
  void *frames[4];
  if (traces || sites_path)
    backtrace (frames, 4); /* loads its dependencies while files may be opened */
  state = map_file (path, &state_size);
  if (state_size <= sizeof (State))
    state = NULL;
  if (sites_path)
    sites = map_file (sites_path, &n_sites);
  n_sites /= sizeof *sites;
  inside--;
}

static void
append (const char *text)
{
  size_t n = strlen (text);
  uint64_t at = atomic_fetch_add (&state->length, n);
  if (at + n < state_size - sizeof (State))
    memcpy (state->text + at, text, n);
}

static void
report (const char *name, const char *detail)
{
  char line[PATH_MAX + 256];
  snprintf (line, sizeof line, "%s %s\n", name, detail ? detail : "");
  append (line);
  if (!traces)
    return;
  void *frames[32];
  int n = backtrace (frames, 32);
  char **names = backtrace_symbols (frames, n);
  for (int i = 2; names && i < n; i++) {
    snprintf (line, sizeof line, "    %s\n", names[i]);
    append (line);
  }
  free (names);
}

/* The caller: the same in every process, wherever its libraries are loaded. */
static uint64_t
hash_stack (void)
{
  void *frames[24];
  int n = backtrace (frames, 24);
  uint64_t hash = 14695981039346656037u; /* FNV-1a, over words */
  for (int i = 2; i < n; i++) {
    Dl_info info;
    uint64_t offset =
      dladdr (frames[i], &info) ? (uint64_t) ((char *) frames[i] - (char *) info.dli_fbase) : 0;
    hash = (hash ^ offset) * 1099511628211u;
  }
  return hash;
}

static void
note_site (Class class, uint64_t n)
{
  if (n <= n_sites)
    atomic_store (&sites[n - 1], (uint64_t) class << 56 | hash_stack () >> 8);
}

/* Whether this counted call has to fail. */
static int
is_chosen (Class class, const char *name, const char *detail)
{
  atomic_fetch_add (&state->by_class[class], 1);
  uint64_t n = atomic_fetch_add (&state->calls, 1) + 1;
  if (sites)
    note_site (class, n);
  if (first == 0 || n < first || n - first >= times || (n - first) % every != 0)
    return 0;
  report (name, detail);
  if (signal_number)
    kill (getpid (), signal_number);
  errno = error_number;
  return !is_harmless;
}

static int
counts (Class class)
{
  return state && !inside && (classes & 1u << class);
}

static int
is_under (const char *path)
{
  if (!under)
    return 1;
  for (const char *at = under; *at;) {
    size_t n = strcspn (at, ":");
    if (strncmp (path, at, n) == 0 && (path[n] == '\0' || path[n] == '/' || at[n - 1] == ':'))
      return 1;
    at += n + (at[n] == ':');
  }
  return 0;
}

static void
path_of_fd (int fd, char path[PATH_MAX])
{
  char link[64];
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink (link, path, PATH_MAX - 1);
  path[n > 0 ? n : 0] = '\0';
}

static void
resolve (int at, const char *path, char full[PATH_MAX])
{
  if (path[0] == '/') {
    snprintf (full, PATH_MAX, "%s", path);
    return;
  }
  char base[PATH_MAX];
  if (at == AT_FDCWD)
    snprintf (base, sizeof base, "%s", folder);
  else
    path_of_fd (at, base);
  size_t n = strlen (base);
  snprintf (full, PATH_MAX, "%s", base);
  if (*path && n + 1 < PATH_MAX)
    snprintf (full + n, PATH_MAX - n, "/%s", path);
}

static int
fails_at (Class class, const char *name, int at, const char *path)
{
  if (!counts (class) || !path)
    return 0;
  int saved = errno;
  char full[PATH_MAX];
  inside++;
  resolve (at, path, full);
  int chosen = is_under (full) && is_chosen (class, name, full);
  inside--;
  if (!chosen)
    errno = saved;
  return chosen;
}

static int
fails (Class class, const char *name, const char *path)
{
  return fails_at (class, name, AT_FDCWD, path);
}

static int
fails_fd (Class class, const char *name, int fd)
{
  if (!counts (class) || fd < 0)
    return 0;
  unsigned char kind = fd < MAX_FDS ? kinds[fd] : 0;
  if (kind == 1)
    return 0;
  int saved = errno;
  char path[PATH_MAX];
  inside++;
  path_of_fd (fd, path);
  if (kind == 0 && *path) {
    kind = is_under (path) ? 2 : 1;
    if (fd < MAX_FDS)
      kinds[fd] = kind;
  }
  int chosen = kind == 2 && is_chosen (class, name, path);
  inside--;
  if (!chosen)
    errno = saved;
  return chosen;
}

static int
fails_size (Class class, const char *name, size_t size)
{
  if (!counts (class) || size < least)
    return 0;
  inside++;
  char detail[32];
  snprintf (detail, sizeof detail, "%zu", size);
  int saved = errno, chosen = is_chosen (class, name, detail);
  if (!chosen)
    errno = saved;
  inside--;
  return chosen;
}

static int
fails_plain (Class class, const char *name)
{
  if (!counts (class))
    return 0;
  inside++;
  int saved = errno, chosen = is_chosen (class, name, NULL);
  if (!chosen)
    errno = saved;
  inside--;
  return chosen;
}

/* A descriptor that was opened or closed. */
static int
forget (int fd)
{
  if (fd >= 0 && fd < MAX_FDS)
    kinds[fd] = 0;
  return fd;
}

/* How many of @n bytes to @fd fit; the rest is not written. */
static size_t
take_room (int fd, size_t n)
{
  if (budget == UINT64_MAX || !state || inside)
    return n;
  unsigned char kind = fd >= 0 && fd < MAX_FDS ? kinds[fd] : 1;
  if (kind == 0) {
    char path[PATH_MAX];
    inside++;
    path_of_fd (fd, path);
    inside--;
    kind = *path && is_under (path) ? 2 : 1;
    kinds[fd] = kind;
  }
  if (kind == 1)
    return n;
  uint64_t before = atomic_fetch_add (&state->written, n);
  uint64_t room = before < budget ? budget - before : 0;
  if (room >= n)
    return n;
  inside++;
  report ("full", "");
  inside--;
  errno = ENOSPC;
  return (size_t) room;
}

#define OPENS(function)                                                                            \
  EXPORT int function (const char *path, int flags, ...)                                           \
  {                                                                                                \
    va_list list;                                                                                  \
    va_start (list, flags);                                                                        \
    mode_t mode = va_arg (list, mode_t);                                                           \
    va_end (list);                                                                                 \
    return fails (OPEN, #function, path) ? -1 : forget (REAL (function) (path, flags, mode));      \
  }
OPENS (open)
OPENS (open64)

#define OPENS_AT(function)                                                                         \
  EXPORT int function (int at, const char *path, int flags, ...)                                   \
  {                                                                                                \
    va_list list;                                                                                  \
    va_start (list, flags);                                                                        \
    mode_t mode = va_arg (list, mode_t);                                                           \
    va_end (list);                                                                                 \
    if (fails_at (OPEN, #function, at, path))                                                      \
      return -1;                                                                                   \
    return forget (REAL (function) (at, path, flags, mode));                                       \
  }
OPENS_AT (openat)
OPENS_AT (openat64)

#define STREAMS(function)                                                                          \
  EXPORT FILE *function (const char *path, const char *mode)                                       \
  {                                                                                                \
    return fails (OPEN, #function, path) ? NULL : REAL (function) (path, mode);                    \
  }
STREAMS (fopen)
STREAMS (fopen64)

EXPORT DIR *
opendir (const char *path)
{
  return fails (OPEN, "opendir", path) ? NULL : REAL (opendir) (path);
}

EXPORT DIR *
fdopendir (int fd)
{
  return fails_fd (OPEN, "fdopendir", fd) ? NULL : REAL (fdopendir) (fd);
}

#define LISTS(function, type)                                                                      \
  EXPORT type *function (DIR *stream)                                                              \
  {                                                                                                \
    return fails_fd (LIST, #function, dirfd (stream)) ? NULL : REAL (function) (stream);           \
  }
LISTS (readdir, struct dirent)
LISTS (readdir64, struct dirent64)

/* Half of the requested size, at least one. */
#define SHARE(size) ((size) > 1 ? (size) / 2 : (size))

EXPORT ssize_t
read (int fd, void *buffer, size_t size)
{
  if (fails_fd (READ, "read", fd)) {
    if (!is_short)
      return -1;
    size = SHARE (size);
  }
  return REAL (read) (fd, buffer, size);
}

#define PREADS(function, offset_type)                                                              \
  EXPORT ssize_t function (int fd, void *buffer, size_t size, offset_type offset)                  \
  {                                                                                                \
    if (fails_fd (READ, #function, fd)) {                                                          \
      if (!is_short)                                                                               \
        return -1;                                                                                 \
      size = SHARE (size);                                                                         \
    }                                                                                              \
    return REAL (function) (fd, buffer, size, offset);                                             \
  }
PREADS (pread, off_t)
PREADS (pread64, off64_t)

EXPORT ssize_t
write (int fd, const void *buffer, size_t size)
{
  if (fails_fd (WRITE, "write", fd)) {
    if (!is_short)
      return -1;
    size = SHARE (size);
  }
  size_t room = take_room (fd, size);
  return room == 0 && size > 0 ? -1 : REAL (write) (fd, buffer, room);
}

#define PWRITES(function, offset_type)                                                             \
  EXPORT ssize_t function (int fd, const void *buffer, size_t size, offset_type offset)            \
  {                                                                                                \
    if (fails_fd (WRITE, #function, fd)) {                                                         \
      if (!is_short)                                                                               \
        return -1;                                                                                 \
      size = SHARE (size);                                                                         \
    }                                                                                              \
    size_t room = take_room (fd, size);                                                            \
    return room == 0 && size > 0 ? -1 : REAL (function) (fd, buffer, room, offset);                \
  }
PWRITES (pwrite, off_t)
PWRITES (pwrite64, off64_t)

#define ON_FD(class, function)                                                                     \
  EXPORT int function (int fd)                                                                     \
  {                                                                                                \
    return fails_fd (class, #function, fd) ? -1 : REAL (function) (fd);                            \
  }
ON_FD (SYNC, fsync)
ON_FD (SYNC, fdatasync)

/* Closes it nevertheless, as Linux does. */
EXPORT int
close (int fd)
{
  int failed = fails_fd (CLOSE, "close", fd), saved = errno;
  int result = REAL (close) (forget (fd));
  if (!failed)
    return result;
  errno = saved;
  return -1;
}

#define TRUNCATES(function, offset_type)                                                           \
  EXPORT int function (int fd, offset_type size)                                                   \
  {                                                                                                \
    return fails_fd (WRITE, #function, fd) ? -1 : REAL (function) (fd, size);                      \
  }
TRUNCATES (ftruncate, off_t)
TRUNCATES (ftruncate64, off64_t)

#define ALLOCATES(function, offset_type)                                                           \
  EXPORT int function (int fd, offset_type offset, offset_type size)                               \
  {                                                                                                \
    return fails_fd (WRITE, #function, fd) ? errno : REAL (function) (fd, offset, size);           \
  }
ALLOCATES (posix_fallocate, off_t)
ALLOCATES (posix_fallocate64, off64_t)

EXPORT ssize_t
copy_file_range (int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
  if (fails_fd (WRITE, "copy_file_range", out))
    return -1;
  return REAL (copy_file_range) (in, from, out, to, n, flags);
}

#define TWO_PATHS(function)                                                                        \
  EXPORT int function (const char *from, const char *to)                                           \
  {                                                                                                \
    return fails (RENAME, #function, to) ? -1 : REAL (function) (from, to);                        \
  }
TWO_PATHS (rename)
TWO_PATHS (link)
TWO_PATHS (symlink)

EXPORT int
renameat (int from_at, const char *from, int to_at, const char *to)
{
  return fails_at (RENAME, "renameat", to_at, to) ? -1 : REAL (renameat) (from_at, from, to_at, to);
}

EXPORT int
renameat2 (int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
  return fails_at (RENAME, "renameat2", to_at, to)
           ? -1
           : REAL (renameat2) (from_at, from, to_at, to, flags);
}

EXPORT int
linkat (int from_at, const char *from, int to_at, const char *to, int flags)
{
  return fails_at (RENAME, "linkat", to_at, to) ? -1
                                                : REAL (linkat) (from_at, from, to_at, to, flags);
}

EXPORT int
symlinkat (const char *target, int at, const char *path)
{
  return fails_at (RENAME, "symlinkat", at, path) ? -1 : REAL (symlinkat) (target, at, path);
}

EXPORT int
mkdir (const char *path, mode_t mode)
{
  return fails (MAKE, "mkdir", path) ? -1 : REAL (mkdir) (path, mode);
}

EXPORT int
mkdirat (int at, const char *path, mode_t mode)
{
  return fails_at (MAKE, "mkdirat", at, path) ? -1 : REAL (mkdirat) (at, path, mode);
}

#define ON_PATH(class, function)                                                                   \
  EXPORT int function (const char *path)                                                           \
  {                                                                                                \
    return fails (class, #function, path) ? -1 : REAL (function) (path);                           \
  }
ON_PATH (REMOVE, unlink)
ON_PATH (REMOVE, rmdir)
ON_PATH (REMOVE, remove)

EXPORT int
unlinkat (int at, const char *path, int flags)
{
  return fails_at (REMOVE, "unlinkat", at, path) ? -1 : REAL (unlinkat) (at, path, flags);
}

#define STATS(function, type)                                                                      \
  EXPORT int function (const char *path, type *info)                                               \
  {                                                                                                \
    return fails (STAT, #function, path) ? -1 : REAL (function) (path, info);                      \
  }
STATS (stat, struct stat)
STATS (stat64, struct stat64)
STATS (lstat, struct stat)
STATS (lstat64, struct stat64)
STATS (statvfs, struct statvfs)
STATS (statvfs64, struct statvfs64)

#define STATS_FD(function, type)                                                                   \
  EXPORT int function (int fd, type *info)                                                         \
  {                                                                                                \
    return fails_fd (STAT, #function, fd) ? -1 : REAL (function) (fd, info);                       \
  }
STATS_FD (fstat, struct stat)
STATS_FD (fstat64, struct stat64)

#define STATS_AT(function, type)                                                                   \
  EXPORT int function (int at, const char *path, type *info, int flags)                            \
  {                                                                                                \
    return fails_at (STAT, #function, at, path) ? -1 : REAL (function) (at, path, info, flags);    \
  }
STATS_AT (fstatat, struct stat)
STATS_AT (fstatat64, struct stat64)

EXPORT int
access (const char *path, int mode)
{
  return fails (STAT, "access", path) ? -1 : REAL (access) (path, mode);
}

EXPORT int
faccessat (int at, const char *path, int mode, int flags)
{
  return fails_at (STAT, "faccessat", at, path) ? -1 : REAL (faccessat) (at, path, mode, flags);
}

EXPORT ssize_t
readlink (const char *path, char *buffer, size_t size)
{
  return fails (STAT, "readlink", path) ? -1 : REAL (readlink) (path, buffer, size);
}

EXPORT int
flock (int fd, int operation)
{
  return fails_fd (LOCK, "flock", fd) ? -1 : REAL (flock) (fd, operation);
}

#define MAPS(function, offset_type)                                                                \
  EXPORT void *function (void *at, size_t size, int protection, int flags, int fd,                 \
                         offset_type offset)                                                       \
  {                                                                                                \
    return fails_fd (MAP, #function, fd)                                                           \
             ? MAP_FAILED                                                                          \
             : REAL (function) (at, size, protection, flags, fd, offset);                          \
  }
MAPS (mmap, off_t)
MAPS (mmap64, off64_t)

EXPORT void *
malloc (size_t size)
{
  return fails_size (MEMORY, "malloc", size) ? NULL : REAL (malloc) (size);
}

EXPORT void *
calloc (size_t n, size_t size)
{
  size_t bytes;
  if (__builtin_mul_overflow (n, size, &bytes) || fails_size (MEMORY, "calloc", bytes))
    return NULL;
  return REAL (calloc) (n, size);
}

EXPORT void *
realloc (void *memory, size_t size)
{
  return fails_size (MEMORY, "realloc", size) ? NULL : REAL (realloc) (memory, size);
}

EXPORT int
posix_memalign (void **memory, size_t alignment, size_t size)
{
  return fails_size (MEMORY, "posix_memalign", size)
           ? ENOMEM
           : REAL (posix_memalign) (memory, alignment, size);
}

#define ALIGNED(function)                                                                          \
  EXPORT void *function (size_t alignment, size_t size)                                            \
  {                                                                                                \
    return fails_size (MEMORY, #function, size) ? NULL : REAL (function) (alignment, size);        \
  }
ALIGNED (aligned_alloc)
ALIGNED (memalign)

EXPORT int
socketpair (int domain, int type, int protocol, int fds[2])
{
  return fails_plain (PROCESS, "socketpair") ? -1 : REAL (socketpair) (domain, type, protocol, fds);
}

EXPORT int
pipe (int fds[2])
{
  return fails_plain (PROCESS, "pipe") ? -1 : REAL (pipe) (fds);
}

EXPORT int
pipe2 (int fds[2], int flags)
{
  return fails_plain (PROCESS, "pipe2") ? -1 : REAL (pipe2) (fds, flags);
}

EXPORT int
memfd_create (const char *name, unsigned flags)
{
  return fails_plain (PROCESS, "memfd_create") ? -1 : forget (REAL (memfd_create) (name, flags));
}

EXPORT int
eventfd (unsigned value, int flags)
{
  return fails_plain (PROCESS, "eventfd") ? -1 : forget (REAL (eventfd) (value, flags));
}

EXPORT int
dup (int fd)
{
  return fails_plain (PROCESS, "dup") ? -1 : forget (REAL (dup) (fd));
}

EXPORT int
dup2 (int fd, int to)
{
  return fails_plain (PROCESS, "dup2") ? -1 : forget (REAL (dup2) (fd, to));
}

EXPORT int
dup3 (int fd, int to, int flags)
{
  return fails_plain (PROCESS, "dup3") ? -1 : forget (REAL (dup3) (fd, to, flags));
}

EXPORT ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  return fails_plain (PROCESS, "sendmsg") ? -1 : REAL (sendmsg) (fd, message, flags);
}

EXPORT ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  return fails_plain (PROCESS, "recvmsg") ? -1 : REAL (recvmsg) (fd, message, flags);
}

#define SPAWNS(function)                                                                           \
  EXPORT int function (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,    \
                       const posix_spawnattr_t *attributes, char *const argv[],                    \
                       char *const envp[])                                                         \
  {                                                                                                \
    return fails_plain (PROCESS, #function)                                                        \
             ? errno                                                                               \
             : REAL (function) (pid, path, actions, attributes, argv, envp);                       \
  }
SPAWNS (posix_spawn)
SPAWNS (posix_spawnp)

EXPORT pid_t
fork (void)
{
  return fails_plain (PROCESS, "fork") ? -1 : REAL (fork) ();
}

/* The start of workers: only the wrapped function uses the arguments. */
EXPORT int
clone (int (*function) (void *), void *stack, int flags, void *data, ...)
{
  va_list arguments;
  va_start (arguments, data);
  pid_t *parent = flags & (CLONE_PARENT_SETTID | CLONE_PIDFD) ? va_arg (arguments, pid_t *) : NULL;
  va_end (arguments);
  return fails_plain (PROCESS, "clone") ? -1 : REAL (clone) (function, stack, flags, data, parent);
}

EXPORT int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*function) (void *),
                void *data)
{
  return fails_plain (THREAD, "pthread_create")
           ? errno
           : REAL (pthread_create) (thread, attributes, function, data);
}

/* Called by GLib and others where they are built with _FORTIFY_SOURCE. */
#define OPENS_2(function, plain)                                                                   \
  int function (const char *path, int flags);                                                      \
  EXPORT int function (const char *path, int flags)                                                \
  {                                                                                                \
    return plain (path, flags, 0);                                                                 \
  }
OPENS_2 (__open_2, open)
OPENS_2 (__open64_2, open64)

ssize_t __read_chk (int fd, void *buffer, size_t size, size_t there);
EXPORT ssize_t
__read_chk (int fd, void *buffer, size_t size, size_t there)
{
  return size > there ? (abort (), -1) : read (fd, buffer, size);
}
