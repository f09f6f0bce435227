/* Starting, ending and reaping worker processes. */
#include "isolate/worker-process.h"
#include "isolate/worker-spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <segue/error.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a worker that is no longer needed, or has closed its socket, may take to end. */
#define LAST_WAIT (2 * G_TIME_SPAN_SECOND)
/* Of a worker's memory: enough for any decoder, and for a song that lasts hours. */
#define LEAST_MEMORY ((guint64) 768 << 20)
#define MOST_MEMORY  ((guint64) 4 << 30)
/* Of what a worker wrote to its stderr. */
#define MOST_WORDS   (16 * 1024)
#define MOST_LINES   40
#define LONGEST_LINE 256
/* The socket's number in the worker; the first after the standard ones. */
#define SOCKET 3

struct _SegueWorkerProcess {
  pid_t pid;
  int socket;
  int words; /* the reading end of a pipe that is its stderr */
  char *path;
};

guint64
segue_worker_memory (guint n_workers)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);
  guint64 all = pages > 0 && size > 0 ? (guint64) pages * (guint64) size : 0;
  return CLAMP (all / 2 / MAX (n_workers, 1), LEAST_MEMORY, MOST_MEMORY);
}

static char *
find_program (void)
{
  const char *given = g_getenv ("SEGUE_WORKER");
  return g_strdup (given && *given ? given : SEGUE_WORKER_PATH);
}

static gboolean
set_not_started (const char *path, int number, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  gboolean resource = number == EAGAIN || number == ENOMEM;
  /* The child opens a file before it runs the other program. */
  if (number == EMFILE || number == ENFILE)
    return segue_set_error_from_errno (error, number, SEGUE_ERROR_RESOURCE, "can't start", path);
  g_set_error (error, SEGUE_ERROR, resource ? SEGUE_ERROR_RESOURCE : SEGUE_ERROR_FAILED,
               "can't start ‘%s’, the program that runs isolated stages: %s; %s", shown,
               g_strerror (number),
               resource ? "use fewer workers (-j), or close other programs, and run again"
                        : "reinstall segue, or set $SEGUE_WORKER to its path");
  return FALSE;
}

/* Avoids the numbers that descriptors have in the worker: one could overwrite the other. */
static int
above_all (int fd)
{
  int moved = fd > SOCKET ? fd : fcntl (fd, F_DUPFD_CLOEXEC, SOCKET + 1);
  if (moved != fd && fd >= 0)
    close (fd);
  return moved;
}

typedef struct {
  int ours, theirs;
} Ends;

