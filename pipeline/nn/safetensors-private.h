#pragma once

#include <segue/nn/safetensors.h>

/* Enough for 100,000 tensors. The format allows 100 MB, which no library writes; a larger header is refused
 * before it is read. */
#define SAFETENSORS_MAX_HEADER ((guint64) 16 << 20)

#define SAFETENSORS_METADATA "__metadata__"

/* OTHER for an unknown name. */
SegueSafetensorsDtype nn_safetensors_dtype_from_name (const char *name);

/* FALSE for types that aren't floating point. `from` may be unaligned. */
gboolean nn_safetensors_is_float (SegueSafetensorsDtype dtype);
void nn_safetensors_to_f32 (SegueSafetensorsDtype dtype, gsize n, const guint8 *from, float *to);

/* Product of shape times the size of an element; FALSE on overflow. */
gboolean nn_safetensors_size (SegueSafetensorsDtype dtype, guint n_dims, const gsize *shape,
                              gsize *n_elements, gsize *n_bytes);

#define SAFETENSORS_WEIGHTS "model.safetensors"
#define SAFETENSORS_INDEX   "model.safetensors.index.json"

/* The content of a JSON header, checked against the length of the data that follows. */
typedef struct {
  SegueTensorInfo *tensors; /* sorted by name; names belong to the header */
  gsize n_tensors;
  GHashTable *metadata; /* owned strings */
} NnSafetensorsHeader;

struct _SegueSafetensors {
  char *name; /* for messages */
  int fd;     /* or −1, and bytes or parts */
  GBytes *bytes;
  NnSafetensorsHeader header;
  /* With shards: the files, and for each tensor of the header the file that contains it. */
  GPtrArray *parts;
  guint16 *part_of;
};

/* data_start: where data begins in the file; data_length: its length. `name` is the file's, for
 * messages. On failure nothing has to be cleared. */
gboolean nn_safetensors_parse (const char *text, gsize length, guint64 data_start,
                               guint64 data_length, const char *name, NnSafetensorsHeader *header,
                               GError **error);
void nn_safetensors_header_clear (NnSafetensorsHeader *header);
