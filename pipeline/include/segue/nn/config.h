/* Reading of config.json and similar, untrusted files in a model folder: limits of size, typed members, errors that
 * name file and key. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <segue/nn/activation.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** segue_nn_config_read: (transfer full): the object in @folder/@name; %NULL with @error, or without one if
 * @optional is set and there is no such file. */
SEGUE_API json_t *segue_nn_config_read (const char *folder, const char *name, gboolean optional,
                                        GError **error);
/** segue_nn_config_write: @folder/@name, replaced as a whole. */
SEGUE_API gboolean segue_nn_config_write (const json_t *object, const char *folder,
                                          const char *name, GError **error);

/* Members of @object; a missing one, or null, does not change @value. @where: the file, for messages. */
SEGUE_API gboolean segue_nn_config_get_size (const json_t *object, const char *where,
                                             const char *key, gsize min, gsize max, gsize *value,
                                             GError **error);
SEGUE_API gboolean segue_nn_config_get_number (const json_t *object, const char *where,
                                               const char *key, double min, double max,
                                               double *value, GError **error);
SEGUE_API gboolean segue_nn_config_get_bool (const json_t *object, const char *where,
                                             const char *key, gboolean *value, GError **error);
/** segue_nn_config_get_string: (transfer none). */
SEGUE_API gboolean segue_nn_config_get_string (const json_t *object, const char *where,
                                               const char *key, const char **value, GError **error);
/** segue_nn_config_get_choice: @index of the value in @names (%NULL-terminated). */
SEGUE_API gboolean segue_nn_config_get_choice (const json_t *object, const char *where,
                                               const char *key, const char *const *names,
                                               guint *index, GError **error);
/** segue_nn_config_get_activation: by its name in transformers. */
SEGUE_API gboolean segue_nn_config_get_activation (const json_t *object, const char *where,
                                                   const char *key, SegueNnActivation *activation,
                                                   GError **error);
/** segue_nn_config_get_sizes: a list of 1…@max_n whole numbers; @n is set to their number. */
SEGUE_API gboolean segue_nn_config_get_sizes (const json_t *object, const char *where,
                                              const char *key, gsize min, gsize max, guint max_n,
                                              gsize *values, guint *n, GError **error);

/** segue_nn_config_refuse: sets "‘@where’: @key …", %SEGUE_ERROR_DATA; returns %FALSE. @key: (nullable) */
SEGUE_API gboolean segue_nn_config_refuse (GError **error, const char *where, const char *key,
                                           const char *format, ...) G_GNUC_PRINTF (4, 5);

#define SEGUE_NN_MAX_LABELS ((gsize) 100000)

/** segue_nn_config_get_labels: (transfer full) (nullable): id2label, in the order of the logits, %NULL-terminated;
 * %NULL without @error if @config has none. */
SEGUE_API char **segue_nn_config_get_labels (const json_t *config, const char *where,
                                             GError **error);
/** segue_nn_config_set_labels: sets id2label, label2id and related members. */
SEGUE_API void segue_nn_config_set_labels (json_t *config, const char *const *labels);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

G_END_DECLS
