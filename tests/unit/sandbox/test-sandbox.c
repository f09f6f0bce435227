/* A compromised decoder tries everything: on systems with all layers of the sandbox and with some, started by root
 * and by another user. The table in docs/reliability.md lists which layers stop what; here each is tested
 * alone. */
#include "deeds.h"
#include "fixture.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <segue/file.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

#define NOBODY 65534
/* Exit status: not everything could be tested here. */
#define SKIPPED 77

static const char *const only_evil[] = { "evil", NULL };

typedef struct {
  const char *name;
  SystemLack lack;
  uid_t user;
} Trial;

/* ---- data and processes of others ---- */

typedef struct {
  char *folder, *victim, *link, *new_name, *socket_path;
  int socket, memory, queue;
} Others;

static char *
at (const Others *others, const char *name)
{
  return g_build_filename (others->folder, name, NULL);
}

/* Owned by the worker's user, who has all rights to them. */
static void
others_init (Others *others)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct {
    long type;
    char text[8];
  } message = { 1, "message" };
  others->folder = g_dir_make_tmp ("segue-others-XXXXXX", NULL);
  others->victim = at (others, "victim");
  others->link = at (others, "link");
  others->new_name = at (others, "new");
  others->socket_path = at (others, "socket");
  g_assert_true (g_file_set_contents (others->victim, "secret", -1, NULL));
  g_assert_cmpint (chmod (others->victim, 0600), ==, 0);
  (void) !setxattr (others->victim, "user.mine", "1", 1, 0);
  g_assert_cmpint (symlink (others->victim, others->link), ==, 0);
  others->socket = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_strlcpy (address.sun_path, others->socket_path, sizeof address.sun_path);
  g_assert_cmpint (bind (others->socket, (struct sockaddr *) &address, sizeof address), ==, 0);
  others->memory = shmget (IPC_PRIVATE, 4096, 0600);
  others->queue = msgget (IPC_PRIVATE, 0600);
  msgsnd (others->queue, &message, sizeof message.text, IPC_NOWAIT);
}

