/* Bytes that a stage makes of songs, by the songs' content. */
#include "host/derived.h"
#include "base/sha256.h"
#include "item/item-private.h"
#include "store/contents.h"
#include "store/key.h"

enum { CODE, DECODE, N_COMPONENTS };

struct _SegueDerived {
  SegueContext *context;
  const SegueGraphStage *decode;
  SegueStore *store;
  char *components[N_COMPONENTS]; /* CODE and DECODE: NULL: not known yet */
  /* The song that was sought last. */
  char *path, *content;
  SegueFileStamp stamp;
  gboolean is_full; /* nothing more can be stored */
};

SegueDerived *
segue_derived_new (SegueContext *context, const SegueGraphStage *decode)
{
  const SegueScope *scope = context->scope;
  SegueStore *store =
    scope->host && scope->host->get_store ? scope->host->get_store (scope->host_data) : NULL;
  if (!store)
    return NULL;
  SegueDerived *derived = g_new0 (SegueDerived, 1);
  derived->context = context;
  derived->decode = decode;
  derived->store = store;
  return derived;
}

void
segue_derived_free (SegueDerived *derived)
{
  if (!derived)
    return;
  g_free (derived->components[CODE]);
  g_free (derived->components[DECODE]);
  g_free (derived->path);
  g_free (derived->content);
  g_free (derived);
}

/* ---- Keys ---- */

static gboolean
describe_code (SegueDerived *derived, GCancellable *cancellable, GError **error)
{
  const SegueKeyScope scope = { .registry = derived->context->scope->registry,
                                .contents = segue_store_get_contents_folder (derived->store),
                                .cancellable = cancellable };
  if (!derived->components[CODE])
    derived->components[CODE] = segue_key_of_code (derived->context->stage, &scope, error);
  if (derived->components[CODE] && !derived->components[DECODE])
    derived->components[DECODE] = segue_key_component (derived->decode, &scope, error);
  return derived->components[DECODE] != NULL;
}

/* The content of the file at @path, which is that of the last call if it is the same song. %FALSE without @error: the
 * file can't be read; the code that decodes it reports a better error. */
static gboolean
find_content (SegueDerived *derived, const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (g_strcmp0 (derived->path, path) == 0)
    return TRUE;
  g_clear_pointer (&derived->path, g_free);
  g_clear_pointer (&derived->content, g_free);
  derived->content = segue_contents_key (segue_store_get_contents_folder (derived->store), path,
                                         &derived->stamp, cancellable, &local);
  if (derived->content)
    derived->path = g_strdup (path);
  else if (!segue_error_is_about_item (local))
    g_propagate_error (error, g_steal_pointer (&local));
  return derived->content != NULL;
}

/* (transfer full): of the song that was sought last. */
static char *
find_key (const SegueDerived *derived, const char *what)
{
  g_autofree char *code = segue_sha256_join ("segue derived 1", derived->components[CODE]);
  g_autofree char *decoded = segue_sha256_join (code, derived->components[DECODE]);
  g_autofree char *song = segue_sha256_join (decoded, derived->content);
  return segue_sha256_join (song, what);
}

/* ---- From a record ---- */

/* %NULL with or without an error: not such a record. */
static GBytes *
read_bytes (SegueDerived *derived, const SegueRecord *record, GError **error)
{
  const SegueItemForm *form =
    record->items->len == 1 ? &g_array_index (record->items, SegueItemForm, 0) : NULL;
  if (!form || form->kind != SEGUE_KIND_TENSOR || form->dtype != SEGUE_DTYPE_U8)
    return NULL;
  g_autofree char *path = segue_store_get_path (derived->store, record->key);
  g_autoptr (SegueStorage) storage = segue_storage_new_path (path);
  const SegueExtent extent = segue_item_form_locate (form, storage);
  return segue_extent_read (&extent, error);
}

GBytes *
segue_derived_find (SegueDerived *derived, const char *path, const char *what,
                    GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *problem = NULL;
  if (!describe_code (derived, cancellable, error) ||
      !find_content (derived, path, cancellable, error))
    return NULL;
  g_autofree char *key = find_key (derived, what);
  g_autoptr (SegueRecord) record = segue_store_read (derived->store, key, TRUE, &problem, error);
  segue_store_forget (derived->store, key);
  GBytes *bytes = record ? read_bytes (derived, record, &local) : NULL;
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    g_propagate_error (error, g_steal_pointer (&local));
  return bytes;
}

/* ---- To a record ---- */

gboolean
segue_derived_keep (SegueDerived *derived, const char *path, const char *what, GBytes *bytes,
                    GError **error)
{
  const gsize n = g_bytes_get_size (bytes);
  if (g_strcmp0 (derived->path, path) != 0 || derived->is_full)
    return TRUE;
  if (!segue_contents_check (path, &derived->stamp, error))
    return FALSE;
  g_autoptr (GError) local = NULL;
  g_autofree char *key = find_key (derived, what);
  /* Records do not contain the song's name. */
  g_autoptr (SegueItem) song = segue_item_new_file ("song", path);
  segue_item_seal (song);
  g_autoptr (SegueItem) item =
    segue_item_new_tensor (SEGUE_KIND_TENSOR, song, NULL, bytes, SEGUE_DTYPE_U8, 1, &n);
  const char *const components[] = { derived->components[CODE], derived->components[DECODE], what,
                                     NULL };
  const SegueRecordContent content = { .key = key,
                                       .components = components,
                                       .items = &item,
                                       .inputs = &song,
                                       .n_items = 1,
                                       .n_inputs = 1 };
  /* If the disk is full for one song, it is for the next. */
  derived->is_full = !segue_store_write (derived->store, &content, &local);
  if (derived->is_full)
    segue_context_log (derived->context, G_LOG_LEVEL_WARNING,
                       "results for songs are not cached: %s", local->message);
  else
    segue_store_forget (derived->store, key);
  return TRUE;
}
