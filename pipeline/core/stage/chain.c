/* One song through consecutive MAP stages, depth first, in the calling thread. */
#include "stage/chain.h"
#include "item/item-private.h"
#include "item/passage.h"
#include "stage/choice.h"

#include <errno.h>
#include <fcntl.h>

typedef struct {
  SegueChain *chain;
  guint index;
  SegueLink link;
  guint
    copies_for; /* first of some live stages: the place of the stage after them, which stores; else 0 */
} Place;

struct _SegueChain {
  Place *places;
  guint n_places;
  GPtrArray *output;         /* of the current carry */
  guint copy;                /* of the current item, in live stages: 1 … */
  const SegueItem *original; /* the item that is copied */
  const SegueGraphStage *failed;
};

static gboolean
is_live (const SegueChain *chain, guint index)
{
  return (chain->places[index].link.context.stage->type->flags & SEGUE_STAGE_LIVE) != 0;
}

/* Live stages that a stored one follows; a reader's chain has live stages only. */
static void
find_copies (SegueChain *chain)
{
  for (guint i = 0, first; i < chain->n_places; i++) {
    for (first = i; i < chain->n_places && is_live (chain, i);)
      i++;
    if (first < i && i < chain->n_places)
      chain->places[first].copies_for = i;
  }
}

SegueChain *
segue_chain_new (const SegueScope *scope, const SegueGraphStage *const *stages, guint n_stages)
{
  SegueChain *chain = g_new0 (SegueChain, 1);
  chain->places = g_new0 (Place, n_stages);
  chain->n_places = n_stages;
  for (guint i = 0; i < n_stages; i++) {
    Place *place = &chain->places[i];
    place->chain = chain;
    place->index = i;
    segue_link_init (&place->link, scope, stages[i], i);
    if (stages[i]->decoders)
      place->link.carrier = &segue_choice;
  }
  find_copies (chain);
  return chain;
}

void
segue_chain_renew (SegueChain *chain)
{
  for (guint i = 0; i < chain->n_places; i++)
    segue_link_renew (&chain->places[i].link);
}

void
segue_chain_free (SegueChain *chain)
{
  if (!chain)
    return;
  for (guint i = 0; i < chain->n_places; i++)
    segue_link_clear (&chain->places[i].link);
  g_free (chain->places);
  g_free (chain);
}

void
segue_chain_set_epoch (SegueChain *chain, guint epoch)
{
  for (guint i = 0; i < chain->n_places; i++)
    if (is_live (chain, i))
      chain->places[i].link.context.epoch = epoch;
}

void
segue_chain_set_counts (SegueChain *chain, SegueCounts *counts)
{
  for (guint i = 0; i < chain->n_places; i++)
    chain->places[i].link.context.counts = counts;
}

gboolean
segue_chain_open (SegueChain *chain, GError **error)
{
  for (guint i = 0; i < chain->n_places; i++)
    if (!segue_link_open (&chain->places[i].link, error)) {
      chain->failed = chain->places[i].link.context.stage;
      return FALSE;
    }
  return TRUE;
}

void
segue_chain_preload (SegueChain *chain)
{
  for (guint i = 0; i < chain->n_places; i++)
    segue_link_preload (&chain->places[i].link);
}

static gboolean chain_process (Place *place, SegueItem *item, GError **error);

/* SegueEmitFunc: on to the next stage, or out. */
static gboolean
pass_on (gpointer data, SegueItem *item, GError **error)
{
  Place *place = data;
  g_autoptr (SegueItem) owned = item;
  SegueChain *chain = place->chain;
  guint next = place->index + 1;
  if (next == chain->n_places) {
    g_ptr_array_add (chain->output, g_steal_pointer (&owned));
    return TRUE;
  }
  if (!is_live (chain, place->index) || is_live (chain, next))
    return chain_process (&chain->places[next], owned, error);
  /* A copy like the original would only count it twice. */
  if (owned == chain->original)
    return TRUE;
  g_autoptr (SegueItem) copy = segue_item_copy_as_augmented (owned, chain->copy);
  return chain_process (&chain->places[next], copy, error);
}

static gboolean
process_once (Place *place, SegueItem *item, GError **error)
{
  if (segue_link_process (&place->link, item, pass_on, place, error))
    return TRUE;
  if (!place->chain->failed)
    place->chain->failed = place->link.context.stage;
  return FALSE;
}

/* @item as it is past the live stages, then its copies through them. */
static gboolean
process_copies (Place *place, SegueItem *item, GError **error)
{
  SegueChain *chain = place->chain;
  Place *stored = &chain->places[place->copies_for];
  if (!chain_process (stored, item, error))
    return FALSE;
  for (guint copy = 1; copy <= stored->link.context.stage->copies; copy++) {
    chain->copy = copy;
    chain->original = item;
    for (Place *live = place; live < stored; live++)
      segue_link_begin_copy (&live->link, copy - 1);
    if (!process_once (place, item, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
chain_process (Place *place, SegueItem *item, GError **error)
{
  return place->copies_for > 0 ? process_copies (place, item, error)
                               : process_once (place, item, error);
}

static gboolean
carry_all (SegueChain *chain, SegueItem *const *items, guint n_items, GError **error)
{
  if (!segue_chain_open (chain, error))
    return FALSE;
  for (guint i = 0; i < n_items; i++)
    if (!chain_process (&chain->places[0], items[i], error))
      return FALSE;
  return TRUE;
}

GPtrArray *
segue_chain_carry (SegueChain *chain, SegueItem *const *items, guint n_items,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) output = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  chain->output = output;
  chain->failed = NULL;
  for (guint i = 0; i < chain->n_places; i++)
    segue_link_begin_song (&chain->places[i].link, cancellable);
  gboolean ok = carry_all (chain, items, n_items, error);
  for (guint i = 0; i < chain->n_places; i++)
    segue_link_end_song (&chain->places[i].link);
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
segue_chain_carry_passage (SegueChain *chain, const char *path, double start, double end,
                           GCancellable *cancellable, GError **error)
{
  g_autoptr (SegueItem) file = file_item_new (path);
  segue_item_set_passage (file, start, end);
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
