/* Instances by stage, counted. */
#include "stage/shared.h"
#include "stage/context-private.h"
#include "stage/stage-run.h"

typedef struct {
  const SegueGraphStage *stage;
  gpointer instance;
  guint n_links;
} Shared;

struct _SegueShared {
  GMutex lock;           /* also held while an instance is opened: the other chains wait for it */
  GHashTable *instances; /* const SegueGraphStage → Shared */
};

SegueShared *
segue_shared_new (void)
{
  SegueShared *shared = g_new0 (SegueShared, 1);
  g_mutex_init (&shared->lock);
  shared->instances = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return shared;
}

void
segue_shared_free (SegueShared *shared)
{
  if (!shared)
    return;
  g_hash_table_unref (shared->instances);
  g_mutex_clear (&shared->lock);
  g_free (shared);
}

static gboolean
open_shared (SegueContext *context, gpointer *self, GError **error)
{
  SegueShared *shared = context->scope->shared;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&shared->lock);
  Shared *found = g_hash_table_lookup (shared->instances, context->stage);
  if (!found) {
    gpointer instance;
    if (!segue_stage_open (context, &instance, error))
      return FALSE;
    found = g_new0 (Shared, 1);
    found->stage = context->stage;
    found->instance = instance;
    g_hash_table_insert (shared->instances, (gpointer) context->stage, found);
  }
  found->n_links++;
  *self = found;
  return TRUE;
}

static gboolean
process_shared (gpointer self, SegueItem *item, SegueContext *context, GError **error)
{
  Shared *found = self;
  return context->stage->type->process (found->instance, item, context, error);
}

static void
close_shared (gpointer self, SegueContext *context)
{
  SegueShared *shared = context->scope->shared;
  Shared *found = self;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&shared->lock);
  if (--found->n_links > 0)
    return;
  if (found->instance && context->stage->type->close)
    context->stage->type->close (found->instance);
  g_hash_table_remove (shared->instances, found->stage);
}

/* @lasts: the others are using it; process () of such a stage leaves no state in its instance. */
const SegueCarrier segue_shared_carrier = {
  .open = open_shared,
  .process = process_shared,
  .close = close_shared,
  .lasts = TRUE,
};
