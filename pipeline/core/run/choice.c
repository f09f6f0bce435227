#include "choice.h"
#include "chain.h"

typedef struct {
  SegueChain *chain; /* NULL: not asked yet */
  gboolean is_out;   /* does not start here */
} Decoder;

struct _SegueChoice {
  SegueContext *context;
  SegueScope scope; /* of the decoders: what they report is reported for the stage that asks them */
  Decoder *decoders;
  guint n_decoders;
};

static const SegueGraphStage *
stage_of (const SegueChoice *self, guint i)
{
  return g_ptr_array_index (self->context->stage->decoders, i);
}

static void
log_line (gpointer data, const SegueGraphStage *stage, GLogLevelFlags level, const char *message)
{
  SegueChoice *self = data;
  segue_context_log (self->context, level, "%s", message);
}

static void
allow_read (gpointer data, const SegueGraphStage *stage, const char *path)
{
  SegueChoice *self = data;
  segue_context_allow_read (self->context, path);
}

static const SegueStageHost host = { .log = log_line, .allow_read = allow_read };

/* A decoder that does not start (its libraries are gone) is no song's fault, and no reason to end a run
 * that another can do. */
static gboolean
may_go_on (SegueChoice *self, guint i, const GError *error)
{
  if (!g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_FAILED) || i + 1 == self->n_decoders)
    return FALSE;
  segue_context_log (self->context, G_LOG_LEVEL_WARNING, "%s can't be used here: %s",
                     stage_of (self, i)->type->name, error->message);
  self->decoders[i].is_out = TRUE;
  return TRUE;
}

static SegueChain *
chain_of (SegueChoice *self, guint i)
{
  const SegueGraphStage *stage = stage_of (self, i);
  if (!self->decoders[i].chain)
    self->decoders[i].chain = segue_chain_new (&self->scope, &stage, 1);
  return self->decoders[i].chain;
}

static gboolean
open_first (SegueChoice *self, GError **error)
{
  for (guint i = 0; i < self->n_decoders; i++) {
    g_autoptr (GError) local = NULL;
    if (segue_chain_open (chain_of (self, i), &local))
      return TRUE;
    if (!may_go_on (self, i, local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "stage '%s': no decoder here takes these parameters; `segue inspect %s` lists them",
               self->context->stage->id, self->context->stage->type->name);
  return FALSE;
}

SegueChoice *
segue_choice_new (SegueContext *context, GError **error)
{
  g_autoptr (SegueChoice) self = g_new0 (SegueChoice, 1);
  self->context = context;
  self->scope = *context->scope;
  self->scope.host = &host;
  self->scope.host_data = self;
  self->n_decoders = context->stage->decoders->len;
  self->decoders = g_new0 (Decoder, self->n_decoders + 1);
  return open_first (self, error) ? g_steal_pointer (&self) : NULL;
}

void
segue_choice_free (SegueChoice *self)
{
  if (!self)
    return;
  for (guint i = 0; i < self->n_decoders; i++)
    segue_chain_free (self->decoders[i].chain);
  g_free (self->decoders);
  g_free (self);
}

/* What one decoder makes of @item; what it counts is in @counts. */
static GPtrArray *
ask (SegueChoice *self, guint i, SegueItem *item, SegueCounts *counts, GError **error)
{
  SegueChain *chain = chain_of (self, i);
  segue_chain_set_counts (chain, counts);
  GPtrArray *items = segue_chain_carry (chain, &item, 1, self->context->cancellable, error);
  segue_chain_set_counts (chain, NULL);
  if (!items)
    segue_chain_renew (chain);
  return items;
}

static void
take_counts (SegueChoice *self, SegueCounts *counts)
{
  g_autoptr (GArray) list = segue_counts_list (counts);
  for (guint i = 0; i < list->len; i++) {
    const SegueCount *count = &g_array_index (list, SegueCount, i);
    segue_context_count (self->context, count->name, count->n);
  }
}

static gboolean
hand_on (SegueChoice *self, guint i, GPtrArray *items, const GError *refusal, GError **error)
{
  const char *name = stage_of (self, i)->type->name;
  g_autofree char *counter = g_strdup_printf ("decoded by %s", name);
  segue_context_count (self->context, counter, 1);
  if (refusal)
    segue_context_log (self->context, G_LOG_LEVEL_INFO, "%s decoded what another could not: %s",
                       name, refusal->message);
  for (guint k = 0; k < items->len; k++)
    if (!segue_context_emit (self->context, segue_item_ref (g_ptr_array_index (items, k)), error))
      return FALSE;
  return TRUE;
}

gboolean
segue_choice_process (SegueChoice *self, SegueItem *item, GError **error)
{
  g_autoptr (GError) refusal = NULL; /* the first */
  for (guint i = 0; i < self->n_decoders; i++) {
    g_autoptr (GError) local = NULL;
    g_autoptr (SegueCounts) counts = segue_counts_new ();
    if (self->decoders[i].is_out)
      continue;
    g_autoptr (GPtrArray) items = ask (self, i, item, counts, &local);
    gboolean is_refused = g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED);
    if (!items && (is_refused || may_go_on (self, i, local))) {
      segue_context_log (self->context, G_LOG_LEVEL_DEBUG, "%s: %s", stage_of (self, i)->type->name,
                         local->message);
      if (is_refused && !refusal)
        refusal = g_steal_pointer (&local);
      continue;
    }
    take_counts (self, counts);
    if (items)
      return hand_on (self, i, items, refusal, error);
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}
