/* The worker's side of an answer: items to messages, overlapping bytes only once. */
#include "isolate/answer.h"
#include "item/stretch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of an error message, in bytes: longer ones of a plugin are truncated to fit. */
#define LONGEST_MESSAGE (64 * 1024)
/* Of all items' descriptions, in bytes: leaves room for events and DONE. */
#define MOST_TEXT (SEGUE_ANSWER_MAX_TEXT - 4 * SEGUE_MESSAGE_MAX)

/* The items' memory, and the buffer in which each stretch of it is sent. */
typedef struct {
  GPtrArray *all;    /* the input, then the outputs */
  GArray *stretches; /* SegueStretch */
  guint *buffers;    /* by stretch: 0: the input's own bytes */
} Layout;

static void
clear_layout (Layout *layout)
{
  g_clear_pointer (&layout->all, g_ptr_array_unref);
  g_clear_pointer (&layout->stretches, g_array_unref);
  g_clear_pointer (&layout->buffers, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Layout, clear_layout)

static void
lay_out (Layout *layout, SegueItem *input, GPtrArray *outputs)
{
  guint64 total;
  guint n = 0;
  layout->all = g_ptr_array_new ();
  g_ptr_array_add (layout->all, input);
  g_ptr_array_extend (layout->all, outputs, NULL, NULL);
  layout->stretches =
    segue_stretches_find ((SegueItem *const *) layout->all->pdata, layout->all->len, &total);
  layout->buffers = g_new0 (guint, layout->stretches->len + 1);
  for (guint i = 0; i < layout->stretches->len; i++) {
    const SegueStretch *stretch = &g_array_index (layout->stretches, SegueStretch, i);
    layout->buffers[i] = stretch->first == 0 ? 0 : ++n;
  }
}

static gboolean
send_buffers (int socket, SegueSharedArena *arena, const Layout *layout, SegueWait *wait,
              SegueWire *wire, GError **error)
{
  for (guint i = 0; i < layout->stretches->len; i++) {
    const SegueStretch *stretch = &g_array_index (layout->stretches, SegueStretch, i);
    gsize size = (gsize) (stretch->end - stretch->begin);
    if (layout->buffers[i] == 0)
      continue;
    if (!segue_shared_arena_put (arena, stretch->begin, size, error))
      return FALSE;
    GVariant *body = g_variant_new (SEGUE_FORMAT_BUFFER, (guint64) size);
    *wire = segue_message_send (socket, SEGUE_MESSAGE_BUFFER, body, -1, wait);
    if (*wire != SEGUE_WIRE_OK)
      return FALSE;
  }
  return TRUE;
}

static GVariant *
answer_describe (const Layout *layout, const SegueItem *input, const SegueItem *item)
{
  g_auto (SegueItemForm) form = { 0 };
  const SegueStretch *stretch = segue_stretches_get (layout->stretches, item);
  guint buffer = 0;
  segue_item_form_of (item, item->reads == input->reads ? input : NULL, &form);
  if (stretch) {
    buffer = layout->buffers[stretch - &g_array_index (layout->stretches, SegueStretch, 0)];
    form.offset =
      (guint64) ((const guint8 *) g_bytes_get_data (item->bytes, NULL) - stretch->begin);
  }
  return g_variant_new (SEGUE_FORMAT_EMIT, item == input, buffer,
                        segue_item_form_to_variant (&form));
}

/* What the core would reject as invalid, as an error about the song. @text: bytes so far */
static gboolean
check_size (const SegueItem *item, GVariant *body, gsize *text, GError **error)
{
  g_autoptr (GVariant) form = g_variant_get_child_value (body, 2);
  g_autoptr (GVariant) own = g_variant_get_child_value (form, 2);
  gsize n = g_variant_n_children (own), size = g_variant_get_size (body);
  *text += size;
  if (n > SEGUE_ANSWER_MAX_KEYS)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ has too much metadata: %" G_GSIZE_FORMAT " keys, of at most %d",
                 item->body->id, n, SEGUE_ANSWER_MAX_KEYS);
  else if (size > SEGUE_MESSAGE_MAX)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ has too much metadata: %" G_GSIZE_FORMAT " bytes, of at most %d",
                 item->body->id, size, SEGUE_MESSAGE_MAX);
  else if (*text > MOST_TEXT)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "the items of ‘%s’ have too much metadata: together more than %d bytes",
                 item->body->song, MOST_TEXT);
  else
    return TRUE;
  return FALSE;
}

static gboolean
send_items (int socket, const Layout *layout, SegueItem *input, GPtrArray *outputs, SegueWait *wait,
            SegueWire *wire, GError **error)
{
  gsize text = 0;
  for (guint i = 0; i < outputs->len; i++) {
    const SegueItem *item = g_ptr_array_index (outputs, i);
    if (item != input && !item->bytes) {
      g_set_error (
        error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
        "an isolated stage can't emit ‘%s’ of kind %s: it has no bytes to pass to another process",
        item->body->id, segue_kind_to_string (item->body->kind));
      return FALSE;
    }
    g_autoptr (GVariant) body = g_variant_ref_sink (answer_describe (layout, input, item));
    if (!check_size (item, body, &text, error))
      return FALSE;
    *wire = segue_message_send (socket, SEGUE_MESSAGE_EMIT, body, -1, wait);
    if (*wire != SEGUE_WIRE_OK)
      return FALSE;
  }
  return TRUE;
}

static GVariant *
list_counts (SegueCounts *counts)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sx)"));
  g_autoptr (GArray) list = segue_counts_list (counts);
  for (guint i = 0; i < list->len; i++) {
    const SegueCount *count = &g_array_index (list, SegueCount, i);
    g_variant_builder_add (&builder, "(sx)", count->name, count->n);
  }
  return g_variant_builder_end (&builder);
}

static SegueWire
send_end (int socket, const GError *failure, SegueReads *reads, SegueCounts *counts,
          SegueWait *wait)
{
  g_auto (GStrv) keys = segue_reads_list (reads);
  gboolean ours = failure && failure->domain == SEGUE_ERROR;
  const char *message = failure ? failure->message : "";
  g_autofree char *text =
    g_utf8_make_valid (message, (gssize) MIN (strlen (message), LONGEST_MESSAGE));
  GVariant *body = g_variant_new (SEGUE_FORMAT_DONE, list_counts (counts),
                                  g_variant_new_strv ((const char *const *) keys, -1), !failure,
                                  (guint32) (ours ? failure->code : SEGUE_ERROR_FAILED), text);
  return segue_message_send (socket, SEGUE_MESSAGE_DONE, body, -1, wait);
}

SegueWire
segue_answer_send (int socket, SegueSharedArena *arena, SegueItem *input, GPtrArray *outputs,
                   const GError *failure, SegueReads *reads, SegueCounts *counts, SegueWait *wait)
{
  g_auto (Layout) layout = { 0 };
  g_autoptr (GError) local = NULL;
  SegueWire wire = SEGUE_WIRE_OK;
  if (outputs) {
    lay_out (&layout, input, outputs);
    gboolean sent = send_buffers (socket, arena, &layout, wait, &wire, &local) &&
                    send_items (socket, &layout, input, outputs, wait, &wire, &local);
    if (!sent && !local)
      return wire;
    if (local)
      failure = local;
  }
  return send_end (socket, failure, reads, counts, wait);
}

SegueWire
segue_answer_send_failure (int socket, const GError *failure, SegueWait *wait)
{
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (SegueCounts) counts = segue_counts_new ();
  return send_end (socket, failure, reads, counts, wait);
}
