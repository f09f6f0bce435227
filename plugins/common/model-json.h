/* Reading a stranger's JSON: bounded files, typed members, errors that name file and key. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

/* The object in @folder/@name; %NULL with @error, or without one where the file is missing and
 * @optional. */
json_t *model_json_read (const char *folder, const char *name, gboolean optional, GError **error);
/* Written to a temporary file, synced and renamed. */
gboolean model_json_write (const json_t *object, const char *folder, const char *name,
                           GError **error);

/* Members of @object; a missing one, or null, leaves @value alone.  @where: the file's name. */
gboolean model_json_get_size (const json_t *object, const char *where, const char *key, gsize min,
                              gsize max, gsize *value, GError **error);
gboolean model_json_get_number (const json_t *object, const char *where, const char *key,
                                double min, double max, double *value, GError **error);
gboolean model_json_get_bool (const json_t *object, const char *where, const char *key,
                              gboolean *value, GError **error);
/* (transfer none) */
gboolean model_json_get_string (const json_t *object, const char *where, const char *key,
                                const char **value, GError **error);

/* "‹where›: ‹key› …", %SEGUE_ERROR_DATA; always %FALSE. */
gboolean model_json_refuse (GError **error, const char *where, const char *key, const char *format,
                            ...) G_GNUC_PRINTF (4, 5);
