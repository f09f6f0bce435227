/* seccomp: system calls that looking at a file does not need are denied, in every thread.
 *
 * They fail with EPERM, as they do for anybody without the right: a library that only tries goes on
 * without.  What is not named here stays allowed: decoders are many, and a list of all that they do
 * would break with each of their versions. */
#include "sandbox.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const denied[] = {
  /* the network, and other processes' sockets */
  "socket",
  "socketcall",
  "connect",
  "bind",
  "listen",
  "accept",
  "accept4",
  /* new programs and processes */
  "execve",
  "execveat",
  "fork",
  "vfork",
  /* other processes */
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "process_madvise",
  "pidfd_open",
  "pidfd_getfd",
  "pidfd_send_signal",
  "tkill",
  "rt_sigqueueinfo",
  "rt_tgsigqueueinfo",
  "kcmp",
  "migrate_pages",
  "move_pages",
  "setpriority",
  "sched_setscheduler",
  "sched_setattr",
  /* the file system: making, changing, removing */
  "creat",
  "mkdir",
  "mkdirat",
  "mknod",
  "mknodat",
  "link",
  "linkat",
  "symlink",
  "symlinkat",
  "unlink",
  "unlinkat",
  "rmdir",
  "rename",
  "renameat",
  "renameat2",
  "truncate",
  "truncate64",
  "chmod",
  "fchmod",
  "fchmodat",
  "fchmodat2",
  "chown",
  "chown32",
  "fchown",
  "fchown32",
  "lchown",
  "lchown32",
  "fchownat",
  "utime",
  "utimes",
  "utimensat",
  "futimesat",
  "setxattr",
  "lsetxattr",
  "fsetxattr",
  "setxattrat",
  "removexattr",
  "lremovexattr",
  "fremovexattr",
  "removexattrat",
  "name_to_handle_at",
  "open_by_handle_at",
  "fanotify_init",
  /* mounts and namespaces */
  "mount",
  "umount",
  "umount2",
  "pivot_root",
  "chroot",
  "unshare",
  "setns",
  "open_tree",
  "move_mount",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "mount_setattr",
  /* rights, keys, message queues */
  "setuid",
  "setuid32",
  "setgid",
  "setgid32",
  "setreuid",
  "setreuid32",
  "setregid",
  "setregid32",
  "setresuid",
  "setresuid32",
  "setresgid",
  "setresgid32",
  "setfsuid",
  "setfsgid",
  "setgroups",
  "setgroups32",
  "capset",
  "add_key",
  "request_key",
  "keyctl",
  "mq_open",
  "mq_unlink",
  "msgget",
  "semget",
  "shmget",
  /* large parts of the kernel that nobody needs here */
  "bpf",
  "perf_event_open",
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  "userfaultfd",
  "modify_ldt",
  "iopl",
  "ioperm",
  "quotactl",
  "quotactl_fd",
  "acct",
  "syslog",
  "personality",
  /* the machine */
  "init_module",
  "finit_module",
  "delete_module",
  "kexec_load",
  "kexec_file_load",
  "reboot",
  "swapon",
  "swapoff",
  "settimeofday",
  "clock_settime",
  "clock_settime64",
  "clock_adjtime",
  "clock_adjtime64",
  "adjtimex",
  "stime",
  "sethostname",
  "setdomainname",
  "vhangup",
};

/* By name, since headers and kernels are of different ages. */
static void
deny (scmp_filter_ctx filter, const char *name, int errnum)
{
  int number = seccomp_syscall_resolve_name (name);
  if (number != __NR_SCMP_ERROR)
    seccomp_rule_add (filter, SCMP_ACT_ERRNO (errnum), number, 0);
}

static void
deny_where (scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp where)
{
  int number = seccomp_syscall_resolve_name (name);
  if (number != __NR_SCMP_ERROR)
    seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), number, 1, where);
}

/* Opening for anything but reading.  Where the flags of a call lie in memory it can't be judged:
 * there is none, and the C library takes the older one. */
static void
deny_writing (scmp_filter_ctx filter)
{
  static const scmp_datum_t flags[] = { O_CREAT, O_TRUNC };
  static const scmp_datum_t modes[] = { O_WRONLY, O_RDWR, O_ACCMODE };
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    deny_where (filter, "open", SCMP_A1 (SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    deny_where (filter, "openat", SCMP_A2 (SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
  }
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    deny_where (filter, "open", SCMP_A1 (SCMP_CMP_MASKED_EQ, O_ACCMODE, modes[i]));
    deny_where (filter, "openat", SCMP_A2 (SCMP_CMP_MASKED_EQ, O_ACCMODE, modes[i]));
  }
  deny (filter, "openat2", ENOSYS);
}

/* Threads are fine, processes are not; signals to itself are (abort ()), to others not. */
static void
deny_others (scmp_filter_ctx filter)
{
  scmp_datum_t self = (scmp_datum_t) getpid ();
  deny_where (filter, "clone", SCMP_A0 (SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  deny (filter, "clone3", ENOSYS);
  deny_where (filter, "kill", SCMP_A0 (SCMP_CMP_NE, self));
  deny_where (filter, "tgkill", SCMP_A0 (SCMP_CMP_NE, self));
  deny_where (filter, "prlimit64", SCMP_A0 (SCMP_CMP_NE, 0));
  /* Typing into the terminal that messages go to. */
  deny_where (filter, "ioctl", SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI));
  deny_where (filter, "ioctl", SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCLINUX));
}

const char *
deny_lock (void)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  if (!filter)
    return "libseccomp does not start";
  /* Threads that are there already are locked in, too. */
  seccomp_attr_set (filter, SCMP_FLTATR_CTL_TSYNC, 1);
  for (guint i = 0; i < G_N_ELEMENTS (denied); i++)
    deny (filter, denied[i], EPERM);
  deny_writing (filter);
  deny_others (filter);
  int failed = seccomp_load (filter);
  seccomp_release (filter);
  return failed ? g_strerror (-failed) : NULL;
}

#else

const char *
deny_lock (void)
{
  return "built without libseccomp";
}

#endif
