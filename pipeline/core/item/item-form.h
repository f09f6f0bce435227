/* The serialized form of an item without its bytes: in records and results of the store, and in messages
 * to and from workers (internal).
 *
 * There is one form and one check: a plugin may emit, a worker may send and the store may keep exactly
 * the same items. The offset is relative to the container of the bytes. */
#pragma once

#include "item/item-private.h"

#include <segue/tensor.h>

/* suffix, kind, its own metadata, rate, channels, dtype, shape, origin, offset, length */
#define SEGUE_ITEM_FORM "(sya{sv}uuyatxtt)"

/** SegueItemForm: @kind and @dtype are numbers until they are checked. */
typedef struct {
  char
    *suffix; /* of its id, after its origin's id: "" or "#…"; the whole id where it has no origin */
  guint kind;
  GVariant *delta; /* `a{sv}`: metadata that was set since its origin */
  guint rate, channels;
  guint dtype, rank;
  gsize shape[SEGUE_MAX_RANK];
  gint64 origin;          /* the item that it derives from, by its index in the input; -1: none */
  guint64 offset, length; /* of its bytes, in their container */
} SegueItemForm;

/** segue_item_form_of: all fields but the offset, of @item or its index entry.
 * @origin: (nullable): the item that it derives from
 *
 * %FALSE where its id does not begin with its origin's; @form must be cleared in any case. */
gboolean segue_item_form_of (const SegueItem *item, const SegueItem *origin, SegueItemForm *form);
void segue_item_form_clear (SegueItemForm *form);
/** segue_item_form_check: whether an item may have this form.
 * @n_bytes: size of the container of its bytes
 * @why: (out): if not, the mistake as a static phrase ("audio without a sample rate") */
gboolean segue_item_form_check (const SegueItemForm *form, guint64 n_bytes, const char **why);
/** segue_item_form_to_variant: returns a floating reference. */
GVariant *segue_item_form_to_variant (const SegueItemForm *form);
/** segue_item_form_from_variant: from a %SEGUE_ITEM_FORM; must be checked, and cleared in any case.
 * %FALSE with @why where it does not fit into a form. */
gboolean segue_item_form_from_variant (GVariant *variant, SegueItemForm *form, const char **why);
/** segue_item_form_join: (transfer full): the item that @form (checked) describes, joined with the metadata
 * that @origin (nullable) has now; not sealed, and without bytes, path and key. */
SegueItem *segue_item_form_join (const SegueItemForm *form, const SegueItem *origin);
/** segue_item_form_locate: the extent of its bytes in @storage (borrowed). */
SegueExtent segue_item_form_locate (const SegueItemForm *form, SegueStorage *storage);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueItemForm, segue_item_form_clear)