/* None of them was touched. */
static void
others_check (const Others *others)
{
  g_autofree char *text = NULL;
  char byte;
  struct stat info;
  g_assert_true (g_file_get_contents (others->victim, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "secret");
  g_assert_cmpint (stat (others->victim, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  g_assert_false (g_file_test (others->new_name, G_FILE_TEST_EXISTS));
  g_assert_cmpint (getxattr (others->victim, "user.evil", NULL, 0), ==, -1);
  g_assert_cmpint (recv (others->socket, &byte, 1, 0), ==, -1);
}

static void
others_clear (Others *others)
{
  shmctl (others->memory, IPC_RMID, NULL);
  msgctl (others->queue, IPC_RMID, NULL);
  close (others->socket);
  segue_file_remove_folder (others->folder, NULL);
  g_free (others->folder);
  g_free (others->victim);
  g_free (others->link);
  g_free (others->new_name);
  g_free (others->socket_path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Others, others_clear)

/* ---- deeds ---- */

/* -1: not on this processor. */
static int
number_of (const Deed *deed)
{
#ifdef HAVE_SECCOMP
  int number = seccomp_syscall_resolve_name (deed->call);
  if (number >= 0)
    return number;
#endif
  return deed->number > 0 ? deed->number : -1;
}

/* (transfer full) (nullable): in the form for evil.c. */
static char *
spell (const Deed *deed, const Others *others)
{
  g_autofree char *parent = g_strdup_printf ("%d", (int) getpid ());
  g_autofree char *memory = g_strdup_printf ("%d", others->memory);
  g_autofree char *queue = g_strdup_printf ("%d", others->queue);
  const char *const names[][2] = {
    { "VICTIM", others->victim }, { "FOLDER", others->folder },
    { "LINK", others->link },     { "NEW", others->new_name },
    { "PARENT", parent },         { "MEMORY", memory },
    { "QUEUE", queue },           { "SOCKET", others->socket_path },
  };
  GString *text = g_string_new (deed->words);
  int number = deed->call ? number_of (deed) : 0;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_string_replace (text, names[i][0], names[i][1], 0);
  if (deed->call) {
    g_autofree char *words = g_string_free (text, FALSE);
    return number < 0 ? NULL : g_strstrip (g_strdup_printf ("call %d %s", number, words));
  }
  return g_string_free (text, FALSE);
}

static gboolean
ends_with_errno (const char *message, const int *numbers)
{
  for (; *numbers; numbers++)
    if (g_str_has_suffix (message, g_strerror (*numbers)))
      return TRUE;
  return FALSE;
}

/* The list of calls denies only with these errors; other layers with any error of the kernel. */
static gboolean
is_denied (const Deed *deed, Layers there, const char *message)
{
  static const int by_calls[] = { EPERM, ENOSYS, 0 };
  if (strstr (message, "SIGSYS"))
    return TRUE;
  if ((there & BY_CALLS) && (deed->stopped_by & BY_CALLS))
    return ends_with_errno (message, by_calls);
  return !g_str_has_suffix (message, "done");
}

static gboolean
applies (const Deed *deed, Layers there, uid_t user)
{
  if (!(deed->stopped_by & there))
    return FALSE;
  /* A sanitizer needs more than the limits allow. */
  if (HAS_SANITIZER && deed->stopped_by == BY_LIMITS)
    return FALSE;
  /* A user's threads are counted per namespace. */
  if (g_str_has_prefix (deed->words, "threads"))
    return user == 0 || (there & BY_NAMESPACES);
  return TRUE;
}

/* A worker with a sanitizer may read files, to report its findings. */
static guint
first_deed (void)
{
  guint i = 0;
  while (HAS_SANITIZER && !(deeds[i].what && g_str_has_prefix (deeds[i].what, "write, make")))
    i++;
  return i;
}

static Layers
layers_of (IsolateFixture *fixture)
{
  g_autoptr (GError) error = isolate_fixture_refuse (fixture, "call -1");
  const char *held = strstr (fixture->log->str, "sandbox active: ");
  g_assert_nonnull (held);
  g_autofree char *line = g_strndup (held, strcspn (held, "\n"));
  char *lacking = strstr (line, "; not available: ");
  if (lacking)
    *lacking = '\0';
  g_test_message ("%s%s%s", line, lacking ? "; lacks " : "", lacking ? lacking + 17 : "");
  return BY_START | (strstr (line, "calls (") ? BY_CALLS : 0) |
         (strstr (line, "files (") ? BY_FILES : 0) |
         (strstr (line, "namespaces (") ? BY_NAMESPACES : 0) |
         (strstr (line, "limits (") ? BY_LIMITS : 0);
}

/* For a song that its owner can write to, as may happen on a server. */
static char *
carry (IsolateFixture *fixture, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->folder, "song", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  int fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_autoptr (GPtrArray) output = segue_chain_carry_fd (fixture->chain, fd, "song", NULL, &error);
  close (fd);
  g_autofree char *after = NULL;
  g_assert_true (g_file_get_contents (path, &after, NULL, NULL));
  g_assert_cmpstr (after, ==, text);
  g_assert_null (output);
  return g_strdup (error->message);
}

/* In a separate process, since the simulated lack is permanent. */
static int
try_all (const Trial *trial)
{
  if (trial->user != 0 && geteuid () == 0 &&
      (setgroups (0, NULL) != 0 || setresgid (NOBODY, NOBODY, NOBODY) != 0 ||
       setresuid (trial->user, trial->user, trial->user) != 0))
    return SKIPPED;
  if (access (g_getenv ("SEGUE_WORKER"), X_OK) != 0 || access (g_getenv ("MISBEHAVE"), R_OK) != 0 ||
      !system_lacks (trial->lack))
    return SKIPPED;
  g_setenv ("HF_TOKEN", "hf_secret", TRUE);
  g_auto (Others) others;
  others_init (&others);
  guint n = 0, n_done = 0;
  {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, only_evil, NULL, TRUE, 60);
    Layers there = layers_of (&fixture);
    for (guint i = first_deed (); i < n_deeds; i++) {
      const Deed *deed = &deeds[i];
      g_autofree char *text = applies (deed, there, trial->user) ? spell (deed, &others) : NULL;
      g_autofree char *message = text ? carry (&fixture, text) : NULL;
      n += message != NULL;
      if (message && !is_denied (deed, there, message)) {
        n_done++;
        g_printerr ("# %s: %s %s: %s\n", trial->name, deed->call ? deed->call : "", text, message);
      }
    }
    g_printerr ("# %s: %u deeds, %u not denied\n", trial->name, n, n_done);
  }
  others_check (&others);
  return n_done > 0 ? 1 : 0;
}

static void
test_trial (gconstpointer data)
{
  const Trial *trial = data;
  int status;
  fflush (NULL);
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    _exit (try_all (trial));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFEXITED (status) && WEXITSTATUS (status) == SKIPPED)
    g_test_skip ("can't be arranged here");
  else
    g_assert_cmpint (status, ==, 0);
}

/* ---- the table ---- */

static char *
spell_layers (Layers layers)
{
  static const struct {
    Layers layer;
    const char *name;
  } names[] = { { BY_CALLS, "calls" },
                { BY_FILES, "Landlock" },
                { BY_NAMESPACES, "namespaces" },
                { BY_LIMITS, "limits" },
                { BY_START, "start" } };
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (layers & names[i].layer)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", names[i].name);
  return g_string_free (text, FALSE);
}

/* (transfer full): a line for each kind of deed: description, number, layers that stop all of them, and layers
 * that stop some. */
static char *
draw_table (void)
{
  GString *table =
    g_string_new ("| a decoder that was taken over tries to … | deeds | each of these alone "
                  "stops all | and some |\n|---|---|---|---|\n");
  for (guint i = 0; i < n_deeds;) {
    guint first = i;
    Layers all = ~0u, some = 0;
    do {
      all &= deeds[i].stopped_by;
      some |= deeds[i].stopped_by;
    } while (++i < n_deeds && !deeds[i].what);
    g_autofree char *each = spell_layers (all), *others = spell_layers (some & ~all);
    g_string_append_printf (table, "| %s | %u | %s | %s |\n", deeds[first].what, i - first,
                            *each ? each : "–", *others ? others : "–");
  }
  return g_string_free (table, FALSE);
}

static void
test_table (void)
{
  g_autofree char *path =
    g_build_filename (g_getenv ("SEGUE_SOURCE_ROOT"), "docs", "reliability.md", NULL);
  g_autofree char *text = NULL, *table = draw_table ();
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  if (!strstr (text, table))
    g_error ("docs/reliability.md does not have this table:\n%s", table);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    SystemLack lack;
  } systems[] = {
    { "all layers", LACKS_NOTHING },
    { "no Landlock", LACKS_LANDLOCK },
    { "no namespaces", LACKS_NAMESPACES },
    { "calls alone", LACKS_LANDLOCK | LACKS_NAMESPACES },
    { "no seccomp", LACKS_SECCOMP },
    { "Landlock alone", LACKS_SECCOMP | LACKS_NAMESPACES },
    { "namespaces alone", LACKS_SECCOMP | LACKS_LANDLOCK },
  };
  static Trial trials[2 * G_N_ELEMENTS (systems)];
  gboolean root = geteuid () == 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sandbox/table", test_table);
  for (guint i = 0; i < G_N_ELEMENTS (trials); i++) {
    guint which = i % G_N_ELEMENTS (systems);
    gboolean as_root = i < G_N_ELEMENTS (systems);
    if (as_root && !root)
      continue;
    g_autofree char *path =
      g_strdup_printf ("/sandbox/%s/%s", as_root ? "root" : "user", systems[which].name);
    const char *name = g_intern_string (path);
    trials[i] = (Trial){ name, systems[which].lack, as_root ? 0 : root ? NOBODY : geteuid () };
    g_test_add_data_func (name, &trials[i], test_trial);
  }
  return g_test_run ();
}
