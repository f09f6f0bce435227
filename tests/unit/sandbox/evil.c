/* A compromised decoder: executes any system call that a song's text specifies.
 *
 * "call NUMBER WORD…": numbers, s:TEXT, `song` (its descriptor), `cwd`, `buffer` (4096 zero bytes),
 * `self` (this process), `-`: NULL. Any other first word is a separate deed, see deeds[]. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <segue/plugin.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[4096];

static long
read_word (const char *word, int song)
{
  if (g_str_has_prefix (word, "s:"))
    return (long) (word + 2);
  if (g_str_equal (word, "song"))
    return song;
  if (g_str_equal (word, "cwd"))
    return AT_FDCWD;
  if (g_str_equal (word, "buffer"))
    return (long) buffer;
  if (g_str_equal (word, "self"))
    return getpid ();
  return g_str_equal (word, "-") ? 0 : strtol (word, NULL, 0);
}

static int
call (char **words, int song)
{
  long values[7] = { 0 };
  memset (buffer, 0, sizeof buffer);
  for (guint i = 0; words[i] && i < G_N_ELEMENTS (values); i++)
    values[i] = read_word (words[i], song);
  long result =
    syscall (values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
  /* A child of this process, if there is one, must not continue here. */
  if (result == 0 && (values[0] == SYS_clone
#ifdef SYS_fork
                      || values[0] == SYS_fork || values[0] == SYS_vfork
#endif
                      ))
    _exit (0);
  return result < 0 ? -1 : 0;
}

/* Variables of the parent's environment that should be missing in this one's. */
static int
find_variable (char **words, int song)
{
  return g_getenv (words[0]) ? 0 : (errno = EPERM, -1);
}

/* A signal through a descriptor's owner. */
static int
signal_by_owner (char **words, int song)
{
  int pair[2];
  if (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
      fcntl (pair[0], F_SETOWN, atoi (words[0])) != 0 || fcntl (pair[0], F_SETFL, O_ASYNC) != 0)
    return -1;
  return write (pair[1], "x", 1) == 1 ? 0 : -1;
}

/* A message, and the song itself, to a socket that has a name. */
static int
send_to (const char *path, int type, int fd)
{
  int pair[2];
  struct sockaddr_un to = { .sun_family = AF_UNIX };
  struct iovec part = { buffer, 8 };
  _Alignas(struct cmsghdr) char control[CMSG_SPACE (sizeof (int))] = { 0 };
  struct msghdr message = {
    .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1
  };
  g_strlcpy (to.sun_path, path, sizeof to.sun_path);
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    *CMSG_FIRSTHDR (&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN (sizeof (int)),
                                                  .cmsg_level = SOL_SOCKET,
                                                  .cmsg_type = SCM_RIGHTS };
    memcpy (CMSG_DATA (CMSG_FIRSTHDR (&message)), &fd, sizeof fd);
  }
  if (socketpair (AF_UNIX, type, 0, pair) != 0)
    return -1;
  int result = sendmsg (pair[0], &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
  if (result < 0 && errno != EPERM) /* refused by the kernel itself, nothing was sent */
    errno = EPERM;
  return result;
}

static int
send_datagram (char **words, int song)
{
  return send_to (words[0], SOCK_DGRAM, -1);
}

static int
send_song (char **words, int song)
{
  return send_to (words[0], SOCK_DGRAM, song);
}

static int
send_by_stream (char **words, int song)
{
  return send_to (words[0], SOCK_STREAM, song);
}

static int
write_by_name (char **words, int song)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", song);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && pwrite (fd, "x", 1, 0) == 1 ? 0 : -1;
}

static gpointer
wait_for_ever (gpointer data)
{
  while (TRUE)
    g_usleep (G_USEC_PER_SEC);
  return data;
}

/* An endless number of threads exhausts the system's processes. */
static int
start_threads (char **words, int song)
{
  pthread_attr_t attributes;
  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, 16384);
  for (int i = 0; i < atoi (words[0]); i++) {
    pthread_t thread;
    int failed = pthread_create (&thread, &attributes, wait_for_ever, NULL);
    if (failed)
      return errno = EPERM, -1;
  }
  return 0;
}

static int
open_many (char **words, int song)
{
  for (int i = 0; i < atoi (words[0]); i++)
    if (fcntl (song, F_DUPFD_CLOEXEC, 0) < 0)
      return errno = EPERM, -1;
  return 0;
}

static int
take_memory (char **words, int song)
{
  for (int i = 0; i < atoi (words[0]); i++)
    if (mmap (NULL, (gsize) 1 << 30, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
      return errno = EPERM, -1;
  return 0;
}

#ifdef __x86_64__
/* getpid () of the 32-bit kind, and of x32. */
static int
call_32 (char **words, int song)
{
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
  return result > 0 ? 0 : (errno = EPERM, -1);
}

static int
call_x32 (char **words, int song)
{
  return syscall (0x40000000 + SYS_getpid) > 0 ? 0 : (errno = EPERM, -1);
}
#endif

static const struct {
  const char *name;
  int (*carry_out) (char **words, int song);
} deeds[] = {
  { "call", call },
  { "variable", find_variable },
  { "signal-by-owner", signal_by_owner },
  { "datagram", send_datagram },
  { "datagram-song", send_song },
  { "stream-song", send_by_stream },
  { "write-by-name", write_by_name },
  { "threads", start_threads },
  { "descriptors", open_many },
  { "memory", take_memory },
#ifdef __x86_64__
  { "abi-32", call_32 },
  { "abi-x32", call_x32 },
#endif
};

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  char text[1024] = "";
  int fd = segue_item_open (item, error), result = 0;
  if (fd < 0)
    return FALSE;
  gssize n = pread (fd, text, sizeof text - 1, 0);
  text[MAX (n, 0)] = '\0';
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  errno = EINVAL;
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++)
    if (words[0] && g_str_equal (words[0], deeds[i].name))
      result = deeds[i].carry_out (words + 1, fd);
  int number = errno;
  close (fd);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %s", segue_item_get_id (item),
               result == 0 ? "done" : g_strerror (number));
  return FALSE;
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Deeds."), NULL };
static const SeguePort *const outputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Nothing."),
                                            NULL };

static const SegueStageType evil = {
  SEGUE_STAGE_TYPE,    .name = "evil",         .summary = "A decoder that was taken over",
  .result_version = 1, .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_ISOLATE,
  .inputs = inputs,    .outputs = outputs,     .process = process,
};

static const SegueStageType *const stages[] = { &evil, NULL };

SEGUE_PLUGIN (.name = "evil", .version = "1.0", .licence = "MIT", .stages = stages)
