/* One song through consecutive MAP stages, depth first, in the calling thread. */
#include "chain.h"
#include "choice.h"
#include "emitted.h"
#include "isolated-stage.h"
#include "item-private.h"
#include "stage-run.h"

#include <errno.h>
#include <fcntl.h>

typedef struct {
  SegueChain *chain;
  guint index;
  SegueContext context;
  gpointer instance;
  SegueIsolatedStage *isolated; /* in place of an instance */
  SegueChoice *choice;          /* likewise, of a stage that asks decoders */
  gboolean opened;
} Link;

struct _SegueChain {
  Link *links;
  guint n_links;
  GPtrArray *output; /* of the carry at hand */
  const SegueGraphStage *failed;
};

SegueChain *
segue_chain_new (const SegueScope *scope, const SegueGraphStage *const *stages, guint n_stages)
{
  SegueChain *chain = g_new0 (SegueChain, 1);
  chain->links = g_new0 (Link, n_stages);
  chain->n_links = n_stages;
  for (guint i = 0; i < n_stages; i++) {
    Link *link = &chain->links[i];
    link->chain = chain;
    link->index = i;
    link->context.scope = scope;
    link->context.stage = stages[i];
    link->context.index = i;
    link->context.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    link->context.epoch = stages[i]->type->flags & SEGUE_STAGE_LIVE ? 0 : -1;
  }
  return chain;
}

static void
close_instance (Link *link)
{
  const SegueStageType *type = link->context.stage->type;
  if (link->instance && type->close)
    type->close (link->instance);
  link->instance = NULL;
  link->opened = link->isolated || link->choice;
}

void
segue_chain_renew (SegueChain *chain)
{
  /* An isolated stage renews itself, or its whole process. */
  for (guint i = 0; i < chain->n_links; i++) {
    close_instance (&chain->links[i]);
    segue_context_clear (&chain->links[i].context);
  }
}

void
segue_chain_free (SegueChain *chain)
{
  if (!chain)
    return;
  for (guint i = 0; i < chain->n_links; i++) {
    Link *link = &chain->links[i];
    close_instance (link);
    segue_isolated_stage_free (link->isolated);
    segue_choice_free (link->choice);
    segue_context_clear (&link->context);
    g_hash_table_unref (link->context.names);
  }
  g_free (chain->links);
  g_free (chain);
}

void
segue_chain_set_epoch (SegueChain *chain, guint epoch)
{
  for (guint i = 0; i < chain->n_links; i++)
    if (chain->links[i].context.stage->type->flags & SEGUE_STAGE_LIVE)
      chain->links[i].context.epoch = epoch;
}

void
segue_chain_set_counts (SegueChain *chain, SegueCounts *counts)
{
  for (guint i = 0; i < chain->n_links; i++)
    chain->links[i].context.counts = counts;
}

static gboolean
open_link (Link *link, GError **error)
{
  const SegueGraphStage *stage = link->context.stage;
  gboolean ok = TRUE;
  if (link->opened)
    return TRUE;
  if (stage->decoders) {
    link->choice = segue_choice_new (&link->context, error);
    ok = link->choice != NULL;
  } else if (stage->isolate && segue_isolated_stage_may (link->context.scope->registry, stage)) {
    link->isolated = segue_isolated_stage_new (&link->context, error);
    ok = link->isolated != NULL;
  } else {
    ok = segue_stage_open (&link->context, &link->instance, error);
  }
  if (!ok)
    link->chain->failed = stage;
  link->opened = ok;
  return ok;
}

gboolean
segue_chain_open (SegueChain *chain, GError **error)
{
  for (guint i = 0; i < chain->n_links; i++)
    if (!open_link (&chain->links[i], error))
      return FALSE;
  return TRUE;
}

void
segue_chain_preload (SegueChain *chain)
{
  for (guint i = 0; i < chain->n_links; i++) {
    const Link *link = &chain->links[i];
    const SegueStageType *type = link->context.stage->type;
    if (link->opened && !link->isolated && type->preload)
      type->preload (link->instance);
  }
}

