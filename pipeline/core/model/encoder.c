/* Calls of a type's encoder, checked. */
#include "base/calling.h"
#include "model/model-private.h"

#include <math.h>
#include <segue/encoder.h>
#include <string.h>

void
segue_encoder_describe (SegueModel *model, guint layer, SegueEncoderInfo *info)
{
  SegueEncoderInfo whole = SEGUE_INIT (SegueEncoderInfo);
  gsize size = info->struct_size;
  model->type->encoder->describe (model->impl, layer, &whole);
  memcpy (info, &whole, MIN (size, sizeof whole));
  info->struct_size = size;
}

gsize
segue_encoder_count_frames (SegueModel *model, gsize length)
{
  return model->type->encoder->count_frames (model->impl, length);
}

gsize
segue_encoder_plan (SegueModel *model, guint batch, gsize length, guint layer)
{
  return model->type->encoder->plan (model->impl, batch, length, layer);
}

static gboolean
check_finite (SegueModel *model, const SegueEncoderPass *pass, GError **error)
{
  SegueEncoderInfo info = SEGUE_INIT (SegueEncoderInfo);
  segue_encoder_describe (model, pass->layer, &info);
  gsize n = pass->batch * segue_encoder_count_frames (model, pass->length) * info.width;
  for (gsize i = 0; i < n; i++)
    if (!isfinite (pass->output[i])) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                   "model type '%s' computed a number that is not finite: a bug in its plugin, or "
                   "damaged weights",
                   model->type->name);
      return FALSE;
    }
  return TRUE;
}

gboolean
segue_encoder_encode (SegueModel *model, const SegueEncoderPass *pass, GError **error)
{
  g_autoptr (GError) local = NULL;
  const SegueCalling outer = segue_calling_begin ("model type", model->type->name, FALSE);
  gboolean ok = model->type->encoder->encode (model->impl, pass, &local);
  segue_calling_end (outer);
  return segue_model_conclude (model->type, ok, &local, error) && check_finite (model, pass, error);
}
