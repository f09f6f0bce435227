/* Items: the data that stages pass to each other. For every stage.
 *
 * An item has a kind, an id, metadata and a payload. A SOURCE creates items without an input (a file of a music
 * folder); every later item derives from one and inherits its metadata. Its creator may change an item until it is
 * emitted; from then on it is immutable, and any number of threads may read it.
 *
 * Items are reference-counted (atomically), payloads are GBytes: a segment is a slice of its song's buffer, not a copy.
 *
 * Ids are paths relative to the source's root, percent-encoded where bytes are not valid UTF-8; an item derived from a
 * song has the song's id, `#` and a suffix: `Mika/Life/Grace Kelly.mp3#0003`.
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/* What an item is: its payload. */
typedef enum {
  SEGUE_KIND_ANY,    /* of ports only: file, audio or tensor; of an output: that of the input */
  SEGUE_KIND_FILE,   /* a file to be read: its path */
  SEGUE_KIND_AUDIO,  /* float32 frames, interleaved, full scale ±1: bytes, rate, channels */
  SEGUE_KIND_TENSOR, /* row-major, little-endian: bytes, dtype, shape: segue/tensor.h */
  SEGUE_KIND_MODEL,  /* a model folder: its path */
  SEGUE_KIND_PREDICTIONS, /* of one song: float64 [segments, 2 + labels]: segue/tensor.h */
  SEGUE_KIND_METRICS,     /* a folder with metrics.json: its path */
  SEGUE_KIND_SUMMARY,     /* of input ports only: a folder with summary.json: segue/collect.h */
  SEGUE_KIND_EXAMPLES,    /* of input ports only: audio or tensor: what models take */
} SegueKind;

/* Metadata keys with a fixed meaning. Times are relative to the start of the source file. */
#define SEGUE_META_SOURCE      "source" /* string: absolute path of the original, percent-encoded */
#define SEGUE_META_SONG        "song"   /* string: id of the source item, set by the core */
#define SEGUE_META_START       "start"  /* double, s: start of this item in the source */
#define SEGUE_META_DURATION    "duration"  /* double, s */
#define SEGUE_META_LABEL       "label"     /* string: Unicode NFC */
#define SEGUE_META_GROUP       "group"     /* string: split may keep items of one group together */
#define SEGUE_META_RECORDING   "recording" /* string: equal for all files of one recording */
#define SEGUE_META_SET         "set"       /* string: train, validation or test: segue/dataset.h */
#define SEGUE_META_PREDICTED   "predicted" /* string: of predictions: the label of the song */
#define SEGUE_META_PROBABILITY "probability" /* double: of predictions: that label's */
#define SEGUE_META_COPY        "copy" /* int, 1…: an augmented copy; only LIVE ports get those */

typedef struct _SegueItem SegueItem;

/** segue_item_new_file: a source item for the file at @path (bytes as the system has them). */
SEGUE_API SegueItem *segue_item_new_file (const char *id, const char *path);
/**
 * segue_item_new_audio:
 * @parent: (nullable): the item whose metadata and song it inherits; in a MAP stage, the input or an item made from it
 * @suffix: (nullable): appended to the parent's id after `#`; %NULL keeps the id; the whole id if there is no parent
 * @frames: (transfer none): interleaved float32, size a multiple of 4 × @channels
 * @rate: Hz, > 0
 */
SEGUE_API SegueItem *segue_item_new_audio (SegueItem *parent, const char *suffix, GBytes *frames,
                                           guint rate, guint channels);
SEGUE_API SegueItem *segue_item_ref (SegueItem *item);
/** segue_item_unref: accepts %NULL. */
SEGUE_API void segue_item_unref (SegueItem *item);

SEGUE_API SegueKind segue_item_get_kind (const SegueItem *item);
SEGUE_API const char *segue_kind_to_string (SegueKind kind);
SEGUE_API const char *segue_item_get_id (const SegueItem *item);
/** segue_item_get_song: the id of the source item that this one derives from (its own id, if none). */
SEGUE_API const char *segue_item_get_song (const SegueItem *item);

/** segue_item_get_frames: (transfer none): the samples, which may exceed ±1; @n_frames (out): their number per channel,
 * at least 1 in a run: no stage can emit new audio without samples. */
SEGUE_API const float *segue_item_get_frames (const SegueItem *item, gsize *n_frames);
SEGUE_API guint segue_item_get_rate (const SegueItem *item);
SEGUE_API guint segue_item_get_channels (const SegueItem *item);
/** segue_item_get_bytes: (transfer none): of audio, tensor and predictions items. */
SEGUE_API GBytes *segue_item_get_bytes (const SegueItem *item);
/** segue_item_get_path: of file, model and metrics items: bytes as the system has them. */
SEGUE_API const char *segue_item_get_path (const SegueItem *item);
/**
 * segue_item_open: opens a file item's file for reading at its start, wherever the stage runs (an isolated stage can't
 * open the path, which is only a name for messages). Returns a new descriptor, closed on exec, which the caller
 * closes. Descriptors of one item may share their position: use one at a time, or pread (). Any thread.
 *
 * -1 with %SEGUE_ERROR_NO_INPUT if it no longer exists or may not be read, %SEGUE_ERROR_DATA if it is no regular file.
 */
SEGUE_API int segue_item_open (SegueItem *item, GError **error);

/* Metadata: strings, doubles and integers by key. The getters return @fallback (or %NULL) if the key is missing or of
 * another type; the setters are for items not yet emitted. */
SEGUE_API const char *segue_item_get_string (const SegueItem *item, const char *key);
SEGUE_API double segue_item_get_double (const SegueItem *item, const char *key, double fallback);
SEGUE_API gint64 segue_item_get_int (const SegueItem *item, const char *key, gint64 fallback);
SEGUE_API void segue_item_set_string (SegueItem *item, const char *key, const char *value);
SEGUE_API void segue_item_set_double (SegueItem *item, const char *key, double value);
SEGUE_API void segue_item_set_int (SegueItem *item, const char *key, gint64 value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueItem, segue_item_unref)

G_END_DECLS
