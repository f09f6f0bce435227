#include "run/sinks.h"

static void
on_cancelled (GCancellable *of_host, gpointer data)
{
  g_cancellable_cancel (data);
}

void
segue_sinks_init (SegueSinks *sinks, GCancellable *of_host)
{
  g_mutex_init (&sinks->lock);
  sinks->list = g_array_new (FALSE, FALSE, sizeof (SegueSink));
  sinks->cancellable = g_cancellable_new ();
  sinks->of_host = of_host;
  sinks->follows = 0;
  if (of_host)
    sinks->follows =
      g_cancellable_connect (of_host, G_CALLBACK (on_cancelled), sinks->cancellable, NULL);
}

void
segue_sinks_clear (SegueSinks *sinks)
{
  g_cancellable_disconnect (sinks->of_host, sinks->follows);
  g_clear_object (&sinks->cancellable);
  g_clear_pointer (&sinks->list, g_array_unref);
  g_mutex_clear (&sinks->lock);
}

void
segue_sinks_add (SegueSinks *sinks, const SegueSink *more, guint n)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sinks->lock);
  g_array_append_vals (sinks->list, more, n);
}

void
segue_sinks_tell (SegueSinks *sinks, const SegueEvent *event)
{
  gboolean goes_on = TRUE;
  g_mutex_lock (&sinks->lock);
  for (guint i = 0; i < sinks->list->len; i++) {
    const SegueSink *sink = &g_array_index (sinks->list, SegueSink, i);
    goes_on = sink->take (sink->data, event) && goes_on;
  }
  g_mutex_unlock (&sinks->lock);
  if (!goes_on)
    g_cancellable_cancel (sinks->cancellable);
}
