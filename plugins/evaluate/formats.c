#include "formats.h"

/* Whether the items are those that the model was trained with. */
static gboolean
check_audio (const SegueFormat *items, const SegueFormat *model, SegueNegotiation *negotiation,
             GError **error)
{
  static const SegueFormat mono = SEGUE_INIT (SegueFormat, .channels = 1);
  static const SegueFormat one_rate = SEGUE_INIT (SegueFormat, .rate = SEGUE_FORMAT_SAME);
  if (!segue_negotiation_require (negotiation, "items", &mono, "channels: mono", error) ||
      !segue_negotiation_require (negotiation, "items", &one_rate, "rate: 16000", error))
    return FALSE;
  if (!model || model->rank > 0)
    return !model || segue_negotiation_refuse (negotiation, NULL, error,
                                               "the model was trained with vectors, and its input "
                                               "is audio; name an `embed` stage with from:");
  if (items->rate == 0 || model->rate == 0 || items->rate == model->rate)
    return TRUE;
  return segue_negotiation_refuse (negotiation, NULL, error,
                                   "the model was trained at %u Hz, and this audio is at %u Hz; "
                                   "decode both at one rate",
                                   model->rate, items->rate);
}

static gboolean
check_vectors (const SegueFormat *items, const SegueFormat *model, SegueNegotiation *negotiation,
               GError **error)
{
  static const SegueFormat vector =
    SEGUE_INIT (SegueFormat, .rank = 1, .dtype = SEGUE_DTYPE_F32, .shape = { SEGUE_FORMAT_SAME });
  if (!segue_negotiation_require (negotiation, "items", &vector, NULL, error))
    return FALSE;
  if (model && model->channels > 0)
    return segue_negotiation_refuse (negotiation, NULL, error,
                                     "the model was trained with audio, and its input is vectors; "
                                     "name a stage that produces audio with from:");
  if (!model || model->shape[0] == 0 || items->shape[0] == 0 || model->shape[0] == items->shape[0])
    return TRUE;
  return segue_negotiation_refuse (
    negotiation, NULL, error,
    "the model was trained with vectors of %u numbers, and these have %u; use the same encoders",
    model->shape[0], items->shape[0]);
}

static void
set_predictions (SegueNegotiation *negotiation)
{
  SegueFormat *predictions = segue_negotiation_get_output (negotiation, "predictions");
  predictions->rank = 2;
  predictions->dtype = SEGUE_DTYPE_F64;
  predictions->shape[0] = SEGUE_FORMAT_VARIES;
}

gboolean
evaluate_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  const SegueFormat *items = segue_negotiation_get_input (negotiation, "items");
  const SegueFormat *model = segue_negotiation_get_input (negotiation, "model");
  set_predictions (negotiation);
  if (model)
    segue_negotiation_pass (negotiation, "model", "model");
  if (!items)
    return TRUE;
  return items->kind == SEGUE_KIND_TENSOR ? check_vectors (items, model, negotiation, error)
                                          : check_audio (items, model, negotiation, error);
}

gboolean
combine_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  set_predictions (negotiation);
  return TRUE;
}
