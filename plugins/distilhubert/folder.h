/* Models from parameters and from folders, and back into folders. */
#pragma once

#include "params.h"

HubertModel *hubert_model_create (const HubertParams *params, const SegueModelSpec *spec,
                                  GError **error);
HubertModel *hubert_model_load (const char *folder, const HubertParams *params,
                                const SegueModelSpec *spec, GError **error);
gboolean hubert_model_save (HubertModel *model, const char *folder, GError **error);
void hubert_model_free (HubertModel *model);
