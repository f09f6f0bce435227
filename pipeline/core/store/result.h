/* Results: the output of a SERIAL or COLLECT stage, in one folder of the store (internal).
 *
 *   <cache>/results/ab/cdef…/result    the description: see below
 *                            items     payloads of the items that it emitted, concatenated
 *                            files/…   a copy of its output folder
 *
 * `result` begins with "SEGUERES", a format version (4 bytes, little-endian like all numbers here), the
 * header's length (4 bytes) and SHA-256 of the header (32 bytes); then comes the header, a GVariant in
 * normal form, which contains the hashes of all other files. A folder is written under another name,
 * synced and renamed: of two runs that compute the same result, the first one's is kept.
 *
 * A stage's base key has only the names of the metadata that it read (see stage-key.h): a folder with
 * a header and nothing else.
 *
 * A result is untrusted until it is checked: nothing in it can make segue write outside the folder
 * that it is copied to, or read more than it contains. */
#pragma once

#include "item/counts.h"
#include "item/item-form.h"

/** SegueResultItem: one emitted item without its bytes. */
typedef struct {
  guint port;         /* of the stage's outputs */
  gboolean passed;    /* it is its origin, with the same payload and id */
  char *key;          /* of the payload; "" where it is passed on */
  char *path;         /* MODEL, METRICS: below the output folder; "": that folder itself */
  SegueItemForm form; /* its origin is counted over all inputs, its offset is in `items` */
} SegueResultItem;

/** SegueResultLine: output of a stage: a message (@level), or a point of a curve (@level 0). */
typedef struct {
  guint level;
  GRefString *text; /* message, or the curve's tag; interned: a curve has many points */
  guint64 step;
  double value;
} SegueResultLine;

/** SegueResultFailure: an item that the stage skipped because of its content. */
typedef struct {
  char *id, *reason;
} SegueResultFailure;

/** SegueResult: all arrays own their elements. */
typedef struct {
  char *key;
  gboolean is_reads; /* only @reads is used */
  GStrv reads;       /* names of metadata */
  gint64 view_port;  /* the output is a view of this input, with the items of @view_output… */
  guint view_output; /* …; -1: it is not a view */
  GArray *counts;    /* SegueCount; their stage is 0 */
  GArray *lines;     /* SegueResultLine */
  GArray *failures;  /* SegueResultFailure */
  GArray *items;     /* SegueResultItem */
  GPtrArray *files;  /* SegueTreeFile; valid */
  guint64 n_bytes;   /* of `items` */
  char *bytes_key;   /* SHA-256 of `items` */
} SegueResult;

/** segue_result_new: (transfer full): an empty one. */
SegueResult *segue_result_new (const char *key);
void segue_result_free (SegueResult *result);

/** segue_result_read: (transfer full): from the folder at @path, which must be that of @key; the
 * content of `items` is checked, files are when they are copied. %SEGUE_ERROR_NO_INPUT: there is
 * none; %SEGUE_ERROR_DATA: it can't be used. */
SegueResult *segue_result_read (const char *path, const char *key, GError **error);
/** segue_result_parse: (transfer full): from the bytes of `result`; checks everything that does not
 * require other files. */
SegueResult *segue_result_parse (const guint8 *data, gsize size, GError **error);

/**
 * segue_result_write:
 * @result: offsets, lengths and @n_bytes are filled in here
 * @payloads: (element-type SegueItem): for each of the items, an entry whose bytes are stored, or
 *   %NULL
 * @files_folder: (nullable): where result->files are; @twins: (nullable): see segue_tree_copy()
 * @replace: whether an existing result is replaced; otherwise it is kept
 *
 * At @path, atomically. %SEGUE_ERROR_DATA where it is too large to be stored.
 */
gboolean segue_result_write (const char *path, SegueResult *result, GPtrArray *payloads,
                             const char *files_folder, GHashTable *twins, gboolean replace,
                             GCancellable *cancellable, GError **error);
/** segue_result_write_reads: replaces the existing names. */
gboolean segue_result_write_reads (const char *path, const char *key, const char *const *names,
                                   GError **error);
/** segue_result_copy_files: into the folder @to, which is created and must not exist: all or nothing.
 * @twins: (nullable): see segue_tree_copy(). %SEGUE_ERROR_DATA where the files have changed. */
gboolean segue_result_copy_files (const char *path, const SegueResult *result, const char *to,
                                  GHashTable *twins, GCancellable *cancellable, GError **error);
/** segue_result_verify: reads the whole result, including files. */
gboolean segue_result_verify (const char *path, const char *key, GCancellable *cancellable,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueResult, segue_result_free)
