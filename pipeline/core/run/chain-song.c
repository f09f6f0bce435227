/* One song: look it up, else carry it through the chain and store the output. */
#include "run/chain-song.h"
#include "base/sha256.h"
#include "item/item-error.h"
#include "store/contents.h"
#include "store/key.h"

#include <string.h>

/* Stands for the song's name in the message of a stored failure: another song with the same bytes,
 * or the same one moved, has another name. */
#define HERE "\x1f"

/* The current song. */
typedef struct {
  const SegueChainPlan *plan;
  SegueItem *const *entries;
  guint n;
  SegueFileStamp *stamps; /* of files */
  GStrv contents;         /* payload keys */
  char *key;              /* the chain's result for these bytes */
  GStrv known_reads;      /* nullable: metadata that results at @key depend on */
  GCancellable *cancellable;
} Job;

void
segue_chain_song_clear (SegueChainSong *song)
{
  g_clear_pointer (&song->entries, g_ptr_array_unref);
  g_clear_error (&song->error);
  g_clear_pointer (&song->counts, g_array_unref);
  g_clear_pointer (&song->problem, g_free);
  g_clear_pointer (&song->input_key, g_free);
}

static void
clear_job (Job *job)
{
  g_free (job->stamps);
  g_strfreev (job->contents);
  g_free (job->key);
  g_strfreev (job->known_reads);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, clear_job)

/* The key includes the song's id if a stage draws random numbers: equal bytes, other numbers. */
static char *
chain_key (const SegueChainPlan *plan, const char *input_key, const char *song)
{
  char *key = g_strdup (input_key);
  for (guint i = 0; i < plan->n_stages; i++) {
    gboolean seeded = (plan->stages[i]->type->flags & SEGUE_STAGE_SEEDED) != 0;
    g_autofree char *component =
      g_strconcat (plan->components[i], seeded ? "song " : NULL, song, NULL);
    g_autofree char *previous = key;
    key = segue_sha256_join (previous, component);
  }
  return key;
}

static gboolean
find_keys (Job *job, SegueChainSong *song, GError **error)
{
  const char *folder = segue_store_get_contents_folder (job->plan->store);
  job->stamps = g_new0 (SegueFileStamp, job->n);
  job->contents = g_new0 (char *, job->n + 1);
  for (guint i = 0; i < job->n; i++) {
    SegueItem *entry = job->entries[i];
    job->contents[i] =
      entry->body->kind == SEGUE_KIND_FILE
        ? segue_contents_key (folder, entry->body->path, &job->stamps[i], job->cancellable, error)
        : segue_key_of_payload (entry, error);
    if (!job->contents[i])
      return FALSE;
  }
  song->input_key = segue_key_of_song (job->entries, job->contents, job->n);
  job->key = chain_key (job->plan, song->input_key, job->entries[0]->body->song);
  return TRUE;
}

/* An index entry for what @stored describes, joined with the metadata that its origin has now. */
static SegueItem *
join (Job *job, GRefString *key, guint index, const SegueItemForm *stored, SegueStorage *storage)
{
  SegueItem *origin = job->entries[stored->origin];
  g_autoptr (SegueItem) item = segue_item_form_join (stored, origin);
  if (stored->kind == SEGUE_KIND_FILE)
    item->body->path = g_ref_string_acquire (origin->body->path);
  else
    item->body->key = g_ref_string_acquire (key);
  item->body->key_index = index;
  SegueExtent extent = segue_item_form_locate (stored, storage);
  return segue_item_copy_as_entry (item, &extent);
}

static GPtrArray *
join_all (Job *job, const SegueRecord *record)
{
  g_autofree char *path = segue_store_get_path (job->plan->store, record->key);
  g_autoptr (SegueStorage) storage = segue_storage_new_path (path);
  g_autoptr (GRefString) key = g_ref_string_new (record->key);
  g_autoptr (GPtrArray) entries =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < record->items->len; i++) {
    const SegueItemForm *stored = &g_array_index (record->items, SegueItemForm, i);
    if (stored->origin >= job->n)
      return NULL;
    SegueKind from = job->entries[stored->origin]->body->kind;
    if (stored->kind == SEGUE_KIND_FILE && from != SEGUE_KIND_FILE)
      return NULL;
    g_ptr_array_add (entries, join (job, key, i, stored, storage));
  }
  return g_steal_pointer (&entries);
}

