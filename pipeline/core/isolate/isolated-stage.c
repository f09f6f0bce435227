/* The core's side of an isolated stage: asks, judges how it went, asks once more. */
#include "isolated-stage.h"
#include "answer.h"
#include "params.h"
#include "question.h"
#include "worker-process.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Opening a stage may mean to look at everything that is installed, on a slow disk. */
#define OPEN_LIMIT (300 * G_TIME_SPAN_SECOND)

struct _SegueIsolatedStage {
  SegueContext *context;
  SegueWorkerProcess *process; /* NULL: ended; the next item starts another */
  gboolean ready;
  guint64 memory;
};

/* How a try with one process ended. */
typedef enum {
  TRY_ANSWERED,
  TRY_NOT_ASKED, /* the item could not be sent: @error says why */
  TRY_FAILED,    /* nothing that another process could mend: @error says it */
  TRY_CRASHED,   /* by its own fault: another process would likely do the same */
  TRY_ENDED,     /* by the system, or without a word */
} Try;

static const SeguePluginEntry *
plugin_of (SegueRegistry *registry, const SegueGraphStage *stage)
{
  return segue_registry_get_plugin_of (registry, stage->type);
}

gboolean
segue_isolated_stage_may (SegueRegistry *registry, const SegueGraphStage *stage)
{
  const SeguePluginEntry *entry = plugin_of (registry, stage);
  return entry && g_path_is_absolute (entry->path);
}

/* What an exchange that did not work means, apart from the other side's end and nonsense. */
static gboolean
explain_wire (SegueIsolatedStage *self, SegueWire wire, GError **error)
{
  const SegueGraphStage *stage = self->context->stage;
  if (wire == SEGUE_WIRE_CANCELLED)
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  else if (wire == SEGUE_WIRE_BROKEN && errno == EMSGSIZE)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "‘%s’ has more metadata or parameters than an isolated stage can take; write "
                 "‘isolate: false’ at stage '%s'",
                 self->context->item ? self->context->item : stage->id, stage->id);
  else if (wire == SEGUE_WIRE_BROKEN)
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, "can't talk to",
                                segue_worker_process_get_path (self->process));
  else
    return FALSE;
  return TRUE;
}

/* What the process wrote to its stderr: a decoder's complaints; of one that ended, why. */
static void
log_words (SegueIsolatedStage *self, GLogLevelFlags level, const char *words)
{
  g_auto (GStrv) lines = g_strsplit (words ? words : "", "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      segue_context_log (self->context, level, "%s", lines[i]);
}

static void
take_words (SegueIsolatedStage *self)
{
  g_autofree char *words = segue_worker_process_take_words (self->process);
  log_words (self, G_LOG_LEVEL_DEBUG, words);
}

/* (transfer full): "SIGSEGV (Segmentation fault)" or the like, of what waitpid () said. */
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

/* The process closed its socket: what it ended with. */
static int
reap_process (SegueIsolatedStage *self)
{
  g_autofree char *words = NULL;
  int status = segue_worker_process_reap (g_steal_pointer (&self->process), &words);
  log_words (self, G_LOG_LEVEL_WARNING, words);
  self->ready = FALSE;
  return status;
}

static void
end_process (SegueIsolatedStage *self)
{
  if (self->process)
    take_words (self);
  g_clear_pointer (&self->process, segue_worker_process_kill);
  self->ready = FALSE;
}

static gboolean
start (SegueIsolatedStage *self, GError **error)
{
  const SegueContext *context = self->context;
  const SegueGraphStage *stage = context->stage;
  SegueWait wait = { .deadline = g_get_monotonic_time () + OPEN_LIMIT,
                     .cancellable = context->cancellable };
  self->process = segue_worker_process_start (error);
  if (!self->process)
    return FALSE;
  g_autofree char *params = segue_params_describe (stage->type->params, stage->config);
  GVariant *body = g_variant_new (
    SEGUE_FORMAT_OPEN, SEGUE_MESSAGE_VERSION, plugin_of (context->scope->registry, stage)->path,
    stage->type->name, stage->id, params, stage->seed, context->scope->seed, self->memory);
  SegueWire wire = segue_message_send (segue_worker_process_get_socket (self->process),
                                       SEGUE_MESSAGE_OPEN, body, -1, &wait);
  /* If it is gone by now, waiting for its answer finds out why. */
  if (wire == SEGUE_WIRE_OK || wire == SEGUE_WIRE_CLOSED)
    return TRUE;
  if (!explain_wire (self, wire, error))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "‘%s’ does not listen; install segue whole",
                 segue_worker_process_get_path (self->process));
  end_process (self);
  return FALSE;
}

/* Signals that a process gets for what it did.  GLib's own way to end a program, SIGTRAP, is none of
 * them: it ends so where there is no memory. */
