/* config.json and preprocessor_config.json: conversion from and to the structs that the passes
 * use. */
#pragma once

#include "hubert.h"

/* Reads @config, with HubertConfig's defaults for missing keys.  Features that this plugin does not support are
 * refused by name.  @where: the file, for messages. */
gboolean hubert_architecture_parse (const json_t *config, const char *where,
                                    HubertArchitecture *architecture, GError **error);
gboolean hubert_training_parse (const json_t *config, const char *where, HubertTraining *training,
                                GError **error);
/* Whether the reference has a masked_spec_embed under this config. */
gboolean hubert_training_has_mask_embedding (const HubertTraining *training);

/* @config (nullable): no such file; then Wav2Vec2FeatureExtractor's defaults. */
gboolean hubert_preprocessor_parse (const json_t *config, const char *where,
                                    HubertPreprocessor *preprocessor, GError **error);
/* (transfer full): the file's content, keeping other content of @loaded (nullable). */
json_t *hubert_preprocessor_format (const HubertPreprocessor *preprocessor, const json_t *loaded);

/* Frames that conv layer `conv` outputs for `time` frames; 0 where there are too few. */
gsize hubert_conv_time (const HubertConv *conv, gsize time);
/* Frames after the whole encoder. */
gsize hubert_architecture_frames (const HubertArchitecture *architecture, gsize length);
/* The minimum number of samples for one frame; G_MAXSIZE where that overflows. */
gsize hubert_architecture_min_length (const HubertArchitecture *architecture);