static GError *
recall_failure (Job *job, const GError *kept)
{
  g_autoptr (GString) message = g_string_new (kept->message);
  g_string_replace (message, HERE, segue_item_get_song (job->entries[0]), 0);
  return g_error_new_literal (kept->domain, kept->code, message->str);
}

/* @error, calling the song @name. */
static GError *
name_song (Job *job, const GError *error, const char *name)
{
  const SegueItem *entry = job->entries[0];
  return segue_error_name_item (error, segue_item_get_song (entry), entry->body->path, name);
}

/* Whether the store had the answer. @error: of the environment. */
static gboolean
look_up (Job *job, SegueChainSong *song, GError **error)
{
  SegueStore *store = job->plan->store;
  gboolean verify = job->plan->mode == SEGUE_SONG_CHECK;
  if (job->plan->mode == SEGUE_SONG_FRESH)
    return FALSE;
  g_autoptr (SegueRecord) record =
    segue_store_read (store, job->key, verify, &song->problem, error);
  if (!record)
    return FALSE;
  if (record->reads[0]) {
    job->known_reads = g_steal_pointer (&record->reads);
    g_autofree char *key =
      segue_key_with_reads (job->key, (const char *const *) job->known_reads, job->entries, job->n);
    g_clear_pointer (&record, segue_record_free);
    record = segue_store_read (store, key, verify, &song->problem, error);
    if (!record || record->reads[0])
      return FALSE;
  }
  song->cached = TRUE;
  if (record->failure) {
    song->error = recall_failure (job, record->failure);
    song->failed = record->failed < job->plan->n_stages ? job->plan->stages[record->failed] : NULL;
  }
  if (!song->error)
    song->entries = join_all (job, record);
  song->counts = g_array_ref (record->counts);
  if (song->error || song->entries)
    return TRUE;
  song->cached = FALSE;
  g_clear_pointer (&song->counts, g_array_unref);
  song->problem = g_strdup ("damaged record: it belongs to another song");
  return FALSE;
}

/* The names that results depend on: those known before and those read this time. */
static GStrv
merge_reads (GStrv known, SegueReads *reads)
{
  for (guint i = 0; known && known[i]; i++)
    segue_reads_add (reads, known[i]);
  return segue_reads_list (reads);
}

/* Stores @output, or if there is none, @failure. */
static gboolean
song_keep (Job *job, SegueChainSong *song, SegueReads *reads, GPtrArray *output,
           const GError *failure, char **key, GError **error)
{
  g_auto (GStrv) names = merge_reads (job->known_reads, reads);
  SegueRecordContent content = { .key = job->key,
                                 .components = (const char *const *) job->plan->components,
                                 .inputs = job->entries,
                                 .n_inputs = job->n };
  if (names[0]) {
    gboolean known = job->known_reads && g_strv_equal ((const char *const *) job->known_reads,
                                                       (const char *const *) names);
    content.reads = (const char *const *) names;
    if (!known && !segue_store_write (job->plan->store, &content, error))
      return FALSE;
    *key = segue_key_with_reads (job->key, content.reads, job->entries, job->n);
  } else {
    *key = g_strdup (job->key);
  }
  content.key = *key;
  content.reads = NULL;
  content.failure = failure;
  while (failure && content.failed < job->plan->n_stages &&
         job->plan->stages[content.failed] != song->failed)
    content.failed++;
  content.counts = song->counts;
  content.items = output ? (SegueItem *const *) output->pdata : NULL;
  content.n_items = output ? output->len : 0;
  return segue_store_write (job->plan->store, &content, error);
}

static gboolean
check_unchanged (Job *job, GError **error)
{
  for (guint i = 0; i < job->n; i++)
    if (job->entries[i]->body->kind == SEGUE_KIND_FILE &&
        !segue_contents_check (job->entries[i]->body->path, &job->stamps[i], error))
      return FALSE;
  return TRUE;
}

static GPtrArray *
carry (Job *job, SegueChain *chain, SegueReads *reads, GError **error)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_full (job->n, (GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < job->n; i++) {
    g_autoptr (SegueItem) item = segue_item_load (job->entries[i], error);
    if (!item)
      return NULL;
    g_ptr_array_add (inputs, segue_item_copy_as_input (item, reads, i));
  }
  return segue_chain_carry (chain, (SegueItem *const *) inputs->pdata, inputs->len,
                            job->cancellable, error);
}

