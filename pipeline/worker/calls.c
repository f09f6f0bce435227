/* seccomp: from here on, the system calls that decoding needs, and no other, in every thread.
 *
 * The list is drawn from what the decoders do (calls.inc).  None of them takes a path: what a stage
 * needs is opened before, comes as a descriptor, or has to be asked for (segue_context_allow_read ()).
 * Any other call fails with EPERM, as for anybody without the right: a library that only tries goes on
 * without.  Calls of other ABIs (32 bits, x32) end the process. */
#include "sandbox.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

typedef struct {
  scmp_filter_ctx context;
  guint n_allowed;
  GString *unknown; /* names that libseccomp does not know */
  int failed;       /* the first error: a negative errno */
} Filter;

/* Drawn by tests/unit/sandbox/trace.py: what the decoders call while they decode. */
static const char *const drawn[] = {
#define CALL(name) #name,
#include "calls.inc"
#undef CALL
};

/* What the same work takes with other C libraries, kernels, clocks and processors. */
// clang-format off
static const char *const kin[] = {
  "clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
  "eventfd2", "exit", "exit_group", "fstat", "fstat64", "fstatfs", "fstatfs64", "futex",
  "futex_time64", "futex_waitv", "getcpu", "getegid", "geteuid", "getgid", "getpid", "getrandom",
  "gettid", "gettimeofday", "getuid", "_llseek", "lseek", "madvise", "membarrier", "mmap2",
  "munmap", "nanosleep", "pipe2", "poll", "ppoll", "ppoll_time64", "pread64", "preadv", "readv",
  "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield",
  "set_robust_list", "sigaltstack", "sigreturn", "time", "uname", "writev",
};
// clang-format on

/* Opening files to read them, for stages that said which: those are locked away otherwise. */
static const char *const reading[] = {
  "access", "faccessat", "faccessat2", "getdents64", "readlink", "readlinkat",
  "stat",   "lstat",     "newfstatat", "fstatat64",  "statx",
};

/* -1: there is none of that name. */
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
  /* That a call is not there on this processor, or in the list twice, is fine. */
  if (result < 0 && result != -EEXIST && result != -EDOM && filter->failed == 0)
    filter->failed = result;
}

/* As on an older kernel, so that the caller takes the older call, or goes on without. */
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
  /* Its flags lie in memory, where they can't be judged; the C library takes the older one. */
  pretend_missing (filter, "clone3");
}

/* On descriptors: no owner for signals, no lease, no lock, no size of a pipe. */
static void
allow_fcntl (Filter *filter)
{
  static const scmp_datum_t commands[] = { F_GETFD,         F_SETFD,     F_GETFL,    F_SETFL,
                                           F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS };
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    const struct scmp_arg_cmp where[] = { SCMP_A1 (SCMP_CMP_EQ, commands[i]) };
    allow_if (filter, "fcntl", 1, where);
    allow_if (filter, "fcntl64", 1, where);
  }
}

/* Messages to the parent, over the one socket, and to no address. */
static void
allow_talk (Filter *filter)
{
  const struct scmp_arg_cmp parent[] = { SCMP_A0 (SCMP_CMP_EQ, SANDBOX_SOCKET),
                                         SCMP_A4 (SCMP_CMP_EQ, 0) };
  allow_if (filter, "sendmsg", 1, parent);
  allow_if (filter, "recvmsg", 1, parent);
  allow_if (filter, "sendto", 2, parent);
  allow_if (filter, "recvfrom", 2, parent);
  /* GStreamer wakes its threads through pairs of sockets; connected ones take no address either. */
  for (guint i = 0; i < 4; i++) {
    scmp_datum_t type = SOCK_STREAM | (i & 1 ? SOCK_CLOEXEC : 0) | (i & 2 ? SOCK_NONBLOCK : 0);
    const struct scmp_arg_cmp pair[] = { SCMP_A0 (SCMP_CMP_EQ, AF_UNIX),
                                         SCMP_A1 (SCMP_CMP_EQ, type), SCMP_A2 (SCMP_CMP_EQ, 0) };
    allow_if (filter, "socketpair", 3, pair);
  }
}

/* About this process: signals to itself (abort ()), names of threads and memory, its own limits and
 * processors to be read. */
static void
allow_self (Filter *filter)
{
  const scmp_datum_t self = (scmp_datum_t) getpid ();
  const struct scmp_arg_cmp to_self[] = { SCMP_A0 (SCMP_CMP_EQ, self) };
  const struct scmp_arg_cmp of_self[] = { SCMP_A0 (SCMP_CMP_EQ, 0) };
  const struct scmp_arg_cmp of_other[] = { SCMP_A0 (SCMP_CMP_NE, 0) };
  const struct scmp_arg_cmp reads[] = { SCMP_A0 (SCMP_CMP_EQ, 0), SCMP_A2 (SCMP_CMP_EQ, 0) };
  static const scmp_datum_t options[] = { PR_SET_NAME, PR_GET_NAME, PR_SET_VMA };
  allow_if (filter, "kill", 1, to_self);
  allow_if (filter, "tgkill", 1, to_self);
  allow_if (filter, "sched_getaffinity", 1, of_self);
  /* pthread_getattr_np () asks by the number of its thread, and fails on anything but ENOSYS. */
  pretend_missing_if (filter, "sched_getaffinity", 1, of_other);
  allow_if (filter, "prlimit64", 2, reads);
  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    const struct scmp_arg_cmp where[] = { SCMP_A0 (SCMP_CMP_EQ, options[i]) };
    allow_if (filter, "prctl", 1, where);
  }
}

/* Payloads; not of huge pages, which are not the process's own. */
static void
allow_shared_memory (Filter *filter)
{
  const scmp_datum_t may = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL;
  const struct scmp_arg_cmp flags[] = { SCMP_A1 (SCMP_CMP_MASKED_EQ, ~may, 0) };
  allow_if (filter, "memfd_create", 1, flags);
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
  allow_shared_memory (filter);
  if (reads)
    allow_reading (filter);
  pretend_missing (filter, "openat2");
}

gboolean
calls_lock (gboolean reads, char **how)
{
  g_autoptr (GString) unknown = g_string_new (NULL);
  Filter filter = { .context = seccomp_init (SCMP_ACT_ERRNO (EPERM)), .unknown = unknown };
  if (!filter.context) {
    *how = g_strdup ("libseccomp does not start");
    return FALSE;
  }
  /* Threads that are there already are locked in, too. */
  seccomp_attr_set (filter.context, SCMP_FLTATR_CTL_TSYNC, 1);
  seccomp_attr_set (filter.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
#if SCMP_VER_MAJOR > 2 || SCMP_VER_MINOR >= 5
  /* A tree, for a list of this length. */
  seccomp_attr_set (filter.context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#endif
  allow_all (&filter, reads);
  if (filter.failed == 0)
    filter.failed = seccomp_load (filter.context);
  seccomp_release (filter.context);
  if (filter.failed != 0)
    *how = g_strdup (g_strerror (-filter.failed));
  else
    *how = g_strdup_printf ("%u rules%s%s%s", filter.n_allowed, reads ? ", reading files" : "",
                            unknown->len > 0 ? "; denied, as libseccomp does not know them: " : "",
                            unknown->str);
  return filter.failed == 0;
}

#else

gboolean
calls_lock (gboolean reads, char **how)
{
  *how = g_strdup ("built without libseccomp");
  return FALSE;
}

#endif
