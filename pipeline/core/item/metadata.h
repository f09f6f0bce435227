/* Metadata of an item: a small table by key, sorted (internal).
 *
 * Each value records whether it came with the source item or was set by a stage of the current
 * chain. Only values that stages set are kept in the store; the others are joined when a record is
 * read, so that new labels reach old results.
 *
 * Items share their tables: a change to one that is shared makes a table of the changes, layered over
 * the other. So each segment of a song stores where it begins, and all of them share the song's
 * artist. Keys and strings are interned: a library has few labels, and fewer sets. */
#pragma once

#include <glib.h>
#include <segue/version.h>

typedef struct _SegueMetadata SegueMetadata;

/** SegueReads: which of the metadata that came from outside a chain its stages read. Results
 * depend on these values, so they are part of the record's key. Any thread. */
typedef struct _SegueReads SegueReads;

/** SegueMetadataValue: @type: 's', 'd' or 'x', as in GVariant. */
typedef struct {
  union {
    GRefString *s;
    double d;
    gint64 x;
  };
  char type;
  gboolean own; /* set since the last segue_metadata_disown() */
} SegueMetadataValue;

SegueMetadata *segue_metadata_new (void);
SegueMetadata *segue_metadata_ref (SegueMetadata *metadata);
void segue_metadata_unref (SegueMetadata *metadata);
/** segue_metadata_find: (transfer none) (nullable): valid until @key is set. */
const SegueMetadataValue *segue_metadata_find (const SegueMetadata *metadata, const char *key);
/** segue_metadata_find_not_finite: (transfer none) (nullable): the key of a number that is NaN or
 * infinite, of those that are @metadata's own. */
const char *segue_metadata_find_not_finite (const SegueMetadata *metadata);
/** segue_metadata_get: (transfer full) (nullable). */
GVariant *segue_metadata_get (const SegueMetadata *metadata, const char *key);
/** segue_metadata_set: replaces *@metadata by an unshared table where necessary; sinks @value, which is
 * of type s, d or x. */
void segue_metadata_set (SegueMetadata **metadata, const char *key, GVariant *value);
/** segue_metadata_disown: from now on, all values count as coming from outside. */
void segue_metadata_disown (SegueMetadata **metadata);
/** segue_metadata_to_variant: (transfer full): a sorted `a{sv}`; only of own values if @own. */
GVariant *segue_metadata_to_variant (const SegueMetadata *metadata, gboolean own);
/** segue_metadata_is_valid: whether @value is an `a{sv}` with types s, d and x. */
gboolean segue_metadata_is_valid (GVariant *value);

/** SegueReadsWatch: of the reads of one call of a stage: @keys: (nullable): those to watch for; @found:
 * (nullable): the first of them that was read. */
typedef struct {
  const char *const *keys;
  const char *found;
} SegueReadsWatch;

SEGUE_API
SegueReads *segue_reads_new (void);
SegueReads *segue_reads_ref (SegueReads *reads);
SEGUE_API
void segue_reads_unref (SegueReads *reads);
void segue_reads_add (SegueReads *reads, const char *key);
/** segue_reads_watch: from now on, @watch (nullable; borrowed) in place of the previous one, which it
 * returns: calls of stages are nested. */
SegueReadsWatch *segue_reads_watch (SegueReads *reads, SegueReadsWatch *watch);
/** segue_reads_list: (transfer full): the keys, sorted. */
GStrv segue_reads_list (SegueReads *reads);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueMetadata, segue_metadata_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueReads, segue_reads_unref)
