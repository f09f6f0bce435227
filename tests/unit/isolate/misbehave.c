/* A plugin whose stages do what their files specify, good or bad. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <segue/plugin.h>
#include <segue/tensor.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- misbehave: a file's text is a deed, such as "signal 11" or "read /etc/shadow" ---- */

enum {
  OPENS_WELL,
  OPENS_NOT,
  OPENS_WITH_A_CRASH,
  OPENS_WITH_AN_END,
  OPENS_WITH_A_THREAD,
  OPENS_KILLED,
  OPENS_KILLED_ONCE,
};

typedef struct {
  int opening;
  gint64 level;
} Config;

static const char *const openings[] = { "well",        "not",    "crash",       "exit",
                                        "with-thread", "killed", "killed-once", NULL };
static const SegueParam *const params[] = {
  SEGUE_PARAM (Config, opening, SEGUE_PARAM_CHOICE, .def = "well", .choices = openings),
  SEGUE_PARAM (Config, level, SEGUE_PARAM_INT, .def = "1", .min = 0, .max = 100,
               .flags = SEGUE_PARAM_VOLATILE),
  NULL,
};

/* Bypasses any handler of a sanitizer. The first process of a namespace survives that, and reports it as the
 * worker does. */
static void
die_of (int number)
{
  signal (number, SIG_DFL);
  raise (number);
  _exit (128 + number);
}

static gpointer
do_nothing (gpointer data)
{
  return data;
}

static gpointer
wait_for_ever (gpointer data)
{
  while (TRUE)
    pause ();
  return data;
}

