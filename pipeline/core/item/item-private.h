/* Items as the core sees them (internal). */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "item/extent.h"
#include "item/metadata.h"
#include <segue/item.h>
#include <segue/tensor.h>

/* Of audio. */
#define SEGUE_MAX_CHANNELS G_MAXUINT16

/** SegueOpenFile: a file that is already open: under isolation, an item's only file. */
typedef struct _SegueOpenFile SegueOpenFile;

/** SegueItemBody: what an item shares with its copies, which have other metadata, or none of its bytes.
 * It is changed only before it is shared, or through segue_item_own_body(). */
typedef struct {
  gatomicrefcount refs;
  SegueKind kind : 8;
  SegueDtype dtype : 8;
  guint rank : 8;
  guint rate, channels;
  guint key_index;
  GRefString *song;
  /* The payload's key: of a record or a file's content, and @key_index, the position in it. NULL:
   * not known yet; see segue_key_of_payload(). */
  GRefString *key;
  SegueExtent extent;  /* location of an index entry's bytes */
  GRefString *path;    /* file, model, metrics */
  SegueOpenFile *file; /* nullable: read instead of the file at the path */
  gsize *shape;        /* [rank]; NULL where there is none; see segue_item_set_shape() */
  char id[];
} SegueItemBody;

/* An index contains one for each segment of a library, and a running stage another: keep it small. */
struct _SegueItem {
  gatomicrefcount refs;
  guint sealed : 1;
  guint derived : 1; /* from a sealed item: has that one's metadata */
  guint origin : 30; /* index of the input item that this one derives from */
  SegueItemBody *body;
  SegueMetadata *metadata;
  SegueReads *reads; /* nullable: records which metadata a chain or stage reads */
  GBytes *bytes;     /* audio, tensor, predictions; NULL in an index entry */
};

static inline gboolean
segue_kind_has_bytes (SegueKind kind)
{
  return kind == SEGUE_KIND_AUDIO || kind == SEGUE_KIND_TENSOR || kind == SEGUE_KIND_PREDICTIONS;
}

/** segue_open_file_new: takes ownership of @fd. */
SegueOpenFile *segue_open_file_new (int fd);
/** segue_open_file_get_fd: owned by @file. */
int segue_open_file_get_fd (const SegueOpenFile *file);
/** segue_item_body_new: (transfer full): without a payload. */
SegueItemBody *segue_item_body_new (SegueKind kind, const char *id, GRefString *song);
/** segue_item_body_copy: (transfer full): the same, but with its bytes in @extent (transfer none). */
/** segue_kind_takes: whether a port of kind @port takes items of @kind. */
SEGUE_API
gboolean segue_kind_takes (SegueKind port, SegueKind kind);
/** segue_kind_words: of a port: "audio", "audio or tensor". */
SEGUE_API
const char *segue_kind_words (SegueKind kind);

SegueItemBody *segue_item_body_copy (const SegueItemBody *body, const SegueExtent *extent);
void segue_item_body_unref (SegueItemBody *body);
/** segue_item_seal: from now on immutable; done by segue_context_emit(). */
SEGUE_API
void segue_item_seal (SegueItem *item);
/** segue_item_own_body: (transfer none): @item's, which from now on is not shared. */
SegueItemBody *segue_item_own_body (SegueItem *item);
/** segue_item_set_shape: of an item that is not sealed; once. */
void segue_item_set_shape (SegueItem *item, guint rank, const gsize *shape);
/** segue_item_copy: (transfer full): unsealed; shares payload and values. */
SegueItem *segue_item_copy (const SegueItem *item);
/** segue_item_copy_as_augmented: (transfer full): @item, of audio or a tensor, as the @n-th augmented copy (n ≥ 1) of
 * the one that has its id: with an id of its own and %SEGUE_META_COPY. Sealed. */
SegueItem *segue_item_copy_as_augmented (const SegueItem *item, guint n);
/** segue_item_copy_as_input: (transfer full): as it enters a chain: all metadata came from outside,
 * reads of it are recorded in @reads (nullable); the @origin-th item of its song. Sealed. */
SEGUE_API
SegueItem *segue_item_copy_as_input (const SegueItem *item, SegueReads *reads, guint origin);
/** segue_item_copy_as_output: (transfer full): without bytes, which are in @extent (transfer none);
 * keeps its origin and which of its metadata is its own. */
SegueItem *segue_item_copy_as_output (const SegueItem *item, const SegueExtent *extent);
/** segue_item_copy_as_entry: (transfer full): the same as an entry of a finished dataset, where no
 * metadata is its own. */
SegueItem *segue_item_copy_as_entry (const SegueItem *item, const SegueExtent *extent);
/** segue_item_load: (transfer full): @entry with its bytes read; a plain reference where they are
 * already loaded. */
SegueItem *segue_item_load (SegueItem *entry, GError **error);
/** segue_item_derive: (transfer full): an item of @kind without payload that inherits id and metadata
 * from @parent as the public constructors do. */
SegueItem *segue_item_derive (SegueKind kind, const SegueItem *parent, const char *suffix);
/** segue_item_get_suffix: the part of @item's id after its song's ("#0003"; "" for the song itself);
 * %NULL where the id does not begin with the song's. */
const char *segue_item_get_suffix (const SegueItem *item);
/** segue_item_compare: by song, then by id, in code point order (GCompareFunc on pointers to
 * items). */
int segue_item_compare (gconstpointer a, gconstpointer b);
/** segue_shape_bytes: bytes of a dense array; %FALSE where that is implausibly large. */
gboolean segue_shape_bytes (guint dtype, guint rank, const gsize *shape, gsize *bytes);
/** segue_item_check_sizes: the sizes in segue_item_form_check(), for @item or its index entry. */
gboolean segue_item_check_sizes (const SegueItem *item, const char **why);
/** segue_item_is_finite: whether @item's floating-point elements all are; %TRUE where it has none.
 * @at: (out): if not, the first element that is NaN or infinite */
gboolean segue_item_is_finite (const SegueItem *item, gsize *at);
