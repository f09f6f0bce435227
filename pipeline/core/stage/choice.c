#include "stage/choice.h"

typedef struct {
  SegueLink link;
  gboolean is_out; /* cannot start on this system */
} Decoder;

typedef struct {
  SegueContext *context;
  SegueScope scope; /* of the decoders: their events are reported as those of this stage */
  Decoder *decoders;
  guint n_decoders;
} Choice;

static const char *
name_of (const Choice *self, guint i)
{
  return self->decoders[i].link.context.stage->type->name;
}

/* Passes log lines on. Counters come with the answer; other events of a decoder concern only its
 * own work. */
static void
pass_on (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  Choice *self = data;
  if (event->type == SEGUE_EVENT_LOG)
    segue_context_log (self->context, event->level, "%s", event->text);
}

static void
allow_read (gpointer data, const SegueGraphStage *stage, const char *path)
{
  Choice *self = data;
  segue_context_allow_read (self->context, path);
}

static const SegueStageHost host = { .allow_read = allow_read, .event = pass_on };

/* A decoder that cannot start (missing libraries) is not a song's fault, and does not end a run
 * that another decoder can do. */
static gboolean
may_go_on (Choice *self, guint i, const GError *error)
{
  if (!g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_FAILED) || i + 1 == self->n_decoders)
    return FALSE;
  segue_context_log (self->context, G_LOG_LEVEL_WARNING, "%s can't be used here: %s",
                     name_of (self, i), error->message);
  self->decoders[i].is_out = TRUE;
  return TRUE;
}

static gboolean
open_first (Choice *self, GError **error)
{
  for (guint i = 0; i < self->n_decoders; i++) {
    g_autoptr (GError) local = NULL;
    if (segue_link_open (&self->decoders[i].link, &local))
      return TRUE;
    if (!may_go_on (self, i, local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
    "stage '%s': no available decoder accepts these parameters; `segue inspect %s` lists them",
    self->context->stage->id, self->context->stage->type->name);
  return FALSE;
}

static void
close_choice (gpointer data, SegueContext *context)
{
  Choice *self = data;
  for (guint i = 0; i < self->n_decoders; i++)
    segue_link_clear (&self->decoders[i].link);
  g_free (self->decoders);
  g_free (self);
}

static gboolean
open_choice (SegueContext *context, gpointer *instance, GError **error)
{
  GPtrArray *stages = context->stage->decoders;
  Choice *self = g_new0 (Choice, 1);
  self->context = context;
  self->scope = *context->scope;
  self->scope.host = &host;
  self->scope.host_data = self;
  self->n_decoders = stages->len;
  self->decoders = g_new0 (Decoder, self->n_decoders + 1);
  for (guint i = 0; i < self->n_decoders; i++)
    segue_link_init (&self->decoders[i].link, &self->scope, g_ptr_array_index (stages, i), 0);
  gboolean ok = open_first (self, error);
  if (!ok)
    close_choice (self, context);
  *instance = ok ? self : NULL;
  return ok;
}

/* SegueEmitFunc. */
static gboolean
choice_take (gpointer data, SegueItem *item, GError **error)
{
  g_ptr_array_add (data, item);
  return TRUE;
}

/* One decoder's output for @item; its counters go to @counts. */
static GPtrArray *
ask (Choice *self, guint i, SegueItem *item, SegueCounts *counts, GError **error)
{
  SegueLink *link = &self->decoders[i].link;
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  link->context.counts = counts;
  segue_link_begin_song (link, self->context->cancellable);
  gboolean ok =
    segue_link_open (link, error) && segue_link_process (link, item, choice_take, items, error);
  segue_link_end_song (link);
  link->context.counts = NULL;
  if (!ok)
    segue_link_renew (link);
  return ok ? g_steal_pointer (&items) : NULL;
}

static void
take_counts (Choice *self, SegueCounts *counts)
{
  g_autoptr (GArray) list = segue_counts_list (counts);
  for (guint i = 0; i < list->len; i++) {
    const SegueCount *count = &g_array_index (list, SegueCount, i);
    segue_context_count (self->context, count->name, count->n);
  }
}

static gboolean
hand_on (Choice *self, guint i, GPtrArray *items, const GError *refusal, GError **error)
{
  const char *name = name_of (self, i);
  g_autofree char *counter = g_strdup_printf ("decoded by %s", name);
  segue_context_count (self->context, counter, 1);
  if (refusal)
    segue_context_log (self->context, G_LOG_LEVEL_INFO,
                       "%s decoded a file that another decoder could not: %s", name,
                       refusal->message);
  for (guint k = 0; k < items->len; k++)
    if (!segue_context_emit (self->context, segue_item_ref (g_ptr_array_index (items, k)), error))
      return FALSE;
  return TRUE;
}

static gboolean
choice_process (gpointer data, SegueItem *item, SegueContext *context, GError **error)
{
  Choice *self = data;
  g_autoptr (GError) refusal = NULL; /* the first */
  for (guint i = 0; i < self->n_decoders; i++) {
    g_autoptr (GError) local = NULL;
    g_autoptr (SegueCounts) counts = segue_counts_new ();
    if (self->decoders[i].is_out)
      continue;
    g_autoptr (GPtrArray) items = ask (self, i, item, counts, &local);
    gboolean is_refused = g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED);
    if (!items && (is_refused || may_go_on (self, i, local))) {
      segue_context_log (self->context, G_LOG_LEVEL_DEBUG, "%s: %s", name_of (self, i),
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

const SegueCarrier segue_choice = {
  .open = open_choice,
  .process = choice_process,
  .close = close_choice,
  .lasts = TRUE,
};