static gboolean
is_crash (int status)
{
  static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };
  for (guint i = 0; status != -1 && WIFSIGNALED (status) && i < G_N_ELEMENTS (signals); i++)
    if (WTERMSIG (status) == signals[i])
      return TRUE;
  return FALSE;
}

static gboolean
set_not_opened (SegueIsolatedStage *self, const char *what, GError **error)
{
  const SegueGraphStage *stage = self->context->stage;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
               "‘%s’ can't open stage type '%s': %s; write ‘isolate: false’ at stage '%s' to run "
               "it without",
               segue_worker_process_get_path (self->process), stage->type->name, what, stage->id);
  return FALSE;
}

static gboolean
set_not_opened_end (SegueIsolatedStage *self, GError **error)
{
  g_autofree char *path = g_strdup (segue_worker_process_get_path (self->process));
  g_autofree char *end = describe_end (reap_process (self));
  const SegueGraphStage *stage = self->context->stage;
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
    "‘%s’ ended with %s before stage type '%s' was open; write ‘isolate: false’ at stage "
    "'%s' to run it without",
    path, end, stage->type->name, stage->id);
  return FALSE;
}

static gboolean
take_ready (SegueIsolatedStage *self, const SegueMessage *message, GError **error)
{
  guint32 version;
  g_variant_get (message->body, "(u)", &version);
  self->ready = version == SEGUE_MESSAGE_VERSION;
  return self->ready || set_not_opened (self, "it is of another version of segue", error);
}

/* Until the stage in the process is open. */
static gboolean
await_ready (SegueIsolatedStage *self, GError **error)
{
  SegueWait wait = { .deadline = g_get_monotonic_time () + OPEN_LIMIT,
                     .cancellable = self->context->cancellable };
  g_auto (SegueAnswer) answer = { 0 };
  segue_answer_init (&answer, NULL, 0);
  const char *why = NULL;
  while (!self->ready) {
    g_auto (SegueMessage) message = { .fd = -1 };
    SegueWire wire =
      segue_message_receive (segue_worker_process_get_socket (self->process), &message, &wait);
    if (explain_wire (self, wire, error))
      return FALSE;
    if (wire == SEGUE_WIRE_CLOSED)
      return set_not_opened_end (self, error);
    if (wire == SEGUE_WIRE_LATE)
      return set_not_opened (self, "it takes too long", error);
    if (wire == SEGUE_WIRE_NONSENSE)
      return set_not_opened (self, "it is no segue-worker, or of another version", error);
    if (message.type == SEGUE_MESSAGE_READY)
      return take_ready (self, &message, error);
    if (!segue_answer_take (&answer, &message, self->context, &why))
      return set_not_opened (self, why, error);
    if (!answer.done)
      continue;
    if (!answer.failure)
      return set_not_opened (self, "it answers before it was asked", error);
    g_propagate_error (error, g_steal_pointer (&answer.failure));
    return FALSE;
  }
  return TRUE;
}

/* "‘song’ crashed stage 'decode' (plugin decode 1.0): SIGSEGV (Segmentation fault)" */
static void
set_item_error (SegueIsolatedStage *self, SegueErrorCode code, const char *verb, const char *rest,
                GError **error)
{
  const SegueGraphStage *stage = self->context->stage;
  const SeguePlugin *plugin = plugin_of (self->context->scope->registry, stage)->plugin;
  g_set_error (error, SEGUE_ERROR, (int) code, "‘%s’ %s stage '%s' (plugin %s %s)%s",
               self->context->item, verb, stage->id, plugin->name, plugin->version, rest);
}

static Try
judge_end (SegueIsolatedStage *self, GError **error)
{
  int status = reap_process (self);
  g_autofree char *end = describe_end (status);
  if (is_crash (status)) {
    g_autofree char *rest = g_strdup_printf (": %s", end);
    set_item_error (self, SEGUE_ERROR_UNSUPPORTED, "crashed", rest, error);
    return TRY_CRASHED;
  }
  g_autofree char *rest = g_strdup_printf (
    ": its process ended with %s, perhaps for want of memory; the next run tries again", end);
  set_item_error (self, SEGUE_ERROR_TIMEOUT, "was not finished by", rest, error);
  return TRY_ENDED;
}

static Try
judge_late (SegueIsolatedStage *self, GError **error)
{
  g_autofree char *rest = g_strdup_printf (
    " busy for more than %g s and was given up; the next run tries again" SEGUE_ADVICE (
      ", with more time if you add ", "time_limit=%.0f"),
    self->context->stage->time_limit, ceil (self->context->stage->time_limit * 4));
  set_item_error (self, SEGUE_ERROR_TIMEOUT, "kept", rest, error);
  return TRY_FAILED;
}

static Try
judge_nonsense (SegueIsolatedStage *self, const char *why, GError **error)
{
  g_autofree char *rest = g_strdup_printf (": its process sent %s", why);
  set_item_error (self, SEGUE_ERROR_DATA, "confused", rest, error);
  return TRY_CRASHED;
}

