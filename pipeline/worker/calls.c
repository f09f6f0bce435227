/* seccomp: allows from now on only the system calls that decoding needs, in every thread.
 *
 * The list is recorded from the decoders (calls.inc). None of the calls takes a path: files that a stage
 * needs are opened before, passed as descriptors, or must be requested (segue_context_allow_read ()).
 * Any other call fails with EPERM, as for a process without the permission: a library that only tries
 * it continues without. Calls of other ABIs (32 bits, x32) end the process. */
#include "sandbox.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* For calls that are on no list. A test builds a copy of this program that records such calls. */
#ifndef DENIED
#define DENIED SCMP_ACT_ERRNO (EPERM)
#endif

typedef struct {
  scmp_filter_ctx context;
  guint n_allowed;
  GString *unknown; /* names that libseccomp does not know */
  int failed;       /* the first error: a negative errno */
} Filter;

/* Recorded by tests/unit/sandbox/trace.py: calls of the decoders while they decode. */
static const char *const drawn[] = {
#define CALL(name) #name,
#include "calls.inc"
#undef CALL
};

/* Calls for the same work with other C libraries, kernels, clocks and processors. */
// clang-format off
static const char *const kin[] = {
  "clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
  "eventfd2", "exit", "exit_group", "fstat", "fstat64", "fstatfs", "fstatfs64", "futex",
  "futex_time64", "futex_waitv", "getcpu", "getegid", "geteuid", "getgid", "getpid", "getrandom",
  "gettid", "gettimeofday", "getuid", "_llseek", "lseek", "madvise", "membarrier",
  "munmap", "nanosleep", "pipe2", "poll", "ppoll", "ppoll_time64", "pread64", "preadv", "readv",
  "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield",
  "set_robust_list", "sigaltstack", "sigreturn", "time", "uname", "writev",
};
// clang-format on

/* Opening files for reading, for stages that requested it; denied otherwise. */
static const char *const reading[] = {
  "access", "faccessat", "faccessat2", "getdents64", "readlink", "readlinkat",
  "stat",   "lstat",     "newfstatat", "fstatat64",  "statx",
};

/* -1: there is no call of that name. */
static int
resolve (Filter *filter, const char *name)
{
  int number = seccomp_syscall_resolve_name (name);
  if (number == __NR_SCMP_ERROR)
    g_string_append_printf (filter->unknown, "%s%s", filter->unknown->len > 0 ? ", " : "", name);
  return number == __NR_SCMP_ERROR ? -1 : number;
}

static void
note (Filter *filter, int result)
{
  /* A call that does not exist on this processor, or is listed twice, is not an error. */
  if (result < 0 && result != -EEXIST && result != -EDOM && filter->failed == 0)
    filter->failed = result;
}

/* As on an older kernel, so that the caller uses the older call, or continues without. */
static void
pretend_missing_if (Filter *filter, const char *name, guint n, const struct scmp_arg_cmp *where)
{
  int number = resolve (filter, name);
  if (number != -1)
    note (filter,
          seccomp_rule_add_array (filter->context, SCMP_ACT_ERRNO (ENOSYS), number, n, where));
}

static void
pretend_missing (Filter *filter, const char *name)
{
  pretend_missing_if (filter, name, 0, NULL);
}

static void
allow (Filter *filter, const char *name)
{
  int number = resolve (filter, name);
  if (number == -1)
    return;
  note (filter, seccomp_rule_add (filter->context, SCMP_ACT_ALLOW, number, 0));
  filter->n_allowed++;
}

static void
allow_if (Filter *filter, const char *name, guint n, const struct scmp_arg_cmp *where)
{
  int number = resolve (filter, name);
  if (number == -1)
    return;
  note (filter, seccomp_rule_add_array (filter->context, SCMP_ACT_ALLOW, number, n, where));
  filter->n_allowed++;
}

/* Threads, and nothing else: no process, no namespace. */
static void
allow_threads (Filter *filter)
{
  const scmp_datum_t must = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  const scmp_datum_t may = CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
                           CLONE_CHILD_CLEARTID | 0x400000 /* CLONE_DETACHED: musl */;
  const struct scmp_arg_cmp flags[] = { SCMP_A0 (SCMP_CMP_MASKED_EQ, ~may, must) };
  allow_if (filter, "clone", 1, flags);
  /* Its flags are in memory, where a filter can't check them; the C library falls back to the older one. */
  pretend_missing (filter, "clone3");
}

