/* The core's side of an isolated stage: sends items, judges the results, retries once. */
#include "isolate/isolated-stage.h"
#include "isolate/answer.h"
#include "isolate/question.h"
#include "isolate/worker.h"
#include "params/params.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Consecutive processes that may end before their stage is open. */
#define OPEN_TRIES 3

typedef struct {
  SegueContext *context;
  SegueForkServer *server; /* NULL: it has ended; the next item starts another */
  SegueWorker *worker;     /* nullable: the one that has seen the current song */
  SegueWorker *reserve;    /* nullable: has seen no song */
  char *path;              /* of the last server's program */
  gboolean opened;         /* events of a worker before its first question were reported */
} IsolatedStage;

/* How a try with one process ended. */
typedef enum {
  TRY_ANSWERED,
  TRY_NOT_ASKED, /* the item could not be sent: see @error */
  TRY_FAILED,    /* a failure that a retry would not fix: see @error */
  TRY_CRASHED,   /* by its own fault: another process would likely do the same */
  TRY_ENDED,     /* by the system, or without an answer */
} Try;

static gboolean
takes (SegueRegistry *registry, const SegueGraphStage *stage)
{
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, stage->type);
  return entry && g_path_is_absolute (entry->path);
}

/* (transfer full): "SIGSEGV (Segmentation fault)" or the like, from a status of waitpid (). */
static char *
describe_end (int status)
{
  if (status == -1)
    return g_strdup ("no status");
  if (WIFEXITED (status))
    return g_strdup_printf ("exit status %d", WEXITSTATUS (status));
  const char *name = sigabbrev_np (WTERMSIG (status));
  const char *words = sigdescr_np (WTERMSIG (status));
  return g_strdup_printf ("SIG%s (%s)", name ? name : "?", words ? words : "an unknown signal");
}

