/* Checks of a type's callbacks: each returns success without an error, or failure with one, and lists
 * complete tensors. */
#include "base/calling.h"
#include "model/model-private.h"

#include <string.h>

gboolean
segue_model_conclude (const SegueModelType *type, gboolean ok, GError **failure, GError **error)
{
  if (ok && !*failure)
    return TRUE;
  if (ok)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "model type '%s' succeeded with an error set (%s): a bug in its plugin",
                 type->name, (*failure)->message);
  else if (!*failure)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "model type '%s' failed without setting an error: a bug in its plugin",
                 type->name);
  else
    g_propagate_error (error, g_steal_pointer (failure));
  return FALSE;
}

/* The caller's header may be older, with a shorter struct. */
static gboolean
complete_pass (const SegueModelPass *pass, SegueModelPass *whole, GError **error)
{
  if (pass->struct_size < G_STRUCT_OFFSET (SegueModelPass, logits) + sizeof pass->logits) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "the struct_size of a SegueModelPass is %" G_GSIZE_FORMAT "; use SEGUE_INIT (…)",
                 pass->struct_size);
    return FALSE;
  }
  memcpy (whole, pass, MIN (pass->struct_size, sizeof *whole));
  whole->struct_size = sizeof *whole;
  return TRUE;
}

gboolean
segue_model_forward (SegueModel *model, SegueModelPass *pass, GError **error)
{
  SegueModelPass whole = SEGUE_INIT (SegueModelPass);
  g_autoptr (GError) local = NULL;
  if (!complete_pass (pass, &whole, error))
    return FALSE;
  const SegueCalling outer = segue_calling_begin ("model type", model->type->name, FALSE);
  gboolean ok = model->type->forward (model->impl, &whole, &local);
  segue_calling_end (outer);
  return segue_model_conclude (model->type, ok, &local, error);
}

gboolean
segue_model_backward (SegueModel *model, SegueModelPass *pass, const float *d_logits,
                      GError **error)
{
  SegueModelPass whole = SEGUE_INIT (SegueModelPass);
  g_autoptr (GError) local = NULL;
  if (!complete_pass (pass, &whole, error))
    return FALSE;
  const SegueCalling outer = segue_calling_begin ("model type", model->type->name, FALSE);
  gboolean ok = model->type->backward (model->impl, &whole, d_logits, &local);
  segue_calling_end (outer);
  return segue_model_conclude (model->type, ok, &local, error);
}

gboolean
segue_model_fit (SegueModel *model, const SegueModelFit *fit, GError **error)
{
  SegueModelFit whole = { 0 };
  g_autoptr (GError) local = NULL;
  memcpy (&whole, fit, MIN (fit->struct_size, sizeof whole));
  whole.struct_size = sizeof whole;
  const SegueCalling outer = segue_calling_begin ("model type", model->type->name, FALSE);
  gboolean ok = model->type->fit (model->impl, &whole, &local);
  segue_calling_end (outer);
  return segue_model_conclude (model->type, ok, &local, error);
}

void
segue_model_changed (SegueModel *model)
{
  if (model->type->changed)
    model->type->changed (model->impl);
}

/* The mistake in @tensor; %NULL: none. */
static const char *
find_mistake (const SegueModelTensor *tensor)
{
  gsize n = 1;
  if (!tensor->name)
    return "has no name";
  if (tensor->rank > SEGUE_MAX_RANK)
    return "has more dimensions than SEGUE_MAX_RANK";
  for (guint i = 0; i < tensor->rank; i++)
    if (!g_size_checked_mul (&n, n, tensor->shape[i]))
      return "has a shape that is too large for memory";
  if (n != tensor->n_elements)
    return "has a number of elements that does not match its shape";
  return !tensor->value ? "has no value" : NULL;
}

/* With an older or newer header, elements have another size. */
static GArray *
complete (const GArray *listed)
{
  const gsize size = g_array_get_element_size ((GArray *) listed);
  GArray *tensors = g_array_sized_new (FALSE, TRUE, sizeof (SegueModelTensor), listed->len);
  g_array_set_size (tensors, listed->len);
  for (guint i = 0; i < listed->len; i++)
    memcpy (&g_array_index (tensors, SegueModelTensor, i), listed->data + i * size,
            MIN (size, sizeof (SegueModelTensor)));
  return tensors;
}

GArray *
segue_model_list_tensors (SegueModel *model, GError **error)
{
  const gsize least = G_STRUCT_OFFSET (SegueModelTensor, decay) + sizeof (gboolean);
  g_autoptr (GArray) listed = model->type->list_tensors (model->impl);
  if (!listed || g_array_get_element_size (listed) < least) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "model type '%s': list_tensors () returns no array of SegueModelTensor: a bug in "
                 "its plugin",
                 model->type->name);
    return NULL;
  }
  g_autoptr (GArray) tensors = complete (listed);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    const char *mistake = find_mistake (tensor);
    if (!mistake)
      continue;
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "model type '%s': tensor %u of list_tensors () ('%s') %s: a bug in its plugin",
                 model->type->name, i, tensor->name ? tensor->name : "", mistake);
    return NULL;
  }
  return g_steal_pointer (&tensors);
}
