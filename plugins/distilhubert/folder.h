/* Models from parameters and from folders, and back into folders: callbacks of the model type. */
#pragma once

#include "params.h"

/* @config: #HubertParams */
gpointer hubert_model_create (const void *config, const SegueModelSpec *spec, GError **error);
gpointer hubert_model_load (const char *folder, const void *config, const SegueModelSpec *spec,
                            GError **error);
gboolean hubert_model_save (gpointer model, const char *folder, GError **error);
void hubert_model_free (gpointer model);
