/* Keys of SERIAL and COLLECT stages: what they are made of, each part by itself. */
#include "run/stage-key.h"
#include "base/sha256.h"
#include "model/model-private.h"
#include "model/preparation.h"
#include "params/model-version.h"
#include "stage/dataset-private.h"
#include "store/contents.h"

#include <string.h>

struct _SegueStageKey {
  const SegueGraphStage *stage;
  const SegueKeyScope *scope;
  SegueDataset **inputs;
  char *base;
  GPtrArray *components, *names; /* char *, NULL-terminated when finished */
  GHashTable *songs;             /* id → digest */
  GPtrArray *song_ids;           /* borrowed from @songs, in order */
  GHashTable *reads;             /* metadata name → digest */
};

void
segue_stage_key_free (SegueStageKey *key)
{
  if (!key)
    return;
  for (guint i = 0; i < key->stage->n_inputs; i++)
    segue_dataset_unref (key->inputs[i]);
  g_free (key->inputs);
  g_free (key->base);
  g_ptr_array_unref (key->components);
  g_ptr_array_unref (key->names);
  g_ptr_array_unref (key->song_ids);
  g_hash_table_unref (key->songs);
  g_hash_table_unref (key->reads);
  g_free (key);
}

static void
hash_text (struct sha256_ctx *sha, const char *text)
{
  /* With its final zero, so that different lists never join to the same bytes. */
  sha256_update (sha, strlen (text) + 1, (const guint8 *) text);
}

/* The code that reads a model is not part of it, but of the key. */
static char *
key_of_model (SegueStageKey *key, SegueItem *entry, GError **error)
{
  g_autofree char *content = segue_key_of_payload (entry, error);
  if (!content || entry->body->kind != SEGUE_KIND_MODEL)
    return g_steal_pointer (&content);
  const SegueModelType *type =
    segue_model_find_type (key->scope->registry, entry->body->path, NULL);
  g_autofree char *fingerprint = type ? segue_model_type_fingerprint (type) : NULL;
  return g_strdup_printf ("%s %s %u %s", content, type ? type->name : "?",
                          type ? type->result_version : 0, fingerprint ? fingerprint : "");
}

static char *
content_of (SegueStageKey *key, SegueItem *entry, GError **error)
{
  g_autoptr (GError) local = NULL;
  SegueFileStamp stamp;
  if (!segue_kind_has_bytes (entry->body->kind) && entry->body->kind != SEGUE_KIND_FILE)
    return key_of_model (key, entry, error);
  if (entry->body->kind != SEGUE_KIND_FILE)
    return segue_key_of_payload (entry, error);
  char *content = segue_contents_key (key->scope->contents, entry->body->path, &stamp,
                                      key->scope->cancellable, &local);
  if (content)
    return content;
  /* Unreadable files are left for the stage to report. */
  if (segue_error_is_about_item (local))
    return g_strdup ("unreadable");
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

static void
add_component (SegueStageKey *key, const char *name, char *component)
{
  g_ptr_array_add (key->names, g_strdup (name));
  g_ptr_array_add (key->components, component);
}

/* One song of an input: of the same song on several ports, all count. */
static gboolean
add_song (SegueStageKey *key, guint port, guint first, guint end, GError **error)
{
  SegueDataset *dataset = key->inputs[port];
  const char *song = segue_dataset_get_entry (dataset, first)->body->song;
  const char *before = g_hash_table_lookup (key->songs, song);
  struct sha256_ctx sha;
  sha256_init (&sha);
  hash_text (&sha, before ? before : "");
  hash_text (&sha, key->stage->inputs[port].port->name);
  for (guint i = first; i < end; i++) {
    SegueItem *entry = segue_dataset_get_entry (dataset, i);
    g_autofree char *content = content_of (key, entry, error);
    if (!content)
      return FALSE;
    hash_text (&sha, segue_kind_to_string (entry->body->kind));
    hash_text (&sha, entry->body->id);
    hash_text (&sha, content);
  }
  char *id = g_strdup (song);
  if (!before)
    g_ptr_array_add (key->song_ids, id);
  g_hash_table_insert (key->songs, id, segue_sha256_finish (&sha));
  return TRUE;
}

/* Models, metrics and summaries count as a whole: "the model of stage 'train' changed". */
static gboolean
add_folders (SegueStageKey *key, guint port, const char *producer, GError **error)
{
  SegueDataset *dataset = key->inputs[port];
  struct sha256_ctx sha;
  sha256_init (&sha);
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *entry = segue_dataset_get_entry (dataset, i);
    g_autofree char *content = content_of (key, entry, error);
    if (!content)
      return FALSE;
    hash_text (&sha, entry->body->id);
    hash_text (&sha, content);
  }
  g_autofree char *digest = segue_sha256_finish (&sha);
  const SegueGraphInput *input = &key->stage->inputs[port];
  add_component (key, producer ? producer : input->port->name,
                 g_strdup_printf ("%s %s\n", segue_kind_to_string (input->kind), digest));
  return TRUE;
}

