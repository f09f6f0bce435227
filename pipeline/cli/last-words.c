#include "last-words.h"
#include "base/calling.h"
#include "cli.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_FRAMES 64
/* Reading the stack of a crashed program may itself never end. */
#define PATIENCE 3 /* s */

static gint installed;

/* Objects between a plugin's code and ours: these are not the first suspects. */
static gboolean
is_ours (const char *path)
{
  static const char *const libraries[] = {
    "libsegue.so", "libsegue-nn.so", "libc.so",           "libpthread.so",
    "libm.so",     "libglib-2.0.so", "libgobject-2.0.so", "libgio-2.0.so",
    "ld-linux-",   "linux-vdso.",    "libstdc++.so",
  };
  const char *slash = strrchr (path, '/'), *base = slash ? slash + 1 : path;

  for (gsize i = 0; i < G_N_ELEMENTS (libraries); i++)
    if (strncmp (base, libraries[i], strlen (libraries[i])) == 0)
      return TRUE;
  return strcmp (base, "segue") == 0;
}

/* (nullable): the first object on the stack that is neither ours nor one of our libraries. */
static const char *
find_culprit (void)
{
  void *frames[MAX_FRAMES];
  int n = backtrace (frames, MAX_FRAMES);
  for (int i = 0; i < n; i++) {
    Dl_info info;
    if (dladdr (frames[i], &info) && info.dli_fname && *info.dli_fname && !is_ours (info.dli_fname))
      return info.dli_fname;
  }
  return NULL;
}

/* Allocates nothing and takes no lock. */
static void
write_all (const char *const *words, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (write (STDERR_FILENO, words[i], strlen (words[i])) < 0)
      return;
}

static void
say (const char *what)
{
  const SegueCalling calling = segue_calling_get ();
  gboolean loads = calling.what && strcmp (calling.what, "plugin") == 0;
  const char *culprit = loads ? calling.name : find_culprit ();
  const char *const end[] = { "segue: ", culprit ? culprit : "the program", " ", what };
  const char *const in[] = { " in ", calling.what, " '", calling.name, "'" };
  const char *const loading[] = { " while it was loaded" };
  const char *const bug[] = { ": a bug in it\n" };
  const char *const advice[] = {
    ": a bug in it; with `isolate: true` on this stage in the pipeline, "
    "such a crash loses one song, not the run\n"
  };
  write_all (end, G_N_ELEMENTS (end));
  if (loads)
    write_all (loading, G_N_ELEMENTS (loading));
  else if (calling.what)
    write_all (in, G_N_ELEMENTS (in));
  write_all (calling.can_isolate ? advice : bug, 1);
}

static void
on_exit_called (void)
{
  if (!g_atomic_int_compare_and_exchange (&installed, TRUE, FALSE))
    return;
  say ("ended the program with exit ()");
  _exit (70);
}

static const struct {
  int number;
  const char *words;
} fatal[] = {
  { SIGSEGV, "crashed (SIGSEGV: it accessed unmapped memory, or wrote to read-only memory)" },
  { SIGBUS, "crashed (SIGBUS)" },
  { SIGFPE, "crashed (SIGFPE: a division by zero)" },
  { SIGILL, "crashed (SIGILL: an instruction that this processor does not have)" },
  { SIGABRT, "ended the program with abort ()" },
  { SIGTRAP, "ended the program with g_error () or a failed assertion" },
};

/* The handler is reset when it is called: another signal has the default effect, including a core
 * dump. */
static void
on_fatal_signal (int number)
{
  alarm (PATIENCE);
  for (gsize i = 0; i < G_N_ELEMENTS (fatal); i++)
    if (fatal[i].number == number)
      say (fatal[i].words);
  alarm (0);
  raise (number);
}

void
last_words_install (void)
{
  static gsize registered;
  void *frame;
  /* The first call loads a library. */
  backtrace (&frame, 1);
  if (g_once_init_enter (&registered)) {
    atexit (on_exit_called);
    g_once_init_leave (&registered, 1);
  }
  g_atomic_int_set (&installed, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (fatal); i++) {
    struct sigaction now,
      action = { .sa_handler = on_fatal_signal, .sa_flags = (int) SA_RESETHAND | SA_NODEFER };
    /* A sanitizer has its own handler. */
    if (sigaction (fatal[i].number, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
      sigaction (fatal[i].number, &action, NULL);
  }
}

void
last_words_cancel (void)
{
  g_atomic_int_set (&installed, FALSE);
}