static gboolean
run_stage (Link *link, SegueItem *item, GError **error)
{
  if (link->choice)
    return segue_choice_process (link->choice, item, error);
  return link->isolated
           ? segue_isolated_stage_process (link->isolated, item, error)
           : link->context.stage->type->process (link->instance, item, &link->context, error);
}

static gboolean process (Link *link, SegueItem *item, GError **error);

/* SegueEmitFunc: on to the next link, or out. */
static gboolean
pass_on (gpointer data, SegueItem *item, GError **error)
{
  Link *link = data;
  g_autoptr (SegueItem) owned = item;
  SegueChain *chain = link->chain;
  if (link->index + 1 < chain->n_links)
    return process (&chain->links[link->index + 1], owned, error);
  g_ptr_array_add (chain->output, g_steal_pointer (&owned));
  return TRUE;
}

/* One call of the stage, and whether it kept to the rules. */
static gboolean
call (Link *link, SegueItem *item, GError **error)
{
  SegueContext *context = &link->context;
  guint64 looked = segue_emitted_look (context, item);
  segue_context_begin (context);
  return segue_context_conclude (context, run_stage (link, item, error), error) &&
         segue_emitted_check_unchanged (context, item, looked, error) &&
         segue_emitted_check_any (context, error);
}

static gboolean
process (Link *link, SegueItem *item, GError **error)
{
  SegueContext *context = &link->context;
  context->input = item;
  context->emit = pass_on;
  context->emit_data = link;
  g_autoptr (GError) local = NULL;
  gboolean ok = segue_context_check_cancelled (context, &local) && call (link, item, &local);
  context->input = NULL;
  context->emit = NULL;
  if (ok)
    return TRUE;
  if (!link->chain->failed)
    link->chain->failed = context->stage;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
carry_all (SegueChain *chain, SegueItem *const *items, guint n_items, GError **error)
{
  if (!segue_chain_open (chain, error))
    return FALSE;
  for (guint i = 0; i < n_items; i++)
    if (!process (&chain->links[0], items[i], error))
      return FALSE;
  return TRUE;
}

static void
begin_song (Link *link, GCancellable *cancellable)
{
  link->context.cancellable = cancellable;
  link->context.rate = link->context.channels = 0;
  g_hash_table_remove_all (link->context.names);
}

/* What has seen the song goes; a live stage gets its items one by one, from all songs. */
static void
end_song (Link *link)
{
  link->context.cancellable = NULL;
  if (link->isolated && link->context.epoch < 0)
    segue_isolated_stage_end_song (link->isolated);
}

GPtrArray *
segue_chain_carry (SegueChain *chain, SegueItem *const *items, guint n_items,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) output = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  chain->output = output;
  chain->failed = NULL;
  for (guint i = 0; i < chain->n_links; i++)
    begin_song (&chain->links[i], cancellable);
  gboolean ok = carry_all (chain, items, n_items, error);
  for (guint i = 0; i < chain->n_links; i++)
    end_song (&chain->links[i]);
  chain->output = NULL;
  return ok ? g_steal_pointer (&output) : NULL;
}

static SegueItem *
file_item_new (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *id = g_filename_display_name (name);
  return segue_item_new_file (id, path);
}

GPtrArray *
segue_chain_carry_file (SegueChain *chain, const char *path, GCancellable *cancellable,
                        GError **error)
{
  g_autoptr (SegueItem) file = file_item_new (path);
  segue_item_seal (file);
  return segue_chain_carry (chain, &file, 1, cancellable, error);
}

GPtrArray *
segue_chain_carry_fd (SegueChain *chain, int fd, const char *name, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (SegueItem) file = file_item_new (name);
  int own = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read the song", name);
    return NULL;
  }
  file->body->file = segue_open_file_new (own);
  segue_item_seal (file);
  return segue_chain_carry (chain, &file, 1, cancellable, error);
}

const SegueGraphStage *
segue_chain_get_failed (SegueChain *chain)
{
  return chain->failed;
}
