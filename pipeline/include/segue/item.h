/* Items: the data that stages pass to each other.
 *
 * An item has a kind, an id, metadata and a payload.  A source stage creates items without an input (a
 * file of a music folder); every later item derives from one and inherits its metadata.  An item
 * may be changed by its creator until it is emitted; from then on it is sealed, immutable, and
 * may be read by any number of threads.
 *
 * Items are reference-counted (atomically), payloads are GBytes: a segment is a slice of its song's
 * buffer, not a copy.
 *
 * Ids are paths relative to the source's root, percent-encoded where bytes are not valid UTF-8;
 * an item derived from a song has the song's id, `#` and a suffix: `Mika/Life/Grace Kelly.mp3#0003`.
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/**
 * SegueKind:
 * @SEGUE_KIND_ANY: (ports only) file, audio or tensor; on an output: the kind of the input
 * @SEGUE_KIND_FILE: a file to be read; payload: its path
 * @SEGUE_KIND_AUDIO: float32 frames, interleaved, full scale ±1; payload: bytes, rate, channels
 * @SEGUE_KIND_TENSOR: a dense little-endian array, row-major; payload: bytes, dtype, shape
 * @SEGUE_KIND_MODEL: a model folder; payload: its path
 * @SEGUE_KIND_PREDICTIONS: a model's predictions for one song; payload: a float64 tensor [segments, 2 + labels],
 *   see SeguePredictionColumn; metadata: `predicted` and `probability`, the prediction for the whole song, and what
 *   is known about the song (`label`, `set`, `source`, `group`)
 * @SEGUE_KIND_METRICS: a folder with metrics.json; payload: its path
 * @SEGUE_KIND_SUMMARY: (input ports only) a folder with summary.json, see below; payload: its path
 */
typedef enum {
  SEGUE_KIND_ANY,
  SEGUE_KIND_FILE,
  SEGUE_KIND_AUDIO,
  SEGUE_KIND_TENSOR,
  SEGUE_KIND_MODEL,
  SEGUE_KIND_PREDICTIONS,
  SEGUE_KIND_METRICS,
  SEGUE_KIND_SUMMARY,
} SegueKind;

/* summary.json: the results of the stages before the one that reads it.  The run makes it, no stage does:
 *
 *   {"segue": "0.1.0", "name": "artist", "seed": 42,
 *    "stages": [{"id": …, "use": …, "plugin": …, "plugin_version": …, "result_version": …,
 *                "with": {parameters}, "counters": {name: n, …},
 *                "curves": {"train/loss": [[step, value or null], …], …}}, …],
 *    "quarantined": [{"stage": …, "id": …, "reason": …}, …]}
 *
 * Stages are in the order of the pipeline, quarantined items are ordered by id; there are no times, so that the
 * same run gives the same text.  The summary of a finished run is as untrusted as the run's folder. */

typedef enum {
  SEGUE_DTYPE_F32,
  SEGUE_DTYPE_BF16,
  SEGUE_DTYPE_I32,
  SEGUE_DTYPE_U8,
  SEGUE_DTYPE_F64
} SegueDtype;

#define SEGUE_MAX_RANK 6

/* Metadata keys with a fixed meaning.  Times are relative to the start of the source file, so that clips
 * and players can refer to the original. */
#define SEGUE_META_SOURCE   "source"   /* string: absolute path of the original, percent-encoded */
#define SEGUE_META_SONG     "song"     /* string: id of the source item, set by the core */
#define SEGUE_META_START    "start"    /* double, s: start of this item in the source */
#define SEGUE_META_DURATION "duration" /* double, s */
#define SEGUE_META_LABEL    "label"    /* string: Unicode NFC */
#define SEGUE_META_GROUP    "group"    /* string: items that split keeps together, if configured */
#define SEGUE_META_RECORDING                                                                       \
  "recording" /* string: the same for all files of one recording; only if there are several */
#define SEGUE_META_SET       "set"       /* string: train, validation or test: see SegueSet */
#define SEGUE_META_PREDICTED "predicted" /* string: of predictions: the song's predicted label */
#define SEGUE_META_PROBABILITY                                                                     \
  "probability" /* double: of predictions: that label's, for the song */

/** SegueSet: what a song is used for.  @SEGUE_N_SETS: none of the sets. */
typedef enum { SEGUE_SET_TRAIN, SEGUE_SET_VALIDATION, SEGUE_SET_TEST, SEGUE_N_SETS } SegueSet;

/** SEGUE_SET_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_SET_CHOICES SEGUE_NAMES ("train", "validation", "test")
/** segue_set_get_name: the name of any set except %SEGUE_N_SETS. */
SEGUE_API
const char *segue_set_get_name (SegueSet set);
/** segue_set_from_name: %SEGUE_N_SETS if @name (nullable) is not the name of a set. */
SEGUE_API
SegueSet segue_set_from_name (const char *name);

typedef struct _SegueItem SegueItem;

/** segue_item_new_file: a source item for the file at @path (bytes as the system has them). */
SEGUE_API
SegueItem *segue_item_new_file (const char *id, const char *path);

/**
 * segue_item_new_audio:
 * @parent: (nullable): the item whose metadata and song it inherits
 * @suffix: (nullable): appended to the parent's id after `#`; %NULL keeps the id; the whole id
 *   if there is no parent
 * @frames: (transfer none): interleaved float32, size a multiple of 4 × @channels
 * @rate: Hz, > 0
 */
SEGUE_API
SegueItem *segue_item_new_audio (SegueItem *parent, const char *suffix, GBytes *frames, guint rate,
                                 guint channels);

