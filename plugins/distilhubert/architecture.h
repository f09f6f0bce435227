/* config.json and preprocessor_config.json: from and to the structs that the passes use. */
#pragma once

#include "hubert.h"

/* What @config says, with HubertConfig's defaults for what it leaves out.  What it asks for and this
 * plugin doesn't have is refused by name.  @where: the file, for messages. */
gboolean hubert_architecture_parse (const json_t *config, const char *where,
                                    HubertArchitecture *architecture, GError **error);
gboolean hubert_training_parse (const json_t *config, const char *where, HubertTraining *training,
                                GError **error);
/* Whether the reference has a masked_spec_embed under this config. */
gboolean hubert_training_has_mask_embedding (const HubertTraining *training);

/* @config (nullable): there is no such file; then as Wav2Vec2FeatureExtractor's defaults. */
gboolean hubert_preprocessor_parse (const json_t *config, const char *where,
                                    HubertPreprocessor *preprocessor, GError **error);
/* (transfer full): the file's content, keeping what @loaded (nullable) holds besides. */
json_t *hubert_preprocessor_format (const HubertPreprocessor *preprocessor, const json_t *loaded);

/* Frames that conv layer `conv` makes of `time` frames; 0 where there are too few. */
gsize hubert_conv_time (const HubertConv *conv, gsize time);
/* Frames after the whole encoder. */
gsize hubert_architecture_frames (const HubertArchitecture *architecture, gsize length);
/* The fewest samples that make a frame; G_MAXSIZE where that overflows. */
gsize hubert_architecture_min_length (const HubertArchitecture *architecture);