static void
clear_ends (Ends *ends)
{
  if (ends->ours >= 0)
    close (ends->ours);
  if (ends->theirs >= 0)
    close (ends->theirs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ends, clear_ends)

/* A full pipe drops output rather than block the worker. */
static gboolean
open_ends (Ends *talk, Ends *words, GError **error)
{
  int pair[2] = { -1, -1 }, halves[2] = { -1, -1 };
  gboolean opened = socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 &&
                    pipe2 (halves, O_CLOEXEC | O_NONBLOCK) == 0;
  int number = errno;
  *talk = (Ends){ pair[0], pair[1] };
  *words = (Ends){ halves[0], halves[1] };
  if (opened) {
    talk->theirs = above_all (talk->theirs);
    words->theirs = above_all (words->theirs);
    number = errno;
  }
  if (opened && talk->theirs >= 0 && words->theirs >= 0)
    return TRUE;
  return segue_set_error_from_errno (error, number, SEGUE_ERROR_RESOURCE, "can't start",
                                     "a worker");
}

static int
await (pid_t pid)
{
  int status = -1;
  pid_t got;
  while ((got = waitpid (pid, &status, 0)) < 0 && errno == EINTR)
    ;
  return got == pid ? status : -1;
}

SegueWorkerProcess *
segue_worker_process_start (GError **error)
{
  g_autofree char *path = find_program ();
  g_auto (Ends) talk = { -1, -1 }, words = { -1, -1 };
  pid_t pid;
  if (!open_ends (&talk, &words, error))
    return NULL;
  int failed = segue_worker_spawn (path, talk.theirs, words.theirs, &pid);
  if (failed != 0 && pid > 0)
    await (pid);
  if (failed != 0) {
    set_not_started (path, failed, error);
    return NULL;
  }
  SegueWorkerProcess *process = g_new (SegueWorkerProcess, 1);
  *process = (SegueWorkerProcess){ pid, talk.ours, words.ours, g_filename_display_name (path) };
  talk.ours = words.ours = -1;
  return process;
}

int
segue_worker_process_get_socket (SegueWorkerProcess *process)
{
  return process->socket;
}

const char *
segue_worker_process_get_path (SegueWorkerProcess *process)
{
  return process->path;
}

/* Appends one line, sanitised for a log and a terminal. */
static void
add_line (GString *lines, const char *line)
{
  g_autofree char *text = g_utf8_make_valid (line, (gssize) strnlen (line, LONGEST_LINE));
  for (const char *c = text; *c; c = g_utf8_next_char (c)) {
    gunichar letter = g_utf8_get_char (c);
    g_string_append_unichar (lines, g_unichar_isprint (letter) || letter == '\t' ? letter : '?');
  }
  g_string_append_c (lines, '\n');
}

char *
segue_worker_process_take_words (SegueWorkerProcess *process)
{
  g_autofree char *raw = g_malloc (MOST_WORDS + 1);
  gssize n = 0;
  gsize got = 0;
  while (got < MOST_WORDS && (n = read (process->words, raw + got, MOST_WORDS - got)) > 0)
    got += (gsize) n;
  if (got == 0)
    return NULL;
  /* The rest is dropped, or it would appear again with the next song. */
  char rest[4096];
  for (guint i = 0; n > 0 && i < 16 && read (process->words, rest, sizeof rest) > 0; i++)
    ;
  for (gsize i = 0; i < got; i++)
    raw[i] = raw[i] ? raw[i] : '?';
  raw[got] = '\0';
  g_auto (GStrv) lines = g_strsplit (raw, "\n", MOST_LINES + 1);
  GString *text = g_string_new (NULL);
  for (guint i = 0; lines[i] && i < MOST_LINES; i++)
    if (*lines[i])
      add_line (text, lines[i]);
  return g_string_free (text, FALSE);
}

static void
free_process (SegueWorkerProcess *process)
{
  close (process->socket);
  close (process->words);
  g_free (process->path);
  g_free (process);
}

/* Also kills all that it has forked; its pid is not reused until it is waited for. */
void
segue_worker_process_kill (SegueWorkerProcess *process)
{
  kill (-process->pid, SIGKILL);
  kill (process->pid, SIGKILL);
  await (process->pid);
  free_process (process);
}

void
segue_worker_process_close (SegueWorkerProcess *process)
{
  struct pollfd polled = { .fd = process->socket, .events = POLLRDHUP };
  gint64 deadline = g_get_monotonic_time () + LAST_WAIT, left;
  shutdown (process->socket, SHUT_WR);
  while ((left = deadline - g_get_monotonic_time ()) > 0 &&
         poll (&polled, 1, (int) (left / 1000)) < 0 && errno == EINTR)
    ;
  segue_worker_process_kill (process);
}

int
segue_worker_process_read_status (int status)
{
  int number = status != -1 && WIFEXITED (status) ? WEXITSTATUS (status) - 128 : 0;
  return number > 0 && number < NSIG ? number : status;
}

int
segue_worker_process_reap (SegueWorkerProcess *process, char **words)
{
  gint64 deadline = g_get_monotonic_time () + LAST_WAIT;
  int status = -1;
  pid_t got;
  /* A process closes its files a moment before waitpid () reports it. */
  while ((got = waitpid (process->pid, &status, WNOHANG)) == 0 &&
         g_get_monotonic_time () < deadline)
    g_usleep (500);
  if (got == 0) {
    kill (process->pid, SIGKILL);
    await (process->pid);
  }
  *words = segue_worker_process_take_words (process);
  free_process (process);
  return got > 0 ? segue_worker_process_read_status (status) : -1;
}