/** segue_item_new_tensor: as segue_item_new_audio(); @kind is TENSOR or PREDICTIONS; the size of
 * @data is the product of @shape times the size of @dtype. */
SEGUE_API
SegueItem *segue_item_new_tensor (SegueKind kind, SegueItem *parent, const char *suffix,
                                  GBytes *data, SegueDtype dtype, guint rank, const gsize *shape);

/** segue_item_new_folder: @kind is MODEL or METRICS; the folder belongs to the run. */
SEGUE_API
SegueItem *segue_item_new_folder (SegueKind kind, const char *id, const char *path);

SEGUE_API
SegueItem *segue_item_ref (SegueItem *item);
/** segue_item_unref: accepts %NULL. */
SEGUE_API
void segue_item_unref (SegueItem *item);

SEGUE_API
SegueKind segue_item_get_kind (const SegueItem *item);
SEGUE_API
const char *segue_item_get_id (const SegueItem *item);
/** segue_item_get_song: the id of the source item that this one derives from (its own id, if none). */
SEGUE_API
const char *segue_item_get_song (const SegueItem *item);

/** segue_item_has_payload: %FALSE for the entries of an index, which contain metadata only. */
SEGUE_API
gboolean segue_item_has_payload (const SegueItem *item);
/** segue_item_get_bytes: (transfer none): of audio, tensor and predictions items. */
SEGUE_API
GBytes *segue_item_get_bytes (const SegueItem *item);
/** segue_item_get_path: of file, model and metrics items: bytes as the system has them. */
SEGUE_API
const char *segue_item_get_path (const SegueItem *item);

/**
 * segue_item_open:
 *
 * Opens a file item's file for reading at its start.  Returns a new descriptor, closed on exec, which
 * the caller closes.  This works wherever the stage runs: in an isolated stage the path can't be
 * opened and is only a name for messages.  Descriptors of one item may share their position: use one
 * at a time, or pread ().
 *
 * -1 with %SEGUE_ERROR_NO_INPUT if the file no longer exists or may not be read, %SEGUE_ERROR_DATA if
 * it is not a regular file.  Any thread.
 */
SEGUE_API
int segue_item_open (SegueItem *item, GError **error);

SEGUE_API
guint segue_item_get_rate (const SegueItem *item);
SEGUE_API
guint segue_item_get_channels (const SegueItem *item);
/** segue_item_get_frames: (transfer none): the samples; @n_frames is set to their number per channel. */
SEGUE_API
const float *segue_item_get_frames (const SegueItem *item, gsize *n_frames);
SEGUE_API
SegueDtype segue_item_get_dtype (const SegueItem *item);
/** segue_item_get_shape: (transfer none): @rank dimensions. */
SEGUE_API
const gsize *segue_item_get_shape (const SegueItem *item, guint *rank);

/**
 * SeguePredictionColumn: columns of a predictions item, a row per segment.
 * @SEGUE_PREDICTION_START: in s of the source file; float64, since a float32 can't represent a sample's time
 * @SEGUE_PREDICTION_DURATION: in s
 * @SEGUE_PREDICTION_LABELS: the first of the labels' probabilities (float32 values), in the order of the model
 */
typedef enum {
  SEGUE_PREDICTION_START,
  SEGUE_PREDICTION_DURATION,
  SEGUE_PREDICTION_LABELS
} SeguePredictionColumn;

/**
 * segue_item_new_predictions: as segue_item_new_audio().
 * @n_segments, @n_labels: ≥ 1
 * @rows: (out) (transfer none): [n_segments, 2 + n_labels], zeroed: to be filled in before the item is emitted
 *
 * %SEGUE_ERROR_RESOURCE if there is not enough memory.
 */
SEGUE_API
SegueItem *segue_item_new_predictions (SegueItem *parent, const char *suffix, guint n_segments,
                                       guint n_labels, double **rows, GError **error);
/** segue_item_get_predictions: (transfer none): the rows of a predictions item.
 * @n_segments: (out): ≥ 1
 * @n_labels: (out): ≥ 1; a row has two more columns
 *
 * %SEGUE_ERROR_DATA if a time is negative or not finite, or a probability is not between 0 and 1: what is read
 * from disk has the right size, but may contain any number. */
SEGUE_API
const double *segue_item_get_predictions (const SegueItem *item, guint *n_segments, guint *n_labels,
                                          GError **error);

/* Metadata: string, double and integer values by key.  The getters return @fallback (or %NULL)
 * if the key is missing or of another type; the setters are for items not yet emitted. */
SEGUE_API
const char *segue_item_get_string (const SegueItem *item, const char *key);
SEGUE_API
double segue_item_get_double (const SegueItem *item, const char *key, double fallback);
SEGUE_API
gint64 segue_item_get_int (const SegueItem *item, const char *key, gint64 fallback);
SEGUE_API
void segue_item_set_string (SegueItem *item, const char *key, const char *value);
SEGUE_API
void segue_item_set_double (SegueItem *item, const char *key, double value);
SEGUE_API
void segue_item_set_int (SegueItem *item, const char *key, gint64 value);
/** segue_item_get_metadata: (transfer full): all metadata as a sorted `a{sv}` (types s, d, x). */
SEGUE_API
GVariant *segue_item_get_metadata (const SegueItem *item);
/** segue_item_set_metadata: sets every key of @metadata, an `a{sv}` with types s, d and x. */
SEGUE_API
void segue_item_set_metadata (SegueItem *item, GVariant *metadata);

SEGUE_API
const char *segue_kind_to_string (SegueKind kind);
SEGUE_API
gsize segue_dtype_size (SegueDtype dtype);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueItem, segue_item_unref)

G_END_DECLS