/* Whether this process may use less memory than the system has (ulimit -v, ulimit -d). */
static gboolean
memory_is_limited (void)
{
  static const int limits[] = { RLIMIT_AS, RLIMIT_DATA };
  struct rlimit limit;
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (getrlimit (limits[i], &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
      return TRUE;
  return FALSE;
}

/* Signals that a process causes itself. When memory runs out, GLib ends a program by SIGTRAP, or
 * allocates for the message until the stack overflows, and C++ ends it by SIGABRT: these are no
 * crashes then. */
static gboolean
is_crash (int status)
{
  if (status == -1 || !WIFSIGNALED (status))
    return FALSE;
  switch (WTERMSIG (status)) {
  case SIGBUS:
  case SIGILL:
  case SIGFPE:
  case SIGSYS:
    return TRUE;
  case SIGSEGV:
  case SIGABRT:
    return !memory_is_limited ();
  default:
    return FALSE;
  }
}

/* "‘song’ crashed stage 'decode' (plugin decode 1.0): SIGSEGV (Segmentation fault)" */
static void
set_item_error (IsolatedStage *self, SegueErrorCode code, const char *verb, const char *rest,
                GError **error)
{
  const SegueContext *context = self->context;
  const SegueGraphStage *stage = context->stage;
  const SeguePlugin *plugin =
    segue_registry_get_plugin_of (context->scope->registry, stage->type)->plugin;
  g_set_error (error, SEGUE_ERROR, (int) code, "‘%s’ %s stage '%s' (plugin %s %s)%s",
               segue_item_get_id (context->input), verb, stage->id, plugin->name, plugin->version,
               rest);
}

/* Most likely ended by the system: that is no evidence against the song. */
static void
set_ended (IsolatedStage *self, const char *when, const char *end, GError **error)
{
  g_autofree char *rest = g_strdup_printf (
    ": its process ended %swith %s, possibly out of memory; the next run tries again", when, end);
  set_item_error (self, SEGUE_ERROR_TIMEOUT, "was not finished by", rest, error);
}

/* No process lived until its stage was open. Repeated crashes are the fault of the installation; a
 * process that the system ended may succeed another time. */
static void
judge_opening (IsolatedStage *self, int status, GError **error)
{
  const SegueGraphStage *stage = self->context->stage;
  g_autofree char *end = describe_end (status);
  if (status == -1 || (WIFSIGNALED (status) && !is_crash (status)))
    set_ended (self, "before its stage was open ", end, error);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "‘%s’ ended with %s, %d times in a row, before stage type '%s' was open; "
                 "reinstall segue and ‘%s’",
                 self->path, end, OPEN_TRIES, stage->type->name,
                 segue_registry_get_plugin_of (self->context->scope->registry, stage->type)->path);
}

/* When a server ends, its workers end with it. */
static int
reap_server (IsolatedStage *self)
{
  g_clear_pointer (&self->reserve, segue_worker_kill);
  return segue_fork_server_reap (g_steal_pointer (&self->server));
}

/* The worker has closed its socket: its exit status. */
static int
reap_worker (IsolatedStage *self)
{
  int status = segue_worker_reap (g_steal_pointer (&self->worker));
  if (!segue_fork_server_is_gone (self->server))
    return status;
  int own = reap_server (self);
  return status == -1 ? own : status;
}

static gboolean
start_server (IsolatedStage *self, GError **error)
{
  SegueContext *context = self->context;
  self->server =
    segue_fork_server_start (context, segue_worker_memory (context->scope->threads), error);
  if (!self->server)
    return FALSE;
  g_free (self->path);
  self->path = g_strdup (segue_fork_server_get_path (self->server));
  return TRUE;
}

/* A worker whose stage is open. */
static gboolean
take_worker (IsolatedStage *self, GError **error)
{
  int status = -1;
  for (guint i = 0; i < OPEN_TRIES; i++) {
    if (!self->server && !start_server (self, error))
      return FALSE;
    if (!self->worker)
      self->worker = g_steal_pointer (&self->reserve);
    if (!self->worker)
      self->worker = segue_worker_new (self->server, error);
    if (!self->worker)
      return FALSE;
    SegueOpening opening = segue_worker_await (self->worker, self->opened, error);
    self->opened |= opening == SEGUE_OPENING_DONE;
    if (opening != SEGUE_OPENING_ENDED)
      return opening == SEGUE_OPENING_DONE;
    status = reap_worker (self);
  }
  judge_opening (self, status, error);
  return FALSE;
}

static Try
judge_end (IsolatedStage *self, GError **error)
{
  segue_fork_server_log_words (self->server, G_LOG_LEVEL_WARNING);
  int status = reap_worker (self);
  g_autofree char *end = describe_end (status);
  if (is_crash (status)) {
    g_autofree char *rest = g_strdup_printf (": %s", end);
    set_item_error (self, SEGUE_ERROR_UNSUPPORTED, "crashed", rest, error);
    return TRY_CRASHED;
  }
  set_ended (self, "", end, error);
  return TRY_ENDED;
}

static Try
judge_late (IsolatedStage *self, GError **error)
{
  g_autofree char *rest = g_strdup_printf (
    " busy for more than %g s and was cancelled; the next run tries again" SEGUE_ADVICE (
      ", with more time if you add ", "time_limit=%.0f"),
    self->context->stage->time_limit, ceil (self->context->stage->time_limit * 4));
  set_item_error (self, SEGUE_ERROR_TIMEOUT, "kept", rest, error);
  return TRY_FAILED;
}

static Try
judge_nonsense (IsolatedStage *self, const char *why, GError **error)
{
  g_autofree char *rest = g_strdup_printf (": its process sent %s", why);
  set_item_error (self, SEGUE_ERROR_DATA, "confused", rest, error);
  return TRY_CRASHED;
}

/* Reads until the answer is complete. */
static Try
listen (IsolatedStage *self, SegueAnswer *answer, SegueWait *wait, GError **error)
{
  const char *why = "an invalid message";
  while (!answer->done) {
    g_auto (SegueMessage) message = { .fd = -1 };
    SegueWire wire = segue_message_receive (segue_worker_get_socket (self->worker), &message, wait);
    if (wire == SEGUE_WIRE_OK && segue_answer_take (answer, &message, self->context, &why))
      continue;
    if (answer->environment) {
      g_propagate_error (error, g_steal_pointer (&answer->environment));
      return TRY_FAILED;
    }
    if (segue_fork_server_explain (self->server, wire, error))
      return TRY_FAILED;
    if (wire == SEGUE_WIRE_CLOSED)
      return judge_end (self, error);
    return wire == SEGUE_WIRE_LATE ? judge_late (self, error) : judge_nonsense (self, why, error);
  }
  return TRY_ANSWERED;
}

/* One item in one process. */
static Try
ask (IsolatedStage *self, SegueItem *item, SegueAnswer *answer, GError **error)
{
  const SegueContext *context = self->context;
  if (!take_worker (self, error))
    return TRY_FAILED;
  if (!segue_shared_arena_init (&answer->arena, segue_worker_memory (context->scope->threads),
                                error))
    return TRY_NOT_ASKED;
  SegueWait wait = segue_wait_begin ((gint64) (context->stage->time_limit * G_TIME_SPAN_SECOND),
                                     context->cancellable);
  SegueWire wire;
  int socket = segue_worker_get_socket (self->worker);
  if (!segue_question_send (socket, &answer->arena, item, context->epoch, &wait, &wire, error))
    return TRY_NOT_ASKED;
  if (segue_fork_server_explain (self->server, wire, error))
    return TRY_FAILED;
  /* Starts the next worker while this one works: each song has a separate process. */
  if (!self->reserve)
    self->reserve = segue_worker_new (self->server, NULL);
  return listen (self, answer, &wait, error);
}

/* A worker has seen untrusted bytes, so its errors can be about its song only: an error about
 * memory, a disk or the stage itself would end the run. Such an error is not stored for the song
 * either. */
static void
judge_failure (IsolatedStage *self, const GError *failure, GError **error)
{
  if (segue_error_is_about_item (failure)) {
    g_propagate_error (error, g_error_copy (failure));
    return;
  }
  g_autofree char *rest = g_strdup_printf (
    "%s: %s; the next run tries again",
    failure->code == SEGUE_ERROR_RESOURCE ? ", which ran out of memory or file descriptors" : "",
    failure->message);
  set_item_error (self, SEGUE_ERROR_TIMEOUT, "was not finished by", rest, error);
}

/* The stage's counters and metadata reads belong to the result, good or bad. */
static void
take_account (IsolatedStage *self, SegueItem *item, const SegueAnswer *answer)
{
  GVariantIter iter;
  const char *name;
  gint64 n;
  g_variant_iter_init (&iter, answer->counts);
  while (g_variant_iter_next (&iter, "(&sx)", &name, &n))
    segue_context_count (self->context, name, n);
  g_variant_iter_init (&iter, answer->reads);
  while (item->reads && g_variant_iter_next (&iter, "&s", &name))
    segue_reads_add (item->reads, name);
}

/* Ends the process that has seen the song. */
static void
end_song (gpointer data, SegueContext *context)
{
  IsolatedStage *self = data;
  g_clear_pointer (&self->worker, segue_worker_kill);
}

static gboolean
conclude (IsolatedStage *self, SegueItem *item, SegueAnswer *answer, GError **error)
{
  segue_fork_server_log_words (self->server, G_LOG_LEVEL_DEBUG);
  take_account (self, item, answer);
  if (answer->failure) {
    end_song (self, self->context);
    judge_failure (self, answer->failure, error);
    return FALSE;
  }
  for (guint i = 0; i < answer->items->len; i++)
    if (!segue_context_emit (self->context, segue_item_ref (g_ptr_array_index (answer->items, i)),
                             error))
      return FALSE;
  return TRUE;
}

static gboolean
isolated_process (gpointer data, SegueItem *item, SegueContext *context, GError **error)
{
  IsolatedStage *self = data;
  for (guint tries = 2; tries > 0; tries--) {
    g_auto (SegueAnswer) answer = { 0 };
    g_autoptr (GError) local = NULL;
    segue_answer_init (&answer, item);
    Try result = ask (self, item, &answer, &local);
    if (result == TRY_ANSWERED)
      return conclude (self, item, &answer, error);
    if (result != TRY_NOT_ASKED)
      end_song (self, context);
    if ((result == TRY_CRASHED || result == TRY_ENDED) && tries > 1)
      continue;
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_return_val_if_reached (FALSE);
}

static void
close_stage (gpointer data, SegueContext *context)
{
  IsolatedStage *self = data;
  g_clear_pointer (&self->worker, segue_worker_kill);
  g_clear_pointer (&self->reserve, segue_worker_kill);
  g_clear_pointer (&self->server, segue_fork_server_free);
  g_free (self->path);
  g_free (self);
}

static gboolean
open_stage (SegueContext *context, gpointer *instance, GError **error)
{
  IsolatedStage *self = g_new0 (IsolatedStage, 1);
  self->context = context;
  gboolean ok =
    start_server (self, error) && (self->reserve = segue_worker_new (self->server, error));
  if (!ok)
    close_stage (self, context);
  *instance = ok ? self : NULL;
  return ok;
}

static const SegueCarrier carrier = {
  .takes = takes,
  .open = open_stage,
  .process = isolated_process,
  .end_song = end_song,
  .close = close_stage,
  .lasts = TRUE,
};

const SegueCarrier *
segue_isolated_carrier (void)
{
  return &carrier;
}