/* Whether this is the first time: the file at $MISBEHAVE_MARK does not exist yet. */
static gboolean
leaves_mark (void)
{
  int fd = open (g_getenv ("MISBEHAVE_MARK"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static gboolean
open_instance (SegueContext *context, gpointer *instance, GError **error)
{
  const Config *config = segue_context_get_config (context);
  if (config->opening == OPENS_NOT)
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "its licence has run out");
  if (config->opening == OPENS_WITH_A_CRASH)
    die_of (SIGSEGV);
  if (config->opening == OPENS_WITH_AN_END)
    _exit (9);
  if (config->opening == OPENS_WITH_A_THREAD)
    g_thread_unref (g_thread_new ("for-ever", wait_for_ever, NULL));
  if (config->opening == OPENS_KILLED || (config->opening == OPENS_KILLED_ONCE && leaves_mark ()))
    die_of (SIGKILL);
  *instance = g_new0 (char, 1);
  return config->opening != OPENS_NOT;
}

/* One byte of @fd, to check whether it can be read. */
static int
look_at (int fd)
{
  char byte;
  if (fd < 0)
    return -1;
  int result = read (fd, &byte, 1) < 0 && errno != EISDIR ? -1 : 0;
  close (fd);
  return result;
}

static int
fork_now (void)
{
  pid_t child = fork ();
  if (child == 0)
    _exit (0);
  return child < 0 ? -1 : 0;
}

/* Actions that a sandbox has to deny: 0, or -1 with errno. */
static int
try (const char *deed, const char *object)
{
  char *const nothing[] = { NULL };
  if (g_str_equal (deed, "read"))
    return look_at (open (object, O_RDONLY | O_CLOEXEC));
  if (g_str_equal (deed, "write"))
    return open (object, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? -1 : 0;
  if (g_str_equal (deed, "remove"))
    return unlink (object);
  if (g_str_equal (deed, "socket"))
    return socket (AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0;
  if (g_str_equal (deed, "local-socket"))
    return socket (AF_UNIX, SOCK_STREAM, 0) < 0 ? -1 : 0;
  if (g_str_equal (deed, "fork"))
    return fork_now ();
  if (g_str_equal (deed, "exec"))
    return execve (object, nothing, nothing);
  if (g_str_equal (deed, "kill"))
    return kill (atoi (object), 0);
  if (g_str_equal (deed, "variable"))
    return g_getenv (object) ? 0 : (errno = EPERM, -1);
  if (g_str_equal (deed, "terminal"))
    return isatty (STDERR_FILENO) || tcgetpgrp (STDERR_FILENO) >= 0 ? 0 : (errno = EPERM, -1);
  if (g_str_equal (deed, "ptrace"))
    return (int) syscall (SYS_ptrace, 0x4206 /* SEIZE */, atoi (object), 0, 0);
  errno = EINVAL;
  return -1;
}

/* Items that this process has worked on. */
static guint n_seen;

/* Actions that may harm the process. */
static gboolean
hurt (const char *deed, const char *object)
{
  if (g_str_equal (deed, "signal"))
    die_of (atoi (object));
  if (g_str_equal (deed, "fault"))
    *(volatile int *) mmap (NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
  if (g_str_equal (deed, "exit"))
    _exit (atoi (object));
  if (g_str_equal (deed, "print"))
    fprintf (stderr, "%s\n", object);
  if (g_str_equal (deed, "print-much"))
    for (guint i = 0; i < 100000; i++)
      fprintf (stderr, "line %u of what nobody wants to read\n", i);
  while (g_str_equal (deed, "hang"))
    pause ();
  return FALSE;
}

/* Reserves addresses, without ever touching the memory. */
static gboolean
allocate (SegueItem *item, GError **error)
{
  for (guint i = 0; i < 4096; i++) {
    gpointer block = mmap (NULL, (gsize) 1 << 30, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "‘%s’ wants more than %u GiB",
                   segue_item_get_id (item), i);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
emit_ramp (SegueItem *item, guint n, guint channels, SegueContext *context, GError **error)
{
  float *frames = g_new (float, n);
  for (guint i = 0; i < n; i++)
    frames[i] = (float) i / 1000;
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, n * sizeof (float));
  SegueItem *audio = segue_item_new_audio (item, NULL, bytes, 1000, channels);
  segue_item_set_double (audio, SEGUE_META_DURATION, 1);
  return segue_context_emit (context, audio, error);
}

/* Silence with @n metadata keys of @length letters each. */
static gboolean
emit_metadata (SegueItem *item, guint n, guint length, SegueContext *context, GError **error)
{
  g_autofree char *value = g_strnfill (length, 'x');
  const float silence = 0;
  g_autoptr (GBytes) bytes = g_bytes_new (&silence, sizeof silence);
  SegueItem *audio = segue_item_new_audio (item, NULL, bytes, 1000, 1);
  for (guint i = 0; i < n; i++) {
    g_autofree char *key = g_strdup_printf ("key %u", i);
    segue_item_set_string (audio, key, value);
  }
  return segue_context_emit (context, audio, error);
}

static char *
read_deed (SegueItem *item, GError **error)
{
  char text[256] = "";
  int fd = segue_item_open (item, error);
  if (fd < 0)
    return NULL;
  gssize n = read (fd, text, sizeof text - 1);
  close (fd);
  return g_strndup (text, (gsize) MAX (n, 0));
}

static gboolean
misbehave (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autofree char *text = read_deed (item, error);
  if (!text)
    return FALSE;
  g_auto (GStrv) words = g_strsplit (g_strstrip (text), " ", 2);
  const char *deed = words[0] ? words[0] : "", *object = words[0] && words[1] ? words[1] : "";
  segue_context_log (context, G_LOG_LEVEL_DEBUG, "item %u of its process", n_seen++);
  hurt (deed, object);
  segue_context_count (context, "deeds", 1);
  segue_context_log (context, G_LOG_LEVEL_INFO, "%s: \033[31m%s", segue_item_get_id (item), deed);
  if (g_str_equal (deed, "allocate") && !allocate (item, error))
    return FALSE;
  if (g_str_equal (deed, "fail")) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is bad: %s", segue_item_get_id (item),
                 object);
    return FALSE;
  }
  if (g_str_equal (deed, "blame")) { /* the system, or the program */
    g_set_error (error, SEGUE_ERROR, atoi (object), "‘%s’: the disk is full",
                 segue_item_get_id (item));
    return FALSE;
  }
  if (g_str_equal (deed, "channels"))
    return emit_ramp (item, (guint) atoi (object), (guint) atoi (object), context, error);
  if (g_str_equal (deed, "keys"))
    return emit_metadata (item, (guint) atoi (object), 10, context, error);
  if (g_str_equal (deed, "letters"))
    return emit_metadata (item, 10, (guint) atoi (object), context, error);
  if (g_str_equal (deed, "thread"))
    g_thread_join (g_thread_new ("test", do_nothing, NULL));
  else if (!g_str_equal (deed, "fine") && !g_str_has_prefix (deed, "print")) {
    gboolean done = try (deed, object) == 0;
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %s", segue_item_get_id (item),
                 done ? "done" : g_strerror (errno));
    return FALSE;
  }
  /* Long ones are mapped, short ones copied. */
  return emit_ramp (item, *object == 'l' ? 1000000 : 1000, 1, context, error);
}

static const SeguePort *const files[] = { SEGUE_PORT ("files", SEGUE_KIND_FILE, "Deeds."), NULL };
static const SeguePort *const songs[] = { SEGUE_PORT ("songs", SEGUE_KIND_AUDIO, "Songs."), NULL };
static const SeguePort *const tensors[] = { SEGUE_PORT ("tensors", SEGUE_KIND_TENSOR, "Tensors."),
                                            NULL };

static const SegueStageType misbehave_type = {
  SEGUE_STAGE_TYPE,
  .name = "misbehave",
  .summary = "Does what a file says",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_ISOLATE,
  .inputs = files,
  .outputs = songs,
  .params = params,
  .config_size = sizeof (Config),
  .open = open_instance,
  .close = g_free,
  .process = misbehave,
};

/* ---- slices: every relation of an item to its input ---- */

static SegueItem *
slice (SegueItem *item, GBytes *bytes, const char *suffix, gsize first, gsize n)
{
  g_autoptr (GBytes) part =
    g_bytes_new_from_bytes (bytes, first * sizeof (float), n * sizeof (float));
  SegueItem *made = segue_item_new_audio (item, suffix, part, segue_item_get_rate (item), 1);
  segue_item_set_double (made, SEGUE_META_START, (double) first / segue_item_get_rate (item));
  return made;
}

static gboolean
make_slices (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  GBytes *input = segue_item_get_bytes (item);
  gsize size;
  const float *samples = g_bytes_get_data (input, &size);
  float *doubled = g_malloc (size);
  for (gsize i = 0; i < size / sizeof (float); i++)
    doubled[i] = 2 * samples[i];
  g_autoptr (GBytes) own = g_bytes_new_take (doubled, size);
  /* Of the input and of a separate buffer, overlapping and disjoint, and the item itself. */
  SegueItem *items[] = {
    slice (item, input, "0", 0, 500), slice (item, input, "1", 250, 500),
    slice (item, own, "2", 100, 200), slice (item, own, "3", 200, 300),
    slice (item, own, "4", 900, 100), slice (item, own, "5", 0, 1),
    slice (item, input, "6", 999, 1),
  };
  const char *label = segue_item_get_string (item, SEGUE_META_LABEL);
  for (guint i = 0; i < G_N_ELEMENTS (items); i++) {
    segue_item_set_int (items[i], "draw", (gint64) (segue_context_get_seed (context) >> 1));
    segue_item_set_string (items[i], "seen", label ? label : "nothing");
    if (!segue_context_emit (context, items[i], error))
      return FALSE;
  }
  segue_context_count (context, "slices", G_N_ELEMENTS (items));
  return segue_context_emit (context, segue_item_ref (item), error);
}

static const SegueStageType slices_type = {
  SEGUE_STAGE_TYPE,    .name = "slices",       .summary = "Cuts a song in every way",
  .result_version = 1, .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_SEEDED,
  .inputs = songs,     .outputs = songs,       .process = make_slices,
};

/* ---- square: a tensor ---- */

static gboolean
make_square (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  gsize n, shape[] = { 2, 2 };
  const float *samples = segue_item_get_frames (item, &n);
  segue_context_log (context, G_LOG_LEVEL_DEBUG, "item %u of its process", n_seen++);
  float square[4] = { n > 0 ? samples[0] : 0, (float) n, 3, 4 };
  g_autoptr (GBytes) bytes = g_bytes_new (square, sizeof square);
  SegueItem *tensor =
    segue_item_new_tensor (SEGUE_KIND_TENSOR, item, NULL, bytes, SEGUE_DTYPE_F32, 2, shape);
  return segue_context_emit (context, tensor, error);
}

static const SegueStageType square_type = {
  SEGUE_STAGE_TYPE,    .name = "square",       .summary = "Makes a small tensor",
  .result_version = 1, .mode = SEGUE_MODE_MAP, .inputs = songs,
  .outputs = tensors,  .process = make_square,
};

static const SegueStageType *const stages[] = { &misbehave_type, &slices_type, &square_type, NULL };

SEGUE_PLUGIN (.name = "misbehaving", .version = "0.9", .licence = "MIT", .stages = stages)
