/* Processes the same item again: the output must be the same. */
#include "again.h"

#include <string.h>

static gboolean
is_same_metadata (const SegueItem *a, const SegueItem *b)
{
  g_autoptr (GVariant) first = segue_item_get_metadata (a);
  g_autoptr (GVariant) second = segue_item_get_metadata (b);
  return g_variant_equal (first, second);
}

static gboolean
is_same_shape (const SegueItem *a, const SegueItem *b)
{
  guint first, second;
  const gsize *shape = segue_item_get_shape (a, &first), *other = segue_item_get_shape (b, &second);
  return first == second && memcmp (shape, other, first * sizeof *shape) == 0 &&
         segue_item_get_kind (a) == segue_item_get_kind (b) &&
         segue_item_get_dtype (a) == segue_item_get_dtype (b) &&
         segue_item_get_rate (a) == segue_item_get_rate (b) &&
         segue_item_get_channels (a) == segue_item_get_channels (b);
}

/* (nullable): what differs. */
static const char *
compare (const SegueItem *a, const SegueItem *b)
{
  GBytes *first = segue_item_get_bytes (a), *second = segue_item_get_bytes (b);
  if (!g_str_equal (segue_item_get_id (a), segue_item_get_id (b)))
    return "a different id";
  if (!is_same_shape (a, b))
    return "a different shape";
  if (!is_same_metadata (a, b))
    return "different metadata";
  return !first == !second && (!first || g_bytes_equal (first, second)) ? NULL
                                                                        : "different samples";
}

static gboolean
refuse (const SegueGraphStage *stage, const SegueItem *item, const char *how, GError **error)
{
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
    "stage '%s' (type '%s') produced %s for ‘%s’ when it processed it again: the output of process "
    "() must depend only on the item, the configuration and the seed (no state from item to item, "
    "no clock, no random numbers except from segue_context_get_seed ())",
    stage->id, stage->type->name, how, segue_item_get_id (item));
  return FALSE;
}

gboolean
segue_again_check (SegueChain *chain, const SegueGraphStage *stage, SegueItem *item,
                   GPtrArray *output, GCancellable *cancellable, GError **error)
{
  for (guint round = 0; round < 2; round++) {
    g_autoptr (GError) failure = NULL;
    g_autoptr (GPtrArray) other = segue_chain_carry (chain, &item, 1, cancellable, &failure);
    if (!other && g_cancellable_is_cancelled (cancellable))
      return TRUE;
    if (!other) {
      g_autofree char *how = g_strdup_printf ("an error (%s)", failure->message);
      return refuse (stage, item, how, error);
    }
    if (other->len != output->len)
      return refuse (stage, item, "a different number of items", error);
    for (guint i = 0; i < output->len; i++) {
      const char *how = compare (g_ptr_array_index (output, i), g_ptr_array_index (other, i));
      if (how)
        return refuse (stage, item, how, error);
    }
  }
  return TRUE;
}