/* On descriptors, except for signal owners, leases, locks and pipe sizes. */
static void
allow_fcntl (Filter *filter)
{
  static const scmp_datum_t commands[] = { F_GETFD, F_SETFD,         F_GETFL,
                                           F_SETFL, F_DUPFD_CLOEXEC, F_GET_SEALS };
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    const struct scmp_arg_cmp where[] = { SCMP_A1 (SCMP_CMP_EQ, commands[i]) };
    allow_if (filter, "fcntl", 1, where);
    allow_if (filter, "fcntl64", 1, where);
  }
}

/* Messages to the parent, over its socket only, without an address. */
static void
allow_talk (Filter *filter)
{
  const struct scmp_arg_cmp parent[] = { SCMP_A0 (SCMP_CMP_EQ, SANDBOX_SOCKET),
                                         SCMP_A4 (SCMP_CMP_EQ, 0) };
  allow_if (filter, "sendmsg", 1, parent);
  allow_if (filter, "recvmsg", 1, parent);
  allow_if (filter, "sendto", 2, parent);
  allow_if (filter, "recvfrom", 2, parent);
  /* GStreamer wakes its threads through pairs of sockets; connected ones take no address. */
  for (guint i = 0; i < 4; i++) {
    scmp_datum_t type = SOCK_STREAM | (i & 1 ? SOCK_CLOEXEC : 0) | (i & 2 ? SOCK_NONBLOCK : 0);
    const struct scmp_arg_cmp pair[] = { SCMP_A0 (SCMP_CMP_EQ, AF_UNIX),
                                         SCMP_A1 (SCMP_CMP_EQ, type), SCMP_A2 (SCMP_CMP_EQ, 0) };
    allow_if (filter, "socketpair", 3, pair);
  }
}

/* On this process: signals to itself (abort ()), names of threads and memory, reading its own limits
 * and processors. */
static void
allow_self (Filter *filter)
{
  const struct scmp_arg_cmp of_self[] = { SCMP_A0 (SCMP_CMP_EQ, 0) };
  const struct scmp_arg_cmp of_other[] = { SCMP_A0 (SCMP_CMP_NE, 0) };
  const struct scmp_arg_cmp reads[] = { SCMP_A0 (SCMP_CMP_EQ, 0), SCMP_A2 (SCMP_CMP_EQ, 0) };
  static const scmp_datum_t options[] = { PR_SET_NAME, PR_GET_NAME, PR_SET_VMA };
  /* keep_signals () restricts them to this process. */
  allow (filter, "kill");
  allow (filter, "tgkill");
  allow_if (filter, "sched_getaffinity", 1, of_self);
  /* pthread_getattr_np () passes the id of its thread, and fails on any error but ENOSYS. */
  pretend_missing_if (filter, "sched_getaffinity", 1, of_other);
  allow_if (filter, "prlimit64", 2, reads);
  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    const struct scmp_arg_cmp where[] = { SCMP_A0 (SCMP_CMP_EQ, options[i]) };
    allow_if (filter, "prctl", 1, where);
  }
}

/* Private memory, which counts towards the process's memory limit: not shared with others, not a growing
 * stack, no huge pages. */
static void
allow_private_memory (Filter *filter)
{
  const scmp_datum_t kind = MAP_TYPE | MAP_GROWSDOWN | MAP_HUGETLB;
  const struct scmp_arg_cmp flags[] = { SCMP_A3 (SCMP_CMP_MASKED_EQ, kind, MAP_PRIVATE) };
  allow_if (filter, "mmap", 1, flags);
  allow_if (filter, "mmap2", 1, flags);
}

static void
allow_reading (Filter *filter)
{
  const scmp_datum_t may = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_DIRECTORY |
                           O_LARGEFILE | 0100000 /* the kernel's own O_LARGEFILE */;
  const struct scmp_arg_cmp open_flags[] = { SCMP_A1 (SCMP_CMP_MASKED_EQ, ~may, O_RDONLY) };
  const struct scmp_arg_cmp openat_flags[] = { SCMP_A2 (SCMP_CMP_MASKED_EQ, ~may, O_RDONLY) };
  allow_if (filter, "open", 1, open_flags);
  allow_if (filter, "openat", 1, openat_flags);
  for (guint i = 0; i < G_N_ELEMENTS (reading); i++)
    allow (filter, reading[i]);
}

