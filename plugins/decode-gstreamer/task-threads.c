#include "task-threads.h"

#include <segue/error.h>

struct _TaskThreads {
  GstTaskPool parent;

  GMutex lock;
  char *reason; /* NULL: none was refused */
};

typedef struct {
  GstTaskPoolClass parent;
} TaskThreadsClass;

typedef struct {
  GstTaskPoolFunction function;
  gpointer data;
} Task;

GType task_threads_get_type (void);
G_DEFINE_TYPE (TaskThreads, task_threads, GST_TYPE_TASK_POOL)

static void
prepare (GstTaskPool *pool, GError **error)
{
}

static void
clean_up (GstTaskPool *pool)
{
}

static gpointer
carry_out (gpointer data)
{
  g_autofree Task *task = data;

  task->function (task->data);
  return NULL;
}

static void
note_refusal (TaskThreads *self, const char *reason)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->reason)
    self->reason = g_strdup (reason);
}

/* No handle: the task itself records when its function has returned. */
static gpointer
push (GstTaskPool *pool, GstTaskPoolFunction function, gpointer data, GError **error)
{
  g_autofree Task *task = g_new (Task, 1);
  g_autoptr (GError) refusal = NULL;
  GThread *thread;

  *task = (Task){ function, data };
  thread = g_thread_try_new ("segue-decode", carry_out, task, &refusal);
  if (thread) {
    g_steal_pointer (&task);
    g_thread_unref (thread);
    return NULL;
  }
  note_refusal ((TaskThreads *) pool, refusal->message);
  g_propagate_error (error, g_steal_pointer (&refusal));
  return NULL;
}

static void
join (GstTaskPool *pool, gpointer handle)
{
}

static void
finalize (GObject *object)
{
  TaskThreads *self = (TaskThreads *) object;

  g_mutex_clear (&self->lock);
  g_free (self->reason);
  G_OBJECT_CLASS (task_threads_parent_class)->finalize (object);
}

static void
task_threads_class_init (TaskThreadsClass *class)
{
  GstTaskPoolClass *pool = GST_TASK_POOL_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = finalize;
  pool->prepare = prepare;
  pool->cleanup = clean_up;
  pool->push = push;
  pool->join = join;
}

static void
task_threads_init (TaskThreads *self)
{
  g_mutex_init (&self->lock);
}

TaskThreads *
task_threads_new (void)
{
  return gst_object_ref_sink (g_object_new (task_threads_get_type (), NULL));
}

/* In the thread that posts, before the task starts. Only messages that are waited for are passed to the bus: a
 * message there references its element, and dropping the last reference may have to wait for its tasks. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  GstStreamStatusType type;
  GstElement *owner;
  const GValue *object;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_STREAM_STATUS) {
    gst_message_parse_stream_status (message, &type, &owner);
    object = gst_message_get_stream_status_object (message);
    if (type == GST_STREAM_STATUS_TYPE_CREATE && object && G_VALUE_HOLDS (object, GST_TYPE_TASK))
      gst_task_set_pool (g_value_get_object (object), GST_TASK_POOL (data));
  }
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR ||
      GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    return GST_BUS_PASS;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

void
task_threads_serve (TaskThreads *self, GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (bus, on_message, g_object_ref (self), g_object_unref);
}

gboolean
task_threads_are_refused (TaskThreads *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->reason)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "can't be decoded: its decoder can't start a thread: %s; close other programs, or "
                 "raise the limits (ulimit -u, ulimit -v)",
                 self->reason);
  return self->reason != NULL;
}
