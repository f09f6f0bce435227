/* Keys: SHA-256 over all that a result depends on. */
#include "key.h"
#include "contents.h"

#include <segue/version.h>
#include <string.h>

char *
segue_key_component (const SegueGraphStage *stage, guint64 run_seed)
{
  const SegueStageType *type = stage->type;
  g_autofree char *fingerprint = type->fingerprint ? type->fingerprint (stage->config) : NULL;
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "abi %d\ntype %s\nversion %u\nparams %s\nfingerprint %s\n",
                          SEGUE_ABI_MAJOR, type->name, type->result_version, stage->canonical,
                          fingerprint ? fingerprint : "");
  if (type->flags & SEGUE_STAGE_SEEDED)
    g_string_append_printf (text, "seed %" G_GUINT64_FORMAT " %u\n", run_seed, stage->ordinal);
  /* Records keep it as text, and a plugin may say anything. */
  char *valid = g_utf8_make_valid (text->str, (gssize) text->len);
  g_string_free (text, TRUE);
  return valid;
}

char *
segue_key_join (const char *previous, const char *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, (const guchar *) previous, -1);
  g_checksum_update (checksum, (const guchar *) "\n", 1);
  g_checksum_update (checksum, (const guchar *) text, -1);
  return g_strdup (g_checksum_get_string (checksum));
}

gboolean
segue_key_is_valid (const char *key)
{
  return strlen (key) == 64 && strspn (key, "0123456789abcdef") == 64;
}

char *
segue_key_of_payload (SegueItem *entry, GError **error)
{
  if (entry->key)
    return g_strdup_printf ("%s/%u", entry->key, entry->key_index);
  if (!segue_kind_has_bytes (entry->kind)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "‘%s’ of kind %s has no key", entry->id,
                 segue_kind_to_string (entry->kind));
    return NULL;
  }
  g_autoptr (SegueItem) item = segue_item_load (entry, error);
  if (!item)
    return NULL;
  g_autofree char *content = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, item->bytes);
  GString *key = g_string_new (content);
  g_string_append_printf (key, " %u %u %u", item->rate, item->channels, item->dtype);
  for (guint i = 0; i < item->rank; i++)
    g_string_append_printf (key, " %" G_GSIZE_FORMAT, item->shape[i]);
  return g_string_free (key, FALSE);
}

char *
segue_key_of_song (SegueItem *const *entries, char *const *contents, guint n)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < n; i++) {
    const char *suffix = segue_item_get_suffix (entries[i]);
    g_string_append_printf (text, "%s %s %s\n", segue_kind_to_string (entries[i]->kind),
                            contents[i], suffix ? suffix : entries[i]->id);
  }
  return segue_key_join ("segue song 1", text->str);
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
      else if ((value = segue_metadata_get (entries[i]->metadata, names[j])))
        g_variant_ref (value);
      g_autofree char *printed = value ? g_variant_print (value, TRUE) : g_strdup ("-");
      g_string_append_printf (text, "%s=%s\n", names[j], printed);
    }
  return segue_key_join (key, text->str);
}

static void
hash_text (GChecksum *checksum, const char *text)
{
  /* With its end, so that no two lists of texts run together the same way. */
  g_checksum_update (checksum, (const guchar *) text, (gssize) strlen (text) + 1);
}

static char *
content_of (SegueItem *entry, const char *contents, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  SegueFileStamp stamp;
  if (entry->key || entry->kind != SEGUE_KIND_FILE)
    return segue_key_of_payload (entry, error);
  char *key = segue_contents_key (contents, entry->path, &stamp, cancellable, &local);
  if (key)
    return key;
  /* What can't be read is for the stage to find out. */
  if (segue_error_is_about_item (local))
    return g_strdup ("unreadable");
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

static gboolean
hash_dataset (GChecksum *checksum, SegueDataset *dataset, const char *contents,
              GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *entry = segue_dataset_get_entry (dataset, i);
    g_autofree char *content = content_of (entry, contents, cancellable, error);
    if (!content)
      return FALSE;
    hash_text (checksum, entry->id);
    hash_text (checksum, content);
    g_autoptr (GVariant) metadata = segue_metadata_to_variant (entry->metadata, FALSE);
    GVariantIter iter;
    const char *key;
    GVariant *value;
    g_variant_iter_init (&iter, metadata);
    while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
      if (g_str_equal (key, SEGUE_META_SOURCE))
        continue;
      g_autofree char *printed = g_variant_print (value, TRUE);
      hash_text (checksum, key);
      hash_text (checksum, printed);
    }
  }
  return TRUE;
}

char *
segue_key_of_stage (const SegueGraphStage *stage, guint64 run_seed, SegueDataset *const *inputs,
                    const char *contents, GCancellable *cancellable, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *component = segue_key_component (stage, run_seed);
  g_autofree char *seed =
    g_strdup_printf ("seed %" G_GUINT64_FORMAT " %u", run_seed, stage->ordinal);
  hash_text (checksum, component);
  hash_text (checksum, seed);
  for (guint i = 0; i < stage->n_inputs; i++) {
    hash_text (checksum, stage->inputs[i].port->name);
    if (!inputs[i])
      continue;
    const SegueGraphStage *const *live = NULL;
    guint n_live = 0;
    segue_dataset_get_live (inputs[i], &live, &n_live);
    for (guint j = 0; j < n_live; j++) {
      g_autofree char *text = segue_key_component (live[j], run_seed);
      hash_text (checksum, text);
    }
    if (!hash_dataset (checksum, inputs[i], contents, cancellable, error))
      return NULL;
  }
  return g_strdup (g_checksum_get_string (checksum));
}