static void
allow_all (Filter *filter, gboolean reads)
{
  for (guint i = 0; i < G_N_ELEMENTS (drawn); i++)
    allow (filter, drawn[i]);
  for (guint i = 0; i < G_N_ELEMENTS (kin); i++)
    allow (filter, kin[i]);
  allow_threads (filter);
  allow_fcntl (filter);
  allow_talk (filter);
  allow_self (filter);
  allow_private_memory (filter);
  if (reads)
    allow_reading (filter);
  pretend_missing (filter, "openat2");
  /* Memory that does not count towards the limit of the process, and that outlives it. */
  pretend_missing (filter, "memfd_create");
}

/* In the format of the kernel: building it takes milliseconds, so it is not done for each song. */
typedef struct {
  GBytes *program; /* struct sock_filter; nullable */
  char *about;     /* its contents; without a program: the reason */
} Prepared;

static Prepared prepared;

/* (transfer full) (nullable) */
static GBytes *
export_program (scmp_filter_ctx context, int *failed)
{
  g_autofree guint8 *data = NULL;
  struct stat info;
  int fd = memfd_create ("segue-calls", MFD_CLOEXEC);
  *failed = fd < 0 ? -errno : seccomp_export_bpf (context, fd);
  if (*failed == 0 && fstat (fd, &info) == 0 && info.st_size > 0) {
    data = g_malloc ((gsize) info.st_size);
    if (pread (fd, data, (gsize) info.st_size, 0) != info.st_size)
      g_clear_pointer (&data, g_free);
  }
  if (*failed == 0 && !data)
    *failed = -EIO;
  if (fd >= 0)
    close (fd);
  return data ? g_bytes_new_take (g_steal_pointer (&data), (gsize) info.st_size) : NULL;
}

static void
build (Filter *filter, gboolean reads)
{
  seccomp_attr_set (filter->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
#if SCMP_VER_MAJOR > 2 || SCMP_VER_MINOR >= 5
  /* A binary tree, since the list is long. */
  seccomp_attr_set (filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#endif
  allow_all (filter, reads);
}

void
calls_prepare (gboolean reads)
{
  g_autoptr (GString) unknown = g_string_new (NULL);
  Filter filter = { .context = seccomp_init (DENIED), .unknown = unknown };
  if (!filter.context) {
    prepared.about = g_strdup ("libseccomp can't be initialised");
    return;
  }
  build (&filter, reads);
  if (filter.failed == 0)
    prepared.program = export_program (filter.context, &filter.failed);
  seccomp_release (filter.context);
  prepared.about =
    filter.failed != 0
      ? g_strdup (g_strerror (-filter.failed))
      : g_strdup_printf ("%u rules%s%s%s", filter.n_allowed, reads ? ", reading files" : "",
                         unknown->len > 0 ? "; denied because libseccomp does not know them: " : "",
                         unknown->str);
}

/* Also in every existing thread. 0, or an errno. */
static int
install (const struct sock_fprog *program)
{
  long result = syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);
  return result == 0 ? 0 : result > 0 ? EBUSY : errno;
}

/* Allows signals to this process only (abort ()): its id is known late, so this is a separate program. */
static int
keep_signals (void)
{
  const guint32 low = G_BYTE_ORDER == G_BIG_ENDIAN ? 4 : 0;
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 1, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args) + low),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, (guint32) getpid (), 1, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = { G_N_ELEMENTS (code), code };
  return install (&program);
}

gboolean
calls_lock (char **how)
{
  struct sock_fprog program = { 0 };
  *how = g_strdup (prepared.about);
  if (!prepared.program)
    return FALSE;
  gsize size;
  program.filter = (struct sock_filter *) g_bytes_get_data (prepared.program, &size);
  program.len = (unsigned short) (size / sizeof *program.filter);
  int failed = keep_signals ();
  if (failed == 0)
    failed = install (&program);
  if (failed == 0)
    return TRUE;
  g_free (*how);
  *how = g_strdup (g_strerror (failed));
  return FALSE;
}

#else

void
calls_prepare (gboolean reads)
{
}

gboolean
calls_lock (char **how)
{
  *how = g_strdup ("built without libseccomp");
  return FALSE;
}

#endif