/* Carries the song once. After a failure, discards any state that it left in an instance. */
static GPtrArray *
carry_once (Job *job, SegueChain *chain, SegueChainSong *song, SegueReads *reads, GError **error)
{
  g_autoptr (SegueCounts) counts = segue_counts_new ();
  segue_chain_set_counts (chain, counts);
  GPtrArray *output = carry (job, chain, reads, error);
  segue_chain_set_counts (chain, NULL);
  g_clear_pointer (&song->counts, g_array_unref);
  song->counts = segue_counts_list (counts);
  song->failed = output ? NULL : segue_chain_get_failed (chain);
  if (!output)
    segue_chain_renew (chain);
  return output;
}

/* Decoders can't always distinguish a bad file from a lack of memory, or a disk error, while they
 * read it. But an error in a song's bytes occurs a second time.
 * @is_fact: (out): whether it did, with the same message */
static GPtrArray *
carry_surely (Job *job, SegueChain *chain, SegueChainSong *song, SegueReads *reads,
              gboolean *is_fact, GError **error)
{
  g_autoptr (GError) first = NULL, second = NULL;
  GPtrArray *output = carry_once (job, chain, song, reads, &first);
  *is_fact = FALSE;
  if (segue_error_is_lasting (first)) {
    output = carry_once (job, chain, song, reads, &second);
    *is_fact = segue_error_is_lasting (second) && strcmp (first->message, second->message) == 0;
  }
  if (!output)
    g_propagate_error (error, second ? g_steal_pointer (&second) : g_steal_pointer (&first));
  return output;
}

static gboolean
song_make (Job *job, SegueChain *chain, SegueChainSong *song, GError **error)
{
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (GError) failure = NULL;
  g_autofree char *key = NULL;
  gboolean is_fact;
  g_autoptr (GPtrArray) output = carry_surely (job, chain, song, reads, &is_fact, &failure);
  if (failure && !segue_error_is_about_item (failure)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (!check_unchanged (job, error))
    return FALSE;
  if (failure) {
    g_autoptr (GError) kept = name_song (job, failure, HERE);
    if (is_fact && !song_keep (job, song, reads, NULL, kept, &key, error))
      return FALSE;
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (!song_keep (job, song, reads, output, NULL, &key, error))
    return FALSE;

  /* The entries are made from the stored record: in one way, whichever process wrote it. */
  g_autofree char *problem = NULL;
  g_autoptr (SegueRecord) record = segue_store_read (job->plan->store, key, TRUE, &problem, error);
  song->entries = record ? join_all (job, record) : NULL;
  song->bytes = record ? record->payload_length : 0;
  if (!song->entries && (!error || !*error))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                 "a record just written to the cache ‘%s’ can't be read back: %s",
                 segue_store_get_folder (job->plan->store),
                 problem ? problem : "it no longer exists");
  return song->entries != NULL;
}

void
segue_chain_song_run (const SegueChainPlan *plan, SegueChain *chain, SegueItem *const *entries,
                      guint n, SegueChainSong *song, GCancellable *cancellable)
{
  g_auto (Job) job = { .plan = plan, .entries = entries, .n = n, .cancellable = cancellable };
  g_autoptr (GError) error = NULL;
  if (find_keys (&job, song, &error) && !look_up (&job, song, &error) && !error &&
      plan->mode != SEGUE_SONG_LOOK)
    song_make (&job, chain, song, &error);
  if (error)
    song->error = segue_error_is_about_item (error)
                    ? name_song (&job, error, segue_item_get_song (entries[0]))
                    : g_steal_pointer (&error);
}

gboolean
segue_chain_song_is_known (const SegueChainPlan *plan, SegueItem *const *entries, guint n)
{
  const char *folder = segue_store_get_contents_folder (plan->store);
  g_auto (GStrv) contents = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++) {
    contents[i] = entries[i]->body->kind == SEGUE_KIND_FILE
                    ? segue_contents_recall (folder, entries[i]->body->path)
                    : segue_key_of_payload (entries[i], NULL);
    if (!contents[i])
      return FALSE;
  }
  g_autofree char *input_key = segue_key_of_song (entries, contents, n);
  g_autofree char *key = chain_key (plan, input_key, entries[0]->body->song);
  g_autofree char *path = segue_store_get_path (plan->store, key);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}