static gboolean
add_input (SegueStageKey *key, guint port, const char *producer, GError **error)
{
  SegueDataset *dataset = key->inputs[port];
  const SegueGraphStage *const *live = NULL;
  SeguePreparation *preparation = segue_dataset_get_preparation (dataset);
  guint n_live = 0, length = segue_dataset_get_length (dataset);
  segue_dataset_get_live (dataset, &live, &n_live);
  for (guint i = 0; i < n_live; i++) {
    g_autofree char *component = segue_key_component (live[i], key->scope, error);
    if (!component)
      return FALSE;
    const char *name = key->stage->inputs[port].port->name;
    add_component (key, live[i]->id, g_strdup_printf ("%sport %s\n", component, name));
  }
  if (preparation)
    add_component (
      key, producer ? producer : key->stage->id,
      g_strdup_printf ("preparation %s\n", segue_preparation_get_stages (preparation)));
  SegueKind kind = key->stage->inputs[port].kind;
  if (kind == SEGUE_KIND_MODEL || kind == SEGUE_KIND_METRICS || kind == SEGUE_KIND_SUMMARY)
    return add_folders (key, port, producer, error);
  for (guint first = 0; first < length;) {
    guint end = segue_dataset_get_song_end (dataset, first);
    if (!add_song (key, port, first, end, error))
      return FALSE;
    first = end;
    if (kind == SEGUE_KIND_FILE && key->scope->hashed)
      key->scope->hashed (key->scope->hashed_data, key->stage, first, length);
  }
  return TRUE;
}

static char *
compute_base (SegueStageKey *key)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  hash_text (&sha, "segue stage 1");
  for (guint i = 0; i < key->components->len; i++)
    hash_text (&sha, g_ptr_array_index (key->components, i));
  hash_text (&sha, "songs");
  for (guint i = 0; i < key->song_ids->len; i++) {
    const char *id = g_ptr_array_index (key->song_ids, i);
    hash_text (&sha, id);
    hash_text (&sha, g_hash_table_lookup (key->songs, id));
  }
  return segue_sha256_finish (&sha);
}

SegueStageKey *
segue_stage_key_new (const SegueGraphStage *stage, SegueDataset *const *inputs,
                     const char *const *producers, const SegueKeyScope *scope, GError **error)
{
  g_autoptr (SegueStageKey) key = g_new0 (SegueStageKey, 1);
  key->stage = stage;
  key->scope = scope;
  key->components = g_ptr_array_new_with_free_func (g_free);
  key->names = g_ptr_array_new_with_free_func (g_free);
  key->songs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  key->song_ids = g_ptr_array_new ();
  key->reads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  key->inputs = g_new0 (SegueDataset *, stage->n_inputs + 1);
  char *component = segue_key_component (stage, scope, error);
  if (!component)
    return NULL;
  add_component (key, stage->id, component);
  for (guint i = 0; i < stage->n_inputs; i++) {
    if (!inputs[i])
      continue;
    key->inputs[i] = segue_dataset_ref (inputs[i]);
    if (!add_input (key, i, producers[i], error))
      return NULL;
  }
  key->base = compute_base (key);
  g_ptr_array_add (key->components, NULL);
  g_ptr_array_add (key->names, NULL);
  return g_steal_pointer (&key);
}

const char *
segue_stage_key_get_base (SegueStageKey *key)
{
  return key->base;
}

static void
hash_value (struct sha256_ctx *sha, GVariant *value)
{
  if (!value) {
    hash_text (sha, "-");
    return;
  }
  hash_text (sha, g_variant_get_type_string (value));
  guint64 size = g_variant_get_size (value);
  sha256_update (sha, sizeof size, (const guint8 *) &size);
  if (size > 0)
    sha256_update (sha, (gsize) size, g_variant_get_data (value));
}

static void
hash_all (struct sha256_ctx *sha, SegueItem *entry, const char *but)
{
  g_autoptr (GVariant) all = segue_metadata_to_variant (entry->metadata, FALSE);
  GVariantIter iter;
  const char *name;
  GVariant *value;
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    if (g_strcmp0 (name, but) == 0)
      continue;
    hash_text (sha, name);
    hash_value (sha, value);
  }
  hash_text (sha, "");
}

/* @name: "*": all but @but. */
static char *
digest_values (SegueStageKey *key, const char *name, const char *but)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  for (guint i = 0; i < key->stage->n_inputs; i++) {
    guint length = key->inputs[i] ? segue_dataset_get_length (key->inputs[i]) : 0;
    for (guint j = 0; j < length; j++) {
      SegueItem *entry = segue_dataset_get_entry (key->inputs[i], j);
      if (g_str_equal (name, "*")) {
        hash_all (&sha, entry, but);
      } else {
        g_autoptr (GVariant) value = segue_metadata_get (entry->metadata, name);
        hash_value (&sha, value);
      }
    }
  }
  return segue_sha256_finish (&sha);
}

const char *
segue_stage_key_digest_read (SegueStageKey *key, const char *name)
{
  const char *known = g_hash_table_lookup (key->reads, name);
  if (known)
    return known;
  char *digest = digest_values (key, name, NULL);
  g_hash_table_insert (key->reads, g_strdup (name), digest);
  return digest;
}

char *
segue_stage_key_with_reads (SegueStageKey *key, const char *const *names)
{
  g_autoptr (GString) text = g_string_new ("reads\n");
  for (guint i = 0; names[i]; i++)
    g_string_append_printf (text, "%s %s\n", segue_stage_key_digest_read (key, names[i]), names[i]);
  return segue_sha256_join (key->base, text->str);
}

char *
segue_stage_key_of_work (SegueStageKey *key)
{
  g_autofree char *digest = digest_values (key, "*", SEGUE_META_SOURCE);
  return segue_sha256_join (key->base, digest);
}

const char *const *
segue_stage_key_get_components (SegueStageKey *key)
{
  return (const char *const *) key->components->pdata;
}

const char *const *
segue_stage_key_get_names (SegueStageKey *key)
{
  return (const char *const *) key->names->pdata;
}

GHashTable *
segue_stage_key_get_songs (SegueStageKey *key)
{
  return key->songs;
}
