/* One MAP stage, called and checked. */
#include "stage/link.h"
#include "base/calling.h"
#include "item/item-private.h"
#include "stage/emitted.h"
#include "stage/shared.h"
#include "stage/stage-run.h"

static gboolean
process_here (gpointer self, SegueItem *item, SegueContext *context, GError **error)
{
  const SegueCalling outer = segue_calling_begin ("stage", context->stage->id, TRUE);
  gboolean ok = context->stage->type->process (self, item, context, error);
  segue_calling_end (outer);
  return ok;
}

static void
preload_here (gpointer self, SegueContext *context)
{
  if (context->stage->type->preload)
    context->stage->type->preload (self);
}

static void
close_here (gpointer self, SegueContext *context)
{
  if (self && context->stage->type->close)
    context->stage->type->close (self);
}

static const SegueCarrier here = {
  .open = segue_stage_open,
  .process = process_here,
  .preload = preload_here,
  .close = close_here,
};

static const SegueCarrier *
find_carrier (const SegueScope *scope, const SegueGraphStage *stage)
{
  gboolean apart =
    stage->isolate && scope->isolated && scope->isolated->takes (scope->registry, stage);
  gboolean shared = stage->type->flags & SEGUE_STAGE_SHARED && scope->shared;
  return apart ? scope->isolated : shared ? &segue_shared_carrier : &here;
}

void
segue_link_init (SegueLink *link, const SegueScope *scope, const SegueGraphStage *stage,
                 guint index)
{
  *link = (SegueLink){ .carrier = find_carrier (scope, stage) };
  link->context.scope = scope;
  link->context.stage = stage;
  link->context.index = index;
  link->context.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  link->context.epoch = stage->type->flags & SEGUE_STAGE_LIVE ? 0 : -1;
}

static void
close_link (SegueLink *link)
{
  if (link->opened)
    link->carrier->close (link->instance, &link->context);
  link->instance = NULL;
  link->opened = FALSE;
}

void
segue_link_clear (SegueLink *link)
{
  close_link (link);
  segue_context_clear (&link->context);
  g_clear_pointer (&link->context.names, g_hash_table_unref);
}

gboolean
segue_link_open (SegueLink *link, GError **error)
{
  if (!link->opened)
    link->opened = link->carrier->open (&link->context, &link->instance, error);
  return link->opened;
}

void
segue_link_renew (SegueLink *link)
{
  if (!link->carrier->lasts)
    close_link (link);
  segue_context_clear (&link->context);
}

void
segue_link_preload (SegueLink *link)
{
  if (link->opened && link->carrier->preload)
    link->carrier->preload (link->instance, &link->context);
}

void
segue_link_begin_song (SegueLink *link, GCancellable *cancellable)
{
  link->context.cancellable = cancellable;
  link->context.rate = link->context.channels = 0;
  g_hash_table_remove_all (link->context.names);
}

void
segue_link_begin_copy (SegueLink *link, guint epoch)
{
  link->context.epoch = epoch;
  g_hash_table_remove_all (link->context.names);
}

/* A live stage gets its items one at a time, from all songs. */
void
segue_link_end_song (SegueLink *link)
{
  link->context.cancellable = NULL;
  if (link->opened && link->carrier->end_song && link->context.epoch < 0)
    link->carrier->end_song (link->instance, &link->context);
}

/* Of a source or a split: songs to predict have none of it. */
static const char *const of_training[] = {
  SEGUE_META_LABEL, SEGUE_META_SET, SEGUE_META_GROUP, SEGUE_META_RECORDING, SEGUE_META_SOURCE, NULL,
};

/* process (), which runs later stages, too, and which metadata this stage read in it. */
static gboolean
watch_process (SegueLink *link, SegueItem *item, SegueReadsWatch *watch, GError **error)
{
  /* A live stage may read anything. Where a reader runs it, its items share their reads with other threads, and
   * no stage has set a watch on them. */
  gboolean is_live = link->context.epoch >= 0;
  SegueReads *reads = item->reads;
  SegueReadsWatch *outer = reads ? segue_reads_watch (reads, is_live ? NULL : watch) : NULL;
  gboolean ok = link->carrier->process (link->instance, item, &link->context, error);
  if (reads)
    segue_reads_watch (reads, outer);
  return ok;
}

/* One call of the stage, with checks of the rules. */
static gboolean
call (SegueLink *link, SegueItem *item, GError **error)
{
  SegueContext *context = &link->context;
  guint64 looked = segue_emitted_look (context, item);
  gboolean prepares = (context->stage->type->flags & SEGUE_STAGE_PREPARE) != 0;
  SegueReadsWatch watch = { .keys = prepares ? of_training : NULL };
  segue_context_begin (context);
  gboolean ok = watch_process (link, item, &watch, error);
  return segue_context_conclude (context, ok, error) &&
         segue_emitted_check_reads (context, item, watch.found, error) &&
         segue_emitted_check_unchanged (context, item, looked, error) &&
         segue_emitted_check_any (context, error);
}

gboolean
segue_link_process (SegueLink *link, SegueItem *item, SegueEmitFunc emit, gpointer emit_data,
                    GError **error)
{
  SegueContext *context = &link->context;
  g_autoptr (GError) local = NULL;
  context->input = item;
  context->emit = emit;
  context->emit_data = emit_data;
  gboolean ok = segue_context_check_cancelled (context, &local) && call (link, item, &local);
  context->input = NULL;
  context->emit = NULL;
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}
