/* Results: what a SERIAL or COLLECT stage left, in one folder of the store (internal).
 *
 *   <cache>/results/ab/cdef…/result    what there is: see below
 *                            items     payloads of the items that it emitted, one after the other
 *                            files/…   a copy of its output folder
 *
 * `result` begins with "SEGUERES", a format version (4 bytes, little-endian as everything here), the
 * header's length (4 bytes) and SHA-256 of the header (32 bytes); then comes the header, a GVariant in
 * normal form, which has the hashes of all else.  A folder is written under another name, synced and
 * renamed: of two runs that make the same result the first one's stays.
 *
 * At a stage's base key lie only the names of the metadata that it looked at (see stage-key.h): a
 * folder with a header and nothing else.
 *
 * A result is somebody else's word until it is checked: nothing in it can make us write outside of the
 * folder that we copy it to, or read more than it holds. */
#pragma once

#include "item/counts.h"
#include "item/item-form.h"

/** SegueResultItem: one emitted item, all but its bytes. */
typedef struct {
  guint port;         /* of the stage's outputs */
  gboolean passed;    /* it is its origin: payload and id are that one's */
  char *key;          /* of the payload; "" where it is passed on */
  char *path;         /* MODEL, METRICS: below the output folder; "": that folder itself */
  SegueItemForm form; /* its origin is counted over all inputs, its offset is in `items` */
} SegueResultItem;

/** SegueResultLine: what a stage said: a message (@level), or a point of a curve (@level 0). */
typedef struct {
  guint level;
  GRefString *text; /* message, or the curve's tag; interned: a curve has many points */
  guint64 step;
  double value;
} SegueResultLine;

/** SegueResultFailure: an item that the stage left out because of what it holds. */
typedef struct {
  char *id, *reason;
} SegueResultFailure;

/** SegueResult: all arrays own what they hold. */
typedef struct {
  char *key;
  gboolean is_reads; /* only @reads is meant */
  GStrv reads;       /* names of metadata */
  gint64 view_port;  /* the output is a view of this input, made of the items of @view_output… */
  guint view_output; /* …; -1: it is not */
  GArray *counts;    /* SegueCount; their stage is 0 */
  GArray *lines;     /* SegueResultLine */
  GArray *failures;  /* SegueResultFailure */
  GArray *items;     /* SegueResultItem */
  GPtrArray *files;  /* SegueTreeFile; sound */
  guint64 n_bytes;   /* of `items` */
  char *bytes_key;   /* SHA-256 of `items` */
} SegueResult;

/** segue_result_new: (transfer full): an empty one. */
SegueResult *segue_result_new (const char *key);
void segue_result_free (SegueResult *result);

/** segue_result_read: (transfer full): of the folder at @path, which must be that of @key; what
 * `items` holds is checked, files are when they are copied.  %SEGUE_ERROR_NO_INPUT: there is none;
 * %SEGUE_ERROR_DATA: it can't be used. */
SegueResult *segue_result_read (const char *path, const char *key, GError **error);
/** segue_result_parse: (transfer full): of the text of `result`; checks all that can be checked
 * without looking at other files. */
SegueResult *segue_result_parse (const guint8 *data, gsize size, GError **error);

/**
 * segue_result_write:
 * @result: offsets, lengths and @bytes are filled in here
 * @payloads: (element-type SegueItem): for each of the items, an entry whose bytes are to be kept, or
 *   %NULL
 * @files_folder: (nullable): where result->files are
 * @replace: whether one that is there already is thrown away; otherwise it stays
 *
 * At @path, whole or not at all.  %SEGUE_ERROR_DATA where it is too large to be kept.
 */
gboolean segue_result_write (const char *path, SegueResult *result, GPtrArray *payloads,
                             const char *files_folder, gboolean replace, GCancellable *cancellable,
                             GError **error);
/** segue_result_write_reads: in place of the names that are there. */
gboolean segue_result_write_reads (const char *path, const char *key, const char *const *names,
                                   GError **error);
/** segue_result_copy_files: into the folder @to, which is made and must not be there: whole or not at
 * all.  %SEGUE_ERROR_DATA where they are not what they were. */
gboolean segue_result_copy_files (const char *path, const SegueResult *result, const char *to,
                                  GCancellable *cancellable, GError **error);
/** segue_result_verify: reads all of it, files included. */
gboolean segue_result_verify (const char *path, const char *key, GCancellable *cancellable,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueResult, segue_result_free)
