#pragma once

#include <segue/nn/types.h>

G_BEGIN_DECLS

/* The safetensors file format: u64 little-endian header length, a JSON header, raw tensors.
 *
 * A file is untrusted until it was opened: segue_safetensors_open () checks everything that the
 * format requires (length of header, UTF-8, no duplicate names, sizes that multiply without overflow and
 * match the offsets, no holes, no overlaps, nothing after the end) before it returns any tensor. Data is
 * read from the file directly into the caller's buffer. */
typedef enum {
  SEGUE_SAFETENSORS_F32,
  SEGUE_SAFETENSORS_F16,
  SEGUE_SAFETENSORS_BF16,
  SEGUE_SAFETENSORS_F64,
  SEGUE_SAFETENSORS_I64,
  SEGUE_SAFETENSORS_I32,
  SEGUE_SAFETENSORS_I16,
  SEGUE_SAFETENSORS_I8,
  SEGUE_SAFETENSORS_U8,
  SEGUE_SAFETENSORS_BOOL,
  SEGUE_SAFETENSORS_U16,
  SEGUE_SAFETENSORS_U32,
  SEGUE_SAFETENSORS_U64,
  SEGUE_SAFETENSORS_F8_E4M3,
  SEGUE_SAFETENSORS_F8_E5M2,
  SEGUE_SAFETENSORS_C64,
  /* Any other, such as packed formats: listed, so that a file which contains such tensors besides others can be
   * used; its bytes can be read, but their number does not follow from the shape. */
  SEGUE_SAFETENSORS_OTHER,
} SegueSafetensorsDtype;

/* "F32", … as in the header, "?" for OTHER; static data. Bytes of one element, 0 for OTHER. */
SEGUE_API const char *segue_safetensors_dtype_get_name (SegueSafetensorsDtype dtype);
SEGUE_API gsize segue_safetensors_dtype_get_size (SegueSafetensorsDtype dtype);

#define SEGUE_SAFETENSORS_MAX_DIMENSIONS 16

/* One tensor of an open file; owned by the file. */
typedef struct {
  const char *name;
  SegueSafetensorsDtype dtype;
  guint n_dims; /* 0 is a scalar */
  gsize shape[SEGUE_SAFETENSORS_MAX_DIMENSIONS];
  gsize n_elements;
  gsize n_bytes;
  guint64 offset; /* of its first byte in the file */
} SegueTensorInfo;

typedef struct _SegueSafetensors SegueSafetensors;

/* Reads and checks the header; the file stays open. Any number of threads may read from it. Renaming
 * another file over it has no effect; reading data that was truncated in the meantime is an error.
 * Errors: SEGUE_ERROR_NO_INPUT if there is no such file, SEGUE_ERROR_IO if it can't be read,
 * SEGUE_ERROR_DATA if it isn't a valid safetensors file; all name the file. */
SEGUE_API SegueSafetensors *segue_safetensors_open (const char *path, GError **error);

/* The weights in the folder of a model: model.safetensors, or else all tensors of the files that
 * model.safetensors.index.json names (shards), as one. Shards must be in the folder itself, and no tensor may be in
 * two of them. Errors as above, and SEGUE_ERROR_DATA with advice if there is only a pickle (pytorch_model.bin). */
SEGUE_API SegueSafetensors *segue_safetensors_open_folder (const char *folder, GError **error);

/* The same for bytes; `name` is the name of the file in messages. Keeps a reference to bytes. */
SEGUE_API SegueSafetensors *segue_safetensors_open_bytes (GBytes *bytes, const char *name,
                                                          GError **error);

/* NULL is accepted. Every SegueTensorInfo of the file is freed with it. */
SEGUE_API void segue_safetensors_free (SegueSafetensors *file);

/* All tensors, in the order of their names. */
SEGUE_API const SegueTensorInfo *segue_safetensors_list (SegueSafetensors *file, gsize *n_tensors);

/* The tensor `name`, or NULL. */
SEGUE_API const SegueTensorInfo *segue_safetensors_lookup (SegueSafetensors *file,
                                                           const char *name);

/* A value of __metadata__, or NULL. */
SEGUE_API const char *segue_safetensors_get_metadata (SegueSafetensors *file, const char *key);

/* Reads the tensor `name` into out [product of shape], converting F16, BF16 and F64 to float32.
 * Errors: SEGUE_ERROR_DATA if there is no such tensor, it has another shape than shape
 * [n_dims], or isn't of a floating-point type; `out` is then unchanged. SEGUE_ERROR_IO if
 * reading fails. */
SEGUE_API gboolean segue_safetensors_read_f32 (SegueSafetensors *file, const char *name,
                                               guint n_dims, const gsize *shape, float *out,
                                               GError **error);

/* Reads the little-endian elements of `tensor`, which must be of this file, unchanged: n_bytes
 * into out. SEGUE_ERROR_IO if reading fails. */
SEGUE_API gboolean segue_safetensors_read (SegueSafetensors *file, const SegueTensorInfo *tensor,
                                           gpointer out, GError **error);

/* Collects tensors and writes them all at once. */
typedef struct _SegueSafetensorsWriter SegueSafetensorsWriter;

SEGUE_API SegueSafetensorsWriter *segue_safetensors_writer_new (void);
SEGUE_API void segue_safetensors_writer_free (SegueSafetensorsWriter *writer);

/* Adds a string to __metadata__ ("format": "pt" is always present). Both are copied. */
SEGUE_API void segue_safetensors_writer_set_metadata (SegueSafetensorsWriter *writer,
                                                      const char *key, const char *value);

/* Adds a tensor. name and shape are copied; data is BORROWED and must stay valid until the file is
 * written. A name that was added before is a bug of the caller. */
SEGUE_API void segue_safetensors_writer_add (SegueSafetensorsWriter *writer, const char *name,
                                             SegueSafetensorsDtype dtype, guint n_dims,
                                             const gsize *shape, gconstpointer data);
SEGUE_API void segue_safetensors_writer_add_f32 (SegueSafetensorsWriter *writer, const char *name,
                                                 guint n_dims, const gsize *shape,
                                                 const float *data);

/* The same, but the writer takes ownership of `data` and g_free ()s it: for unpacked copies. */
SEGUE_API void segue_safetensors_writer_take_f32 (SegueSafetensorsWriter *writer, const char *name,
                                                  guint n_dims, const gsize *shape, float *data);

/* Writes a temporary file beside `path`, fsyncs it and renames it to `path`, which is always either
 * the complete new file or the old one. Equal content gives equal bytes. Tensors are in the order of
 * their names, those of wider dtypes first, so that all are aligned. Errors:
 * SEGUE_ERROR_CANNOT_CREATE, SEGUE_ERROR_IO. */
SEGUE_API gboolean segue_safetensors_writer_write (SegueSafetensorsWriter *writer, const char *path,
                                                   GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueSafetensors, segue_safetensors_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueSafetensorsWriter, segue_safetensors_writer_free)

G_END_DECLS
