/* preprocessor_config.json: Wav2Vec2FeatureExtractor. */
#include "architecture.h"

gboolean
hubert_preprocessor_parse (const json_t *config, const char *where,
                           HubertPreprocessor *preprocessor, GError **error)
{
  gsize rate = 16000, feature_size = 1;
  gboolean normalise = TRUE;
  const char *type = "Wav2Vec2FeatureExtractor";
  if (config != NULL &&
      (!segue_nn_config_get_string (config, where, "feature_extractor_type", &type, error) ||
       !segue_nn_config_get_size (config, where, "sampling_rate", 1, 768000, &rate, error) ||
       !segue_nn_config_get_size (config, where, "feature_size", 1, 1, &feature_size, error) ||
       !segue_nn_config_get_bool (config, where, "do_normalize", &normalise, error)))
    return FALSE;
  if (!g_str_equal (type, "Wav2Vec2FeatureExtractor"))
    return segue_nn_config_refuse (error, where, "feature_extractor_type",
                                   "is ‘%s’; only Wav2Vec2FeatureExtractor is supported", type);
  *preprocessor = (HubertPreprocessor){ .rate = (guint) rate, .normalise = normalise };
  return TRUE;
}

json_t *
hubert_preprocessor_format (const HubertPreprocessor *preprocessor, const json_t *loaded)
{
  json_t *config = json_pack ("{s:s, s:i, s:s, s:f, s:b}", "feature_extractor_type",
                              "Wav2Vec2FeatureExtractor", "feature_size", 1, "padding_side",
                              "right", "padding_value", 0.0, "return_attention_mask", 0);
  if (loaded != NULL)
    json_object_update (config, (json_t *) loaded);
  json_object_set_new (config, "do_normalize", json_boolean (preprocessor->normalise));
  json_object_set_new (config, "sampling_rate", json_integer (preprocessor->rate));
  return config;
}
