/* Records: the results of a chain for one song, in one file (internal).
 *
 *   offset  size
 *        0     8  "SEGUEREC"
 *        8     4  format version, little-endian like all numbers here
 *       12     4  bytes of header
 *       16     8  offset of the payload, a multiple of 64
 *       24     8  bytes of payload; the file ends with it
 *       32    32  SHA-256 of bytes 0…31, 64…95 and the header
 *       64    32  SHA-256 of the payload
 *       96     …  header: a GVariant in normal form
 *
 * Items are slices of the payload; slices that overlap in memory are stored once. A failure that
 * depends only on the song's bytes is stored in the same way, without items.
 *
 * Where a chain read metadata from outside, the record at its key contains only the names of that
 * metadata, and the results are stored at the key that its values give. */
#pragma once

#include "item/counts.h"
#include "item/item-form.h"

#define SEGUE_RECORD_FIXED 96

typedef struct {
  char *key;
  GStrv components;
  GStrv reads;     /* not empty: the results are elsewhere */
  GError *failure; /* nullable */
  guint failed;    /* index of the stage that failed; n_components: not known */
  GArray *counts;  /* SegueCount, by index in the chain */
  GArray *items;   /* SegueItemForm; a FILE is an input item, passed on; offsets are in the file */
  guint64 payload_offset, payload_length;
  guint8 payload_digest[32];
} SegueRecord;

void segue_record_free (SegueRecord *record);

/** SegueRecordContent: the content to write; all borrowed. */
typedef struct {
  const char *key;
  const char *const *components;
  const char *const *reads; /* nullable */
  const GError *failure;    /* nullable */
  guint failed;             /* the stage that failed */
  GArray *counts;           /* nullable: SegueCount */
  SegueItem *const *items;  /* with their bytes */
  SegueItem *const *inputs; /* the items that they derive from, by origin */
  guint n_items, n_inputs;
} SegueRecordContent;

/** segue_record_write: to @path, atomically. The bytes depend on @content alone. */
gboolean segue_record_write (const char *path, const SegueRecordContent *content, GError **error);

/**
 * segue_record_parse: (transfer full):
 * @data: the beginning of a record, at least fixed part and header
 * @size: bytes of @data
 * @file_size: of the whole record
 *
 * Checks everything but the payload's SHA-256: for any bytes, all extents that are returned are
 * within the file and all sizes agree. %SEGUE_ERROR_DATA otherwise.
 */
SegueRecord *segue_record_parse (const guint8 *data, gsize size, guint64 file_size, GError **error);
/** segue_record_read: (transfer full): opens, parses and checks the record at @path, which must be
 * that of @key.
 * @verify: also read the payload and check its SHA-256 */
SegueRecord *segue_record_read (const char *path, const char *key, gboolean verify,
                                GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueRecord, segue_record_free)
