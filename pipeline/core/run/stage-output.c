/* Datasets → their form in the store → datasets. */
#include "run/stage-output.h"

#include <string.h>

/* Input items, counted over all ports. */
static SegueItem *
find_origin (const SegueGraphStage *stage, SegueDataset *const *inputs, guint64 origin)
{
  for (guint i = 0; i < stage->n_inputs; i++) {
    guint length = inputs[i] ? segue_dataset_get_length (inputs[i]) : 0;
    if (origin < length)
      return segue_dataset_get_entry (inputs[i], (guint) origin);
    origin -= length;
  }
  return NULL;
}

const char *
segue_stage_output_below (const char *folder, const char *path)
{
  gsize length = folder ? strlen (folder) : 0;
  if (length == 0 || strncmp (path, folder, length) != 0)
    return NULL;
  path += length;
  return *path == '\0' ? path : *path == '/' ? path + strspn (path, "/") : NULL;
}

/* Whether @item is @origin with nothing but metadata added. */
static gboolean
is_passed_on (const SegueItem *item, const SegueItem *origin)
{
  if (item->body->kind != origin->body->kind || strcmp (item->body->id, origin->body->id) != 0)
    return FALSE;
  if (item->body->kind == SEGUE_KIND_FILE)
    return g_strcmp0 (item->body->path, origin->body->path) == 0;
  return item->body->key && origin->body->key && strcmp (item->body->key, origin->body->key) == 0 &&
         item->body->key_index == origin->body->key_index;
}

/* %FALSE: it can't be stored. */
static gboolean
describe_item (const SegueItem *item, const SegueItem *origin, guint port, const char *folder,
               SegueResultItem *described)
{
  *described = (SegueResultItem){ .port = port, .passed = origin && is_passed_on (item, origin) };
  if (!segue_item_form_of (item, origin, &described->form))
    return FALSE;
  if (described->passed)
    return TRUE;
  described->key = g_strdup (item->body->key);
  if (segue_kind_has_bytes (item->body->kind))
    return TRUE;
  if (item->body->kind != SEGUE_KIND_FILE)
    described->path = g_strdup (segue_stage_output_below (folder, item->body->path));
  return described->path != NULL;
}

gboolean
segue_stage_output_describe (const SegueGraphStage *stage, SegueDataset *const *inputs,
                             SegueReads *reads, SegueDataset *const *outputs, const char *folder,
                             SegueResult *result, GPtrArray **payloads)
{
  *payloads = g_ptr_array_new ();
  for (guint port = 0; port < stage->n_outputs; port++) {
    guint view = segue_dataset_get_port (outputs[port]);
    if (view != SEGUE_NOT_CONNECTED) {
      result->view_port = view;
      result->view_output = port;
    }
    for (guint i = 0; i < segue_dataset_get_length (outputs[port]); i++) {
      SegueItem *item = segue_dataset_get_entry (outputs[port], i);
      const SegueItem *origin =
        item->reads == reads ? find_origin (stage, inputs, item->origin) : NULL;
      SegueResultItem described;
      gboolean ok = describe_item (item, origin, port, folder, &described);
      g_array_append_val (result->items, described);
      gboolean holds = ok && !described.passed && segue_kind_has_bytes (item->body->kind);
      g_ptr_array_add (*payloads, holds ? item : NULL);
      if (!ok)
        return FALSE;
    }
  }
  return TRUE;
}

/* The current form of an item that was passed on, with what was added to it. */
static SegueItem *
join_passed (const SegueItemForm *form, SegueItem *origin)
{
  if (g_variant_n_children (form->delta) == 0)
    return segue_item_ref (origin);
  SegueItem *item = segue_item_copy (origin);
  segue_item_set_metadata (item, form->delta);
  segue_metadata_disown (&item->metadata);
  segue_item_seal (item);
  return item;
}

/* An entry for what @stored describes, joined with the metadata that its origin has now. */
static SegueItem *
join_item (const SegueResultItem *stored, SegueItem *origin, SegueStorage *storage,
           const char *folder)
{
  g_autoptr (SegueItem) item = segue_item_form_join (&stored->form, origin);
  item->body->key = g_ref_string_new (stored->key);
  if (!segue_kind_has_bytes (stored->form.kind)) {
    g_autofree char *path = g_build_filename (folder, stored->path, NULL);
    item->body->path = g_ref_string_new (*stored->path ? path : folder);
  }
  SegueExtent extent = segue_item_form_locate (&stored->form, storage);
  return segue_item_copy_as_entry (item, &extent);
}

static gboolean
fits (const SegueGraphStage *stage, const SegueResult *result, const SegueResultItem *stored,
      const SegueItem *origin)
{
  const SegueItemForm *form = &stored->form;
  if (stored->port >= stage->n_outputs || (form->origin >= 0 && !origin))
    return FALSE;
  SegueKind kind = stage->outputs[stored->port];
  if (kind != SEGUE_KIND_ANY && kind != form->kind)
    return FALSE;
  gboolean in_view = result->view_port >= 0 && stored->port == result->view_output;
  return stored->passed ? origin->body->kind == form->kind
                        : !in_view && (origin || g_utf8_validate (form->suffix, -1, NULL));
}

static gboolean
has_repeated_id (SegueDataset *dataset)
{
  for (guint i = 1; i < segue_dataset_get_length (dataset); i++) {
    const SegueItem *item = segue_dataset_get_entry (dataset, i);
    if (segue_item_compare (&(const SegueItem *){ segue_dataset_get_entry (dataset, i - 1) },
                            &item) == 0)
      return TRUE;
  }
  return FALSE;
}

static SegueDataset *
make_dataset (const SegueResult *result, guint port, SegueDataset *const *inputs,
              GPtrArray *entries)
{
  if (result->view_port < 0 || port != result->view_output)
    return segue_dataset_new (entries, NULL);
  g_ptr_array_sort (entries, segue_item_compare);
  return segue_dataset_with_entries (inputs[result->view_port], entries);
}

gboolean
segue_stage_output_join (const SegueGraphStage *stage, SegueDataset *const *inputs,
                         const SegueResult *result, const char *items, const char *folder,
                         SegueDataset **outputs)
{
  if (result->is_reads || (result->view_port >= 0 &&
                           (result->view_port >= stage->n_inputs || !inputs[result->view_port] ||
                            result->view_output >= stage->n_outputs)))
    return FALSE;
  g_autoptr (SegueStorage) storage = segue_storage_new_path (items);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  for (guint port = 0; port < stage->n_outputs; port++)
    g_ptr_array_add (all, g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref));
  for (guint i = 0; i < result->items->len; i++) {
    const SegueResultItem *stored = &g_array_index (result->items, SegueResultItem, i);
    SegueItem *origin =
      stored->form.origin >= 0 ? find_origin (stage, inputs, (guint64) stored->form.origin) : NULL;
    if (!fits (stage, result, stored, origin))
      return FALSE;
    g_ptr_array_add (g_ptr_array_index (all, stored->port),
                     stored->passed ? join_passed (&stored->form, origin)
                                    : join_item (stored, origin, storage, folder));
  }
  gboolean ok = TRUE;
  for (guint port = 0; port < stage->n_outputs; port++) {
    GPtrArray *entries = g_ptr_array_ref (g_ptr_array_index (all, port));
    outputs[port] = make_dataset (result, port, inputs, entries);
    ok = ok && !has_repeated_id (outputs[port]);
  }
  for (guint port = 0; !ok && port < stage->n_outputs; port++)
    g_clear_pointer (&outputs[port], segue_dataset_unref);
  return ok;
}
