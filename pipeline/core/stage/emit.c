/* What a stage emits: checked, then passed on. */
#include "item/item-private.h"
#include "stage/emitted.h"

gboolean
segue_context_emit (SegueContext *context, SegueItem *item, GError **error)
{
  g_autoptr (SegueItem) owned = item;
  g_autoptr (GError) local = NULL;
  gboolean ok = segue_emitted_check (context, owned, &local);
  if (ok) {
    context->n_emitted++;
    segue_item_seal (owned);
    ok = context->emit (context->emit_data, g_steal_pointer (&owned), &local);
  }
  if (ok)
    return TRUE;
  segue_context_fail (context, local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
segue_context_emit_slice (SegueContext *context, SegueItem *song, const char *suffix, gsize start,
                          gsize n_frames, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!segue_emitted_check_slice (context, song, start, n_frames, &local)) {
    segue_context_fail (context, local);
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  guint rate = segue_item_get_rate (song), channels = segue_item_get_channels (song);
  gsize frame_bytes = channels * sizeof (float);
  g_autoptr (GBytes) bytes = g_bytes_new_from_bytes (segue_item_get_bytes (song),
                                                     start * frame_bytes, n_frames * frame_bytes);
  SegueItem *slice = segue_item_new_audio (song, suffix, bytes, rate, channels);
  double offset = segue_item_get_double (song, SEGUE_META_START, 0);
  segue_item_set_double (slice, SEGUE_META_START, offset + (double) start / rate);
  segue_item_set_double (slice, SEGUE_META_DURATION, (double) n_frames / rate);
  return segue_context_emit (context, slice, error);
}

void
segue_context_emit_dataset (SegueContext *context, SegueDataset *dataset)
{
  g_return_if_fail (context->stage->type->mode == SEGUE_MODE_COLLECT);
  g_autoptr (GError) local = NULL;
  if (!segue_emitted_check_view (context, dataset, &local))
    segue_context_fail (context, local);
  segue_dataset_ref (dataset);
  g_clear_pointer (&context->output, segue_dataset_unref);
  context->output = dataset;
}
