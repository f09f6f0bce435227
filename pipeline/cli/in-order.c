/* Threads that make results, one that takes them, and a ring buffer between them. */
#include "in-order.h"
#include "job.h"

typedef struct {
  const SegueInOrder *work;
  GMutex lock;
  GCond made;     /* a result is available */
  GCond room;     /* a task may be started, or no more will be */
  gpointer *ring; /* [window]: that of task i is at i % window; NULL: not made yet */
  guint next;     /* the next task to start */
  guint taken;    /* tasks before this one were taken */
  gboolean stopped;
} Line;

static gboolean
has_more (const Line *line)
{
  return !line->stopped && line->next < line->work->n;
}

static gpointer
make_results (gpointer data)
{
  Line *line = data;
  const SegueInOrder *work = line->work;
  g_mutex_lock (&line->lock);
  while (has_more (line)) {
    if (line->next - line->taken >= work->window) {
      g_cond_wait (&line->room, &line->lock);
      continue;
    }
    guint index = line->next++;
    g_mutex_unlock (&line->lock);
    gpointer result = work->make (work->data, index);
    g_mutex_lock (&line->lock);
    line->ring[index % work->window] = result;
    g_cond_signal (&line->made);
  }
  g_mutex_unlock (&line->lock);
  return NULL;
}

static void
take_results (Line *line)
{
  const SegueInOrder *work = line->work;
  gboolean wanted = TRUE;
  for (guint i = 0; wanted && i < work->n; i++) {
    gpointer *place = &line->ring[i % work->window];
    g_mutex_lock (&line->lock);
    while (!*place)
      g_cond_wait (&line->made, &line->lock);
    gpointer result = g_steal_pointer (place);
    line->taken = i + 1;
    g_cond_broadcast (&line->room);
    g_mutex_unlock (&line->lock);
    wanted = work->take (work->data, i, result);
  }
  g_mutex_lock (&line->lock);
  line->stopped = TRUE;
  g_cond_broadcast (&line->room);
  g_mutex_unlock (&line->lock);
}

gboolean
segue_in_order (const SegueInOrder *work, GError **error)
{
  Line line = { .work = work };
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  line.ring = g_new0 (gpointer, work->window);
  g_mutex_init (&line.lock);
  g_cond_init (&line.made);
  g_cond_init (&line.room);
  for (guint i = 0; i < MIN (work->n_threads, work->n); i++) {
    GThread *thread = segue_thread_start ("in-order", make_results, &line, i == 0 ? error : NULL);
    /* Fewer threads are only slower. */
    if (!thread)
      break;
    g_ptr_array_add (threads, thread);
  }
  gboolean ok = threads->len > 0 || work->n == 0;
  if (ok)
    take_results (&line);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  for (guint i = 0; i < work->window; i++)
    if (line.ring[i])
      work->drop (line.ring[i]);
  g_cond_clear (&line.room);
  g_cond_clear (&line.made);
  g_mutex_clear (&line.lock);
  g_free (line.ring);
  return ok;
}