/* Until the answer is whole. */
static Try
listen (SegueIsolatedStage *self, SegueAnswer *answer, SegueWait *wait, GError **error)
{
  const char *why = "what is no message";
  while (!answer->done) {
    g_auto (SegueMessage) message = { .fd = -1 };
    SegueWire wire =
      segue_message_receive (segue_worker_process_get_socket (self->process), &message, wait);
    if (wire == SEGUE_WIRE_OK && segue_answer_take (answer, &message, self->context, &why))
      continue;
    if (answer->environment) {
      g_propagate_error (error, g_steal_pointer (&answer->environment));
      return TRY_FAILED;
    }
    if (explain_wire (self, wire, error))
      return TRY_FAILED;
    if (wire == SEGUE_WIRE_CLOSED)
      return judge_end (self, error);
    return wire == SEGUE_WIRE_LATE ? judge_late (self, error) : judge_nonsense (self, why, error);
  }
  return TRY_ANSWERED;
}

/* One item, one process. */
static Try
ask (SegueIsolatedStage *self, SegueItem *item, SegueAnswer *answer, GError **error)
{
  const SegueContext *context = self->context;
  if ((!self->process && !start (self, error)) || (!self->ready && !await_ready (self, error)))
    return TRY_FAILED;
  SegueWait wait = {
    .deadline =
      g_get_monotonic_time () + (gint64) (context->stage->time_limit * G_TIME_SPAN_SECOND),
    .cancellable = context->cancellable,
  };
  SegueWire wire;
  int socket = segue_worker_process_get_socket (self->process);
  if (!segue_question_send (socket, item, context->epoch, &wait, &wire, error))
    return TRY_NOT_ASKED;
  if (explain_wire (self, wire, error))
    return TRY_FAILED;
  return listen (self, answer, &wait, error);
}

/* After a failure that is the item's own the process goes on, with an instance that is new; any other
 * may have left more behind. */
static gboolean
leaves_process_whole (const GError *failure)
{
  return segue_error_is_lasting (failure) || failure->code == SEGUE_ERROR_NO_INPUT;
}

/* A worker's memory is bounded: that a stage lacks it says something about the item, or about the
 * moment, and not that the run has to end. */
static void
judge_failure (SegueIsolatedStage *self, const GError *failure, GError **error)
{
  if (failure->code != SEGUE_ERROR_RESOURCE) {
    g_propagate_error (error, g_error_copy (failure));
    return;
  }
  g_autofree char *rest = g_strdup_printf (
    ", which lacks memory or handles: %s; the next run tries again", failure->message);
  set_item_error (self, SEGUE_ERROR_TIMEOUT, "was not finished by", rest, error);
}

/* What the stage counted and looked at belongs to the result, good or bad. */
static void
take_account (SegueIsolatedStage *self, SegueItem *item, const SegueAnswer *answer)
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

static gboolean
conclude (SegueIsolatedStage *self, SegueItem *item, SegueAnswer *answer, GError **error)
{
  take_words (self);
  take_account (self, item, answer);
  if (answer->failure) {
    if (!leaves_process_whole (answer->failure))
      end_process (self);
    judge_failure (self, answer->failure, error);
    return FALSE;
  }
  for (guint i = 0; i < answer->items->len; i++)
    if (!segue_context_emit (self->context, segue_item_ref (g_ptr_array_index (answer->items, i)),
                             error))
      return FALSE;
  return TRUE;
}

gboolean
segue_isolated_stage_process (SegueIsolatedStage *self, SegueItem *item, GError **error)
{
  for (guint tries = 2; tries > 0; tries--) {
    g_auto (SegueAnswer) answer = { 0 };
    g_autoptr (GError) local = NULL;
    segue_answer_init (&answer, item, self->memory);
    Try result = ask (self, item, &answer, &local);
    if (result == TRY_ANSWERED)
      return conclude (self, item, &answer, error);
    if (result != TRY_NOT_ASKED)
      end_process (self);
    if ((result == TRY_CRASHED || result == TRY_ENDED) && tries > 1)
      continue;
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_return_val_if_reached (FALSE);
}

SegueIsolatedStage *
segue_isolated_stage_new (SegueContext *context, GError **error)
{
  g_autoptr (SegueIsolatedStage) self = g_new0 (SegueIsolatedStage, 1);
  self->context = context;
  self->memory = segue_worker_memory (context->scope->threads);
  return start (self, error) ? g_steal_pointer (&self) : NULL;
}

void
segue_isolated_stage_free (SegueIsolatedStage *self)
{
  if (!self)
    return;
  if (self->process && self->ready)
    segue_worker_process_close (g_steal_pointer (&self->process));
  end_process (self);
  g_free (self);
}
