/* Where events go: a list of sinks, called one at a time (internal). */
#pragma once

#include <gio/gio.h>
#include <segue/host/event.h>

/** SegueSinks: @cancellable: follows the host's; also cancelled if a sink requests it. */
typedef struct {
  GMutex lock;
  GArray *list; /* SegueSink */
  GCancellable *cancellable;
  GCancellable *of_host; /* nullable */
  gulong follows;
} SegueSinks;

/** segue_sinks_init: empty. @of_host: (nullable): borrowed */
void segue_sinks_init (SegueSinks *sinks, GCancellable *of_host);
void segue_sinks_clear (SegueSinks *sinks);
/** segue_sinks_add: @n more, after the existing ones. Before or while events are sent, from one
 * thread. */
void segue_sinks_add (SegueSinks *sinks, const SegueSink *more, guint n);
/** segue_sinks_tell: to all of them, in their order; any thread. */
void segue_sinks_tell (SegueSinks *sinks, const SegueEvent *event);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueSinks, segue_sinks_clear)
