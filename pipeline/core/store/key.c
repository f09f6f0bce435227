/* Keys: SHA-256 of everything that a result depends on. */
#include "store/key.h"
#include "base/build.h"
#include "base/sha256.h"
#include "params/params.h"
#include "store/contents.h"
#include "store/tree.h"

#include <segue/model.h>
#include <string.h>

/* Represents the file, folder or model at @path. */
static char *
content_of_path (const SegueParam *row, const char *path, gpointer data, GError **error)
{
  const SegueKeyScope *scope = data;
  SegueFileStamp stamp;
  g_autofree char *resolved =
    row->type == SEGUE_PARAM_MODEL_REF ? segue_model_ref_resolve (path, error) : g_strdup (path);
  if (!resolved)
    return NULL;
  if (!g_file_test (resolved, G_FILE_TEST_IS_DIR))
    return segue_contents_key (scope->contents, resolved, &stamp, scope->cancellable, error);
  g_autoptr (GPtrArray) files =
    segue_tree_list (resolved, scope->contents, TRUE, scope->cancellable, error);
  return files ? segue_tree_key (files, "", NULL) : NULL;
}

/* A stage whose code was rebuilt may give another result, even with the same versions. */
static char *
build_of (const SegueStageType *type)
{
  void (*code) (void) = type->mode == SEGUE_MODE_SOURCE    ? (void (*) (void)) type->produce
                        : type->mode == SEGUE_MODE_COLLECT ? (void (*) (void)) type->collect
                                                           : (void (*) (void)) type->process;
  return segue_build_of (code);
}

/* Of `decode`: its output depends on the decoders that it tries, in their order. */
static char *
fingerprint_decoders (const SegueGraphStage *stage, const SegueKeyScope *scope, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < stage->decoders->len; i++) {
    g_autofree char *component =
      segue_key_component (g_ptr_array_index (stage->decoders, i), scope, error);
    if (!component)
      return NULL;
    g_string_append_printf (text, "%s; ", g_strdelimit (component, "\n", ' '));
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
fingerprint_of (const SegueGraphStage *stage, const SegueKeyScope *scope, GError **error)
{
  if (stage->decoders)
    return fingerprint_decoders (stage, scope, error);
  char *text = stage->type->fingerprint ? stage->type->fingerprint (stage->config) : NULL;
  return text ? text : g_strdup ("");
}

char *
segue_key_component (const SegueGraphStage *stage, const SegueKeyScope *scope, GError **error)
{
  const SegueStageType *type = stage->type;
  g_autofree char *fingerprint = fingerprint_of (stage, scope, error);
  if (!fingerprint)
    return NULL;
  g_autofree char *params =
    segue_params_key (type->params, stage->config, content_of_path, (gpointer) scope, error);
  if (!params)
    return NULL;
  g_autofree char *build = build_of (type);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (
    text, "abi %d\ntype %s\nversion %u\nbuild %s\nparams %s\nfingerprint %s\n", SEGUE_ABI_MAJOR,
    type->name, type->result_version, build, params, fingerprint);
  if (segue_stage_type_makes_copies (type))
    g_string_append_printf (text, "copies %u\n", stage->copies);
  if (type->flags & SEGUE_STAGE_SEEDED) {
    g_string_append_printf (text, "seed %" G_GUINT64_FORMAT, scope->seed);
    if (stage->seed != SEGUE_UNSET_INT)
      g_string_append_printf (text, " %" G_GINT64_FORMAT, stage->seed);
    g_string_append_c (text, '\n');
  }
  /* Records store it as text, and a plugin may return any bytes. */
  return g_utf8_make_valid (text->str, (gssize) text->len);
}

char *
segue_key_of_code (const SegueGraphStage *stage, const SegueKeyScope *scope, GError **error)
{
  const SegueStageType *type = stage->type;
  g_autofree char *fingerprint = fingerprint_of (stage, scope, error);
  if (!fingerprint)
    return NULL;
  g_autofree char *build = build_of (type);
  g_autofree char *text =
    g_strdup_printf ("abi %d\ntype %s\nversion %u\nbuild %s\nfingerprint %s\n", SEGUE_ABI_MAJOR,
                     type->name, type->result_version, build, fingerprint);
  return g_utf8_make_valid (text, -1);
}

char *
segue_key_of_bytes (const SegueItem *item)
{
  gsize size;
  const void *data = g_bytes_get_data (item->bytes, &size);
  g_autofree char *content = segue_sha256_of (data, size);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "%s %s %u %u %u", segue_kind_to_string (item->body->kind), content,
                          item->body->rate, item->body->channels, item->body->dtype);
  for (guint i = 0; i < item->body->rank; i++)
    g_string_append_printf (text, " %" G_GSIZE_FORMAT, item->body->shape[i]);
  return segue_sha256_join ("segue bytes 1", text->str);
}

char *
segue_key_of_payload (SegueItem *entry, GError **error)
{
  if (entry->body->key)
    return g_strdup_printf ("%s/%u", entry->body->key, entry->body->key_index);
  if (!segue_kind_has_bytes (entry->body->kind)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "‘%s’ of kind %s has no key",
                 entry->body->id, segue_kind_to_string (entry->body->kind));
    return NULL;
  }
  g_autoptr (SegueItem) item = segue_item_load (entry, error);
  return item ? segue_key_of_bytes (item) : NULL;
}

char *
segue_key_of_song (SegueItem *const *entries, char *const *contents, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < n; i++) {
    const char *suffix = segue_item_get_suffix (entries[i]);
    g_string_append_printf (text, "%s %s %s\n", segue_kind_to_string (entries[i]->body->kind),
                            contents[i], suffix ? suffix : entries[i]->body->id);
  }
  return segue_sha256_join ("segue song 1", text->str);
}

char *
segue_key_with_reads (const char *key, const char *const *names, SegueItem *const *entries, guint n)
{
  g_autoptr (GString) text = g_string_new ("reads\n");
  for (guint i = 0; i < n; i++)
    for (guint j = 0; names[j]; j++) {
      gboolean all = g_str_equal (names[j], "*");
      g_autoptr (GVariant) value = NULL;
      if (all)
        value = segue_metadata_to_variant (entries[i]->metadata, FALSE);
      else
        value = segue_metadata_get (entries[i]->metadata, names[j]);
      g_autofree char *printed = value ? g_variant_print (value, TRUE) : g_strdup ("-");
      g_string_append_printf (text, "%s=%s\n", names[j], printed);
    }
  return segue_sha256_join (key, text->str);
}
