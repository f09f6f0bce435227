/* Folders of every origin: labels and heads, base models, round trips, and refused folders. */
#include "test-small.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- Labels and heads ---- */

static void
test_labels (SmallFixture *f, gconstpointer data)
{
  static const char *const permuted[] = { "c", "a", "b", NULL };
  static const char *const others[] = { "c", "a", "d", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  HubertModel *same = small_load (f, permuted, &error);
  g_assert_no_error (error);
  HubertModel *fresh = small_load (f, others, &error);
  g_assert_no_error (error);

  g_auto (SmallRun) a = { NULL };
  g_auto (SmallRun) b = { NULL };
  g_auto (SmallRun) c = { NULL };
  small_run_pass (&a, model, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  small_run_pass (&b, same, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  small_run_pass (&c, fresh, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  for (guint i = 0; i < SMALL_BATCH; i++) {
    const float *x = a.pass.logits + 3 * i, *y = b.pass.logits + 3 * i;
    g_assert_cmpfloat (y[0], ==, x[2]);
    g_assert_cmpfloat (y[1], ==, x[0]);
    g_assert_cmpfloat (y[2], ==, x[1]);
    g_assert_cmpfloat (c.pass.logits[3 * i], !=, x[2]);
  }
  /* A new head does not change the rest. */
  gsize base =
    (gsize) (model->head.classifier.weight.w - segue_nn_weights_get_values (model->base.weights));
  g_assert_cmpmem (segue_nn_weights_get_values (model->base.weights), base * sizeof (float),
                   segue_nn_weights_get_values (fresh->base.weights), base * sizeof (float));
  hubert_model_free (model);
  hubert_model_free (same);
  hubert_model_free (fresh);
}

/* Rewrites the folder's weights: only `hubert.` tensors, without the prefix, with the old names. */
static void
make_base_folder (const SmallFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (f->folder, "model.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  gsize n;
  const SegueTensorInfo *list = segue_safetensors_list (file, &n);
  for (gsize i = 0; i < n; i++) {
    if (!g_str_has_prefix (list[i].name, "hubert."))
      continue;
    g_autoptr (GString) name = g_string_new (list[i].name + strlen ("hubert."));
    g_string_replace (name, "parametrizations.weight.original0", "weight_g", 0);
    g_string_replace (name, "parametrizations.weight.original1", "weight_v", 0);
    float *values = g_new (float, list[i].n_elements);
    segue_safetensors_read_f32 (file, list[i].name, list[i].n_dims, list[i].shape, values, &error);
    g_assert_no_error (error);
    segue_safetensors_writer_take_f32 (writer, name->str, list[i].n_dims, list[i].shape, values);
  }
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
}

static void
test_base_model (SmallFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  make_base_folder (f);
  g_assert_null (small_load (f, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "no classifier"));
  g_clear_error (&error);
  HubertModel *again = small_load (f, small_labels, &error);
  g_assert_no_error (error);
  gsize base =
    (gsize) (model->head.projector.weight.w - segue_nn_weights_get_values (model->base.weights));
  g_assert_cmpmem (segue_nn_weights_get_values (model->base.weights), base * sizeof (float),
                   segue_nn_weights_get_values (again->base.weights), base * sizeof (float));
  hubert_model_free (model);
  hubert_model_free (again);
}

/* ---- Folders ---- */

/* Replaces members of a JSON file by those of `text`; a null removes the member. */
static void
patch (const SmallFixture *f, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) object = segue_nn_config_read (f->folder, name, FALSE, &error);
  g_assert_no_error (error);
  json_error_t where;
  g_autoptr (json_t) changes = json_loads (text, 0, &where);
  g_assert_nonnull (changes);
  const char *key;
  json_t *value;
  json_object_foreach (changes, key, value)
  {
    if (json_is_null (value))
      json_object_del (object, key);
    else
      json_object_set (object, key, value);
  }
  g_assert_true (segue_nn_config_write (object, f->folder, name, &error));
}

static HubertModel *
load_headless (const SmallFixture *f, GError **error)
{
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .threads = 1, .rate = 16000, .headless = TRUE);
  HubertParams params = small_as_the_folder ();
  return hubert_model_load (f->folder, &params, &spec, error);
}

/* An encoder: from a folder with a head, and from one without; nothing of a head remains. */
static void
test_headless (SmallFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = small_create (f, 1);
  gsize base =
    (gsize) (model->head.projector.weight.w - segue_nn_weights_get_values (model->base.weights));
  small_save (f, model);
  for (guint bare = 0; bare < 2; bare++) {
    if (bare)
      make_base_folder (f);
    HubertModel *encoder = load_headless (f, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (encoder->base.n_labels, ==, 0);
    g_autoptr (GArray) tensors = segue_nn_model_list_tensors (encoder);
    for (guint i = 0; i < tensors->len; i++)
      g_assert_true (
        g_str_has_prefix (g_array_index (tensors, SegueModelTensor, i).name, "hubert."));
    g_assert_cmpmem (segue_nn_weights_get_values (model->base.weights), base * sizeof (float),
                     segue_nn_weights_get_values (encoder->base.weights), base * sizeof (float));
    hubert_model_free (encoder);
  }
  patch (f, "config.json", "{\"hidden_size\": 24}");
  g_assert_null (load_headless (f, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "has shape"));
  hubert_model_free (model);
}

static void
test_unknown_is_kept (SmallFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  patch (
    f, "config.json",
    "{\"license\": \"odd\", \"auto_map\": {\"AutoModel\": \"evil.Run\"}, \"mask_time_prob\": 0.0}");
  patch (f, "preprocessor_config.json", "{\"padding_side\": \"left\", \"do_normalize\": true}");
  HubertModel *again = small_load (f, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (again->encoder.standardise);
  small_save (f, again);
  g_autoptr (json_t) config = segue_nn_config_read (f->folder, "config.json", FALSE, &error);
  g_autoptr (json_t) preprocessor =
    segue_nn_config_read (f->folder, "preprocessor_config.json", FALSE, &error);
  g_assert_cmpstr (json_string_value (json_object_get (config, "license")), ==, "odd");
  g_assert_null (json_object_get (config, "auto_map"));
  g_assert_cmpstr (json_string_value (json_object_get (preprocessor, "padding_side")), ==, "left");
  g_assert_true (json_is_true (json_object_get (preprocessor, "do_normalize")));
  /* Although this config does not use it. */
  g_assert_cmpmem (model->masks.embedding.w, 12 * sizeof (float), again->masks.embedding.w,
                   12 * sizeof (float));
  hubert_model_free (model);
  hubert_model_free (again);
}

static void
put (const SmallFixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  if (!text)
    g_remove (path);
  else
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* Where transformers 4 and 5 store audio preprocessing, and which of two files is used. */
static void
test_processor (SmallFixture *f, gconstpointer data)
{
  static const struct {
    const char *processor, *preprocessor;
    gboolean normalise, assumed;
  } cases[] = {
    { NULL, "{\"do_normalize\": false}", FALSE, FALSE },
    { "{\"feature_extractor\": {\"do_normalize\": false}}", NULL, FALSE, FALSE },
    { "{\"feature_extractor\": {\"do_normalize\": false}}", "{\"do_normalize\": true}", FALSE,
      FALSE },
    { "{\"processor_class\": \"P\"}", "{\"do_normalize\": false}", FALSE, FALSE },
    { "{\"do_normalize\": false, \"sampling_rate\": 16000}", NULL, FALSE, FALSE },
    { "{\"processor_class\": \"P\"}", NULL, TRUE, TRUE },
    { NULL, "{\"sampling_rate\": 16000}", TRUE, TRUE },
    { NULL, NULL, TRUE, TRUE },
  };
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  hubert_model_free (model);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    put (f, "processor_config.json", cases[i].processor);
    put (f, "preprocessor_config.json", cases[i].preprocessor);
    model = small_load (f, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpint (model->encoder.standardise, ==, cases[i].normalise);
    g_assert_cmpint (model->assumes_normalise, ==, cases[i].assumed);
    hubert_model_free (model);
  }
  g_autoptr (GError) error = NULL;
  put (f, "processor_config.json", "{\"feature_extractor\": {\"sampling_rate\": 0}}");
  g_assert_null (small_load (f, NULL, &error));
  g_assert_nonnull (strstr (error->message, "processor_config.json"));
}

/* transformers omits the names of two unnamed classes. */
static void
test_default_labels (SmallFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  hubert_model_free (model);
  patch (f, "config.json", "{\"id2label\": null, \"label2id\": null}");
  model = small_load (f, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (model->base.n_labels, ==, 3);
  g_assert_cmpstr (model->base.labels[0], ==, "LABEL_0");
  g_assert_cmpstr (model->base.labels[2], ==, "LABEL_2");
  hubert_model_free (model);
}

/* The folder's weights in two files and an index, as save_pretrained (max_shard_size=…) writes them. */
static void
cut_weights (const SmallFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (f->folder, "model.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_autoptr (GString) index = g_string_new ("{\"metadata\": {}, \"weight_map\": {");
  gsize n;
  const SegueTensorInfo *list = segue_safetensors_list (file, &n);
  for (guint part = 0; part < 2; part++) {
    g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
    g_autofree char *name = g_strdup_printf ("model-0000%u-of-00002.safetensors", part + 1);
    g_autofree char *to = g_build_filename (f->folder, name, NULL);
    for (gsize i = part; i < n; i += 2) {
      float *values = g_new (float, list[i].n_elements);
      segue_safetensors_read_f32 (file, list[i].name, list[i].n_dims, list[i].shape, values,
                                  &error);
      segue_safetensors_writer_take_f32 (writer, list[i].name, list[i].n_dims, list[i].shape,
                                         values);
      g_string_append_printf (index, "%s\"%s\": \"%s\"",
                              index->str[index->len - 1] == '{' ? "" : ",", list[i].name, name);
    }
    segue_safetensors_writer_write (writer, to, &error);
    g_assert_no_error (error);
  }
  g_string_append (index, "}}");
  put (f, "model.safetensors.index.json", index->str);
  put (f, "model.safetensors", NULL);
}

static void
test_shards (SmallFixture *f, gconstpointer data)
{
  static const char *const bad[] = {
    "{\"weight_map\": {\"a\": \"../model-00001-of-00002.safetensors\"}}",
    "{\"weight_map\": {\"a\": \"/etc/passwd\"}}",
    "{\"weight_map\": {\"a\": \".safetensors\"}}",
    "{\"weight_map\": {\"a\": 1}}",
    "{\"weight_map\": {\"a\": \"model-00001-of-00002.bin\"}}",
    "{\"weight_map\": {}}",
    "{\"weight_map\": []}",
    "{}",
    "[]",
    "",
  };
  g_autoptr (GError) error = NULL;
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  cut_weights (f);
  HubertModel *again = small_load (f, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) before = segue_nn_model_list_tensors (model);
  g_autoptr (GArray) after = segue_nn_model_list_tensors (again);
  for (guint i = 0; i < before->len; i++) {
    const SegueModelTensor *one = &g_array_index (before, SegueModelTensor, i);
    const SegueModelTensor *other = &g_array_index (after, SegueModelTensor, i);
    gsize size = one->n_elements * sizeof (float);
    g_assert_cmpmem (one->value, size, other->value, size);
  }
  hubert_model_free (model);
  hubert_model_free (again);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    put (f, "model.safetensors.index.json", bad[i]);
    g_assert_null (small_load (f, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "index.json"));
    g_clear_error (&error);
  }
  /* The same tensors twice. */
  g_autofree char *one = g_build_filename (f->folder, "model-00001-of-00002.safetensors", NULL);
  g_autofree char *two = g_build_filename (f->folder, "model-00002-of-00002.safetensors", NULL);
  g_autofree char *bytes = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (one, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (two, bytes, (gssize) length, NULL));
  put (f, "model.safetensors.index.json",
       "{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\", "
       "\"b\": \"model-00002-of-00002.safetensors\"}}");
  g_assert_null (small_load (f, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "is in two files"));
}

/* A change of config.json, and text of the error. */
static const char *const hostile[][2] = {
  { "{\"conv_pos_batch_norm\": true}", "conv_pos_batch_norm is set" },
  { "{\"adapter_attn_dim\": 16}", "adapter_attn_dim is set" },
  { "{\"add_adapter\": true}", "add_adapter is set" },
  { "{\"quantization_config\": {\"bits\": 4}}", "quantization_config is set" },
  { "{\"model_type\": \"wav2vec2\"}", "must be hubert" },
  { "{\"model_type\": null}", "must be hubert" },
  { "{\"feat_extract_norm\": \"batch\"}", "must be ‘group’ or ‘layer’" },
  { "{\"hidden_act\": \"mish\"}", "mish" },
  { "{\"hidden_act\": 3}", "must be text" },
  { "{\"conv_bias\": 1}", "true or false" },
  { "{\"hidden_size\": 0}", "hidden_size must be" },
  { "{\"hidden_size\": -12}", "hidden_size must be" },
  { "{\"hidden_size\": 1e9}", "hidden_size must be" },
  { "{\"hidden_size\": 4611686018427387904}", "hidden_size must be" },
  { "{\"hidden_size\": 24}", "has shape" },
  { "{\"intermediate_size\": 21}", "has shape" },
  { "{\"num_hidden_layers\": 3}", "is missing" },
  { "{\"num_hidden_layers\": 100000}", "num_hidden_layers must be" },
  { "{\"num_attention_heads\": 5}", "must divide" },
  { "{\"num_conv_pos_embedding_groups\": 5}", "must divide" },
  { "{\"num_conv_pos_embeddings\": 5}", "has shape" },
  { "{\"conv_dim\": []}", "must be a list" },
  { "{\"conv_dim\": 6}", "must be a list" },
  { "{\"conv_dim\": [6, 8, 8]}", "as long as conv_dim" },
  { "{\"conv_dim\": [6, \"8\"]}", "whole numbers" },
  { "{\"conv_stride\": [5, 0]}", "whole numbers" },
  { "{\"conv_stride\": [5]}", "as long as conv_dim" },
  { "{\"conv_kernel\": null}", "conv_kernel is missing" },
  { "{\"conv_kernel\": [10, 99999]}", "whole numbers" },
  { "{\"layer_norm_eps\": 0}", "layer_norm_eps must be" },
  { "{\"hidden_dropout\": 1.5}", "hidden_dropout must be" },
  { "{\"hidden_dropout\": 1}", "less than 1" },
  { "{\"id2label\": {\"0\": \"a\", \"2\": \"c\"}}", "no text for \"1\"" },
  { "{\"id2label\": {\"0\": \"a\", \"1\": \"a\", \"2\": \"c\"}}", "twice" },
  { "{\"id2label\": {\"0\": 1}}", "no text for \"0\"" },
  { "{\"id2label\": []}", "must map" },
  { "{\"id2label\": {}}", "must map" },
  { "{\"id2label\": {\"0\": \"a\", \"1\": \"b\"}}", "no classifier" },
  { "{\"classifier_proj_size\": 6}", "no classifier" },
};

static void
test_hostile_config (SmallFixture *f, gconstpointer data)
{
  HubertModel *model = small_create (f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autoptr (GError) error = NULL;
    small_save (f, model);
    patch (f, "config.json", hostile[i][0]);
    HubertModel *loaded = small_load (f, NULL, &error);
    if (loaded)
      g_error ("accepted %s", hostile[i][0]);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    if (!strstr (error->message, hostile[i][1]))
      g_error ("%s: ‘%s’", hostile[i][0], error->message);
    g_assert_nonnull (strstr (error->message, f->folder));
  }
  hubert_model_free (model);
}

static const char *const hostile_preprocessors[][2] = {
  { "{\"sampling_rate\": 0}", "sampling_rate must be" },
  { "{\"sampling_rate\": \"16000\"}", "sampling_rate must be" },
  { "{\"feature_size\": 80}", "feature_size must be" },
  { "{\"do_normalize\": \"yes\"}", "true or false" },
  { "{\"feature_extractor_type\": \"WhisperFeatureExtractor\"}", "Wav2Vec2FeatureExtractor" },
};

static void
test_hostile_preprocessor (SmallFixture *f, gconstpointer data)
{
  HubertModel *model = small_create (f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (hostile_preprocessors); i++) {
    g_autoptr (GError) error = NULL;
    small_save (f, model);
    patch (f, "preprocessor_config.json", hostile_preprocessors[i][0]);
    g_assert_null (small_load (f, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, hostile_preprocessors[i][1]));
  }
  hubert_model_free (model);
}

static void
write_text (const SmallFixture *f, const char *name, const char *text, gssize length)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_assert_true (g_file_set_contents (path, text, length, NULL));
}

static void
expect_refusal (const SmallFixture *f, int code)
{
  g_autoptr (GError) error = NULL;
  HubertModel *loaded = small_load (f, small_labels, &error);
  g_assert_null (loaded);
  g_assert_error (error, SEGUE_ERROR, code);
  g_assert_nonnull (strstr (error->message, f->folder));
}

static void
test_hostile_files (SmallFixture *f, gconstpointer data)
{
  HubertModel *model = small_create (f, 1);
  g_autofree char *weights = g_build_filename (f->folder, "model.safetensors", NULL);
  g_autofree char *content = NULL;
  gsize length;

  expect_refusal (f, SEGUE_ERROR_NO_INPUT);
  small_save (f, model);
  g_assert_true (g_file_get_contents (weights, &content, &length, NULL));
  for (gsize cut = 0; cut < length; cut += length / 7) {
    write_text (f, "model.safetensors", content, (gssize) cut);
    expect_refusal (f, SEGUE_ERROR_DATA);
  }
  g_unlink (weights);
  expect_refusal (f, SEGUE_ERROR_NO_INPUT);
  write_text (f, "pytorch_model.bin", "PK", 2);
  expect_refusal (f, SEGUE_ERROR_DATA);

  small_save (f, model);
  write_text (f, "config.json", "{\"model_type\": \"hubert\", \"model_type\": \"hubert\"}", -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  write_text (f, "config.json", "[1, 2]", -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  write_text (f, "config.json", "", 0);
  expect_refusal (f, SEGUE_ERROR_DATA);
  g_autofree char *deep = g_strnfill (1000000, '[');
  write_text (f, "config.json", deep, -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  g_autofree char *huge = g_strnfill (9 << 20, ' ');
  write_text (f, "config.json", huge, -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  hubert_model_free (model);
}

/* A config that declares far more than the file contains is refused before memory is allocated. */
static void
test_promises (SmallFixture *f, gconstpointer data)
{
  HubertModel *model = small_create (f, 1);
  small_save (f, model);
  patch (f, "config.json",
         "{\"hidden_size\": 65536, \"intermediate_size\": 65536, \"num_hidden_layers\": 255, "
         "\"num_attention_heads\": 1, \"num_conv_pos_embedding_groups\": 1}");
  g_autoptr (GError) error = NULL;
  g_assert_null (small_load (f, small_labels, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "weights; make hidden_size"));
  hubert_model_free (model);
}

#define ADD(path, function)                                                                        \
  g_test_add (path, SmallFixture, NULL, small_set_up, function, small_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/distilhubert/labels", test_labels);
  ADD ("/distilhubert/base-model", test_base_model);
  ADD ("/distilhubert/headless", test_headless);
  ADD ("/distilhubert/folder/unknown-is-kept", test_unknown_is_kept);
  ADD ("/distilhubert/folder/processor", test_processor);
  ADD ("/distilhubert/folder/default-labels", test_default_labels);
  ADD ("/distilhubert/folder/shards", test_shards);
  ADD ("/distilhubert/folder/hostile-config", test_hostile_config);
  ADD ("/distilhubert/folder/hostile-preprocessor", test_hostile_preprocessor);
  ADD ("/distilhubert/folder/hostile-files", test_hostile_files);
  ADD ("/distilhubert/folder/promises", test_promises);
  return g_test_run ();
}
