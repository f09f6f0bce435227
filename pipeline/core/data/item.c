/* Items: kind, id, metadata and payload; sealed when they are emitted. */
#include "item-private.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _SegueOpenFile {
  int fd;
};

SegueOpenFile *
segue_open_file_new (int fd)
{
  SegueOpenFile *file = g_atomic_rc_box_new (SegueOpenFile);
  file->fd = fd;
  return file;
}

static void
clear_open_file (gpointer data)
{
  close (((SegueOpenFile *) data)->fd);
}

static void
free_item (SegueItem *item)
{
  g_ref_string_release (item->id);
  g_ref_string_release (item->song);
  segue_metadata_unref (item->metadata);
  segue_reads_unref (item->reads);
  g_clear_pointer (&item->key, g_ref_string_release);
  g_clear_pointer (&item->bytes, g_bytes_unref);
  g_clear_pointer (&item->extent.memory, g_bytes_unref);
  segue_storage_unref (item->extent.storage);
  g_clear_pointer (&item->path, g_ref_string_release);
  if (item->file)
    g_atomic_rc_box_release_full (item->file, clear_open_file);
  g_free (item->shape);
  g_free (item);
}

static SegueItem *
new_item (SegueKind kind)
{
  SegueItem *item = g_new0 (SegueItem, 1);
  g_atomic_ref_count_init (&item->refs);
  item->kind = kind;
  return item;
}

static SegueItem *
new_root (SegueKind kind, const char *id)
{
  SegueItem *item = new_item (kind);
  item->id = g_ref_string_new (id);
  item->song = g_ref_string_acquire (item->id);
  item->metadata = segue_metadata_new ();
  return item;
}

static GRefString *
derive_id (const SegueItem *parent, const char *suffix)
{
  g_autofree char *id = suffix ? g_strconcat (parent->id, "#", suffix, NULL) : NULL;
  return id ? g_ref_string_new (id) : g_ref_string_acquire (parent->id);
}

SegueItem *
segue_item_derive (SegueKind kind, const SegueItem *parent, const char *suffix)
{
  if (!parent)
    return new_root (kind, suffix);
  SegueItem *item = new_item (kind);
  item->id = derive_id (parent, suffix);
  item->song = g_ref_string_acquire (parent->song);
  item->metadata = segue_metadata_ref (parent->metadata);
  item->origin = parent->origin;
  item->reads = parent->reads ? segue_reads_ref (parent->reads) : NULL;
  return item;
}

SegueItem *
segue_item_new_file (const char *id, const char *path)
{
  g_return_val_if_fail (id && path, NULL);
  SegueItem *item = new_root (SEGUE_KIND_FILE, id);
  item->path = g_ref_string_new (path);
  return item;
}

SegueItem *
segue_item_new_folder (SegueKind kind, const char *id, const char *path)
{
  g_return_val_if_fail (kind == SEGUE_KIND_MODEL || kind == SEGUE_KIND_METRICS, NULL);
  g_return_val_if_fail (id && path, NULL);
  SegueItem *item = new_root (kind, id);
  item->path = g_ref_string_new (path);
  return item;
}

SegueItem *
segue_item_new_audio (SegueItem *parent, const char *suffix, GBytes *frames, guint rate,
                      guint channels)
{
  g_return_val_if_fail (parent || suffix, NULL);
  g_return_val_if_fail (frames && rate > 0 && channels > 0, NULL);
  g_return_val_if_fail (g_bytes_get_size (frames) % (sizeof (float) * channels) == 0, NULL);
  SegueItem *item = segue_item_derive (SEGUE_KIND_AUDIO, parent, suffix);
  item->bytes = g_bytes_ref (frames);
  item->rate = rate;
  item->channels = channels;
  return item;
}

gboolean
segue_shape_bytes (SegueDtype dtype, guint rank, const guint64 *shape, gsize *bytes)
{
  gsize total = segue_dtype_size (dtype);
  if (rank > SEGUE_MAX_RANK || total == 0)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    if (shape[i] > G_MAXSSIZE || !g_size_checked_mul (&total, total, (gsize) shape[i]) ||
        total > G_MAXSSIZE)
      return FALSE;
  *bytes = total;
  return TRUE;
}

SegueItem *
segue_item_new_tensor (SegueKind kind, SegueItem *parent, const char *suffix, GBytes *data,
                       SegueDtype dtype, guint rank, const gsize *shape)
{
  g_return_val_if_fail (kind == SEGUE_KIND_TENSOR || kind == SEGUE_KIND_PREDICTIONS, NULL);
  g_return_val_if_fail (parent || suffix, NULL);
  g_return_val_if_fail (data && rank <= SEGUE_MAX_RANK, NULL);
  guint64 sizes[SEGUE_MAX_RANK] = { 0 };
  gsize bytes = 0;
  for (guint i = 0; i < rank; i++)
    sizes[i] = shape[i];
  g_return_val_if_fail (segue_shape_bytes (dtype, rank, sizes, &bytes), NULL);
  g_return_val_if_fail (g_bytes_get_size (data) == bytes, NULL);

  SegueItem *item = segue_item_derive (kind, parent, suffix);
  item->bytes = g_bytes_ref (data);
  item->dtype = dtype;
  segue_item_set_shape (item, rank, shape);
  return item;
}

SegueItem *
segue_item_ref (SegueItem *item)
{
  g_atomic_ref_count_inc (&item->refs);
  return item;
}

void
segue_item_unref (SegueItem *item)
{
  if (item && g_atomic_ref_count_dec (&item->refs))
    free_item (item);
}

void
segue_item_seal (SegueItem *item)
{
  /* An item may be emitted again by another thread: don't write what is so already. */
  if (!item->sealed)
    item->sealed = TRUE;
}

void
segue_item_set_shape (SegueItem *item, guint rank, const gsize *shape)
{
  item->rank = rank;
  item->shape = rank > 0 ? g_memdup2 (shape, rank * sizeof *shape) : NULL;
}

/* A derived item with the same payload description; the bytes are left to the caller. */
static SegueItem *
copy_without_bytes (const SegueItem *item)
{
  SegueItem *copy = segue_item_derive (item->kind, item, NULL);
  copy->key = item->key ? g_ref_string_acquire (item->key) : NULL;
  copy->key_index = item->key_index;
  copy->path = item->path ? g_ref_string_acquire (item->path) : NULL;
  copy->file = item->file ? g_atomic_rc_box_acquire (item->file) : NULL;
  copy->rate = item->rate;
  copy->channels = item->channels;
  copy->dtype = item->dtype;
  segue_item_set_shape (copy, item->rank, item->shape);
  return copy;
}

static void
set_extent (SegueItem *item, const SegueExtent *extent)
{
  item->extent = *extent;
  if (extent->storage)
    segue_storage_ref (extent->storage);
  if (extent->memory)
    g_bytes_ref (extent->memory);
}

SegueItem *
segue_item_copy (const SegueItem *item)
{
  SegueItem *copy = copy_without_bytes (item);
  copy->bytes = item->bytes ? g_bytes_ref (item->bytes) : NULL;
  set_extent (copy, &item->extent);
  return copy;
}

SegueItem *
segue_item_copy_as_input (const SegueItem *item, SegueReads *reads, guint origin)
{
  SegueItem *copy = segue_item_copy (item);
  segue_metadata_disown (&copy->metadata);
  g_clear_pointer (&copy->reads, segue_reads_unref);
  copy->reads = reads ? segue_reads_ref (reads) : NULL;
  copy->origin = origin;
  segue_item_seal (copy);
  return copy;
}

SegueItem *
segue_item_copy_as_output (const SegueItem *item, const SegueExtent *extent)
{
  SegueItem *copy = copy_without_bytes (item);
  set_extent (copy, extent);
  segue_item_seal (copy);
  return copy;
}

SegueItem *
segue_item_copy_as_entry (const SegueItem *item, const SegueExtent *extent)
{
  SegueItem *copy = segue_item_copy_as_output (item, extent);
  segue_metadata_disown (&copy->metadata);
  g_clear_pointer (&copy->reads, segue_reads_unref);
  copy->origin = 0;
  return copy;
}

SegueItem *
segue_item_load (SegueItem *entry, GError **error)
{
  if (!segue_kind_has_bytes (entry->kind) || entry->bytes)
    return segue_item_ref (entry);
  g_autoptr (GBytes) bytes = segue_extent_read (&entry->extent, error);
  if (!bytes)
    return NULL;
  SegueItem *item = copy_without_bytes (entry);
  item->bytes = g_steal_pointer (&bytes);
  segue_item_seal (item);
  return item;
}

SegueKind
segue_item_get_kind (const SegueItem *item)
{
  return item->kind;
}

const char *
segue_item_get_id (const SegueItem *item)
{
  return item->id;
}

const char *
segue_item_get_song (const SegueItem *item)
{
  return item->song;
}

const char *
segue_item_get_suffix (const SegueItem *item)
{
  gsize length = strlen (item->song);
  if (strncmp (item->id, item->song, length) != 0)
    return NULL;
  const char *suffix = item->id + length;
  return *suffix == '\0' || *suffix == '#' ? suffix : NULL;
}

int
segue_item_compare (gconstpointer a, gconstpointer b)
{
  const SegueItem *first = *(SegueItem *const *) a;
  const SegueItem *second = *(SegueItem *const *) b;
  int order = first->song == second->song ? 0 : strcmp (first->song, second->song);
  return order ? order : strcmp (first->id, second->id);
}

gboolean
segue_item_has_payload (const SegueItem *item)
{
  return item->bytes || item->path;
}

GBytes *
segue_item_get_bytes (const SegueItem *item)
{
  return item->bytes;
}

const char *
segue_item_get_path (const SegueItem *item)
{
  return item->path;
}

int
segue_item_open (SegueItem *item, GError **error)
{
  g_return_val_if_fail (item->kind == SEGUE_KIND_FILE, -1);
  struct stat info;
  /* Without O_NONBLOCK opening a named pipe would wait for a writer. */
  int fd = item->file ? fcntl (item->file->fd, F_DUPFD_CLOEXEC, 3)
                      : open (item->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd >= 0 && fstat (fd, &info) == 0) {
    if (S_ISREG (info.st_mode) && lseek (fd, 0, SEEK_SET) == 0)
      return fd;
    close (fd);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is not a regular file", item->id);
    return -1;
  }
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read the song", item->id);
  if (fd >= 0)
    close (fd);
  return -1;
}

guint
segue_item_get_rate (const SegueItem *item)
{
  return item->rate;
}

guint
segue_item_get_channels (const SegueItem *item)
{
  return item->channels;
}

const float *
segue_item_get_frames (const SegueItem *item, gsize *n_frames)
{
  *n_frames = 0;
  g_return_val_if_fail (item->kind == SEGUE_KIND_AUDIO && item->bytes, NULL);
  gsize size;
  const float *frames = g_bytes_get_data (item->bytes, &size);
  *n_frames = size / (sizeof (float) * item->channels);
  return frames;
}

SegueDtype
segue_item_get_dtype (const SegueItem *item)
{
  return item->dtype;
}

const gsize *
segue_item_get_shape (const SegueItem *item, guint *rank)
{
  static const gsize none[SEGUE_MAX_RANK] = { 0 };
  if (rank)
    *rank = item->rank;
  return item->shape ? item->shape : none;
}

/* A value of @type as a stage sees it (nullable); a look at what came from outside is noted. */
static const SegueMetadataValue *
look_at (const SegueItem *item, const char *key, char type)
{
  const SegueMetadataValue *value = segue_metadata_find (item->metadata, key);
  if (item->reads && !(value && value->own))
    segue_reads_add (item->reads, key);
  return value && value->type == type ? value : NULL;
}

const char *
segue_item_get_string (const SegueItem *item, const char *key)
{
  if (g_str_equal (key, SEGUE_META_SONG))
    return item->song;
  const SegueMetadataValue *value = look_at (item, key, 's');
  return value ? value->s : NULL;
}

double
segue_item_get_double (const SegueItem *item, const char *key, double fallback)
{
  const SegueMetadataValue *value = look_at (item, key, 'd');
  return value ? value->d : fallback;
}

gint64
segue_item_get_int (const SegueItem *item, const char *key, gint64 fallback)
{
  const SegueMetadataValue *value = look_at (item, key, 'x');
  return value ? value->x : fallback;
}

static gboolean
may_set (const SegueItem *item, const char *key)
{
  return !item->sealed && key && *key && g_utf8_validate (key, -1, NULL) &&
         !g_str_equal (key, SEGUE_META_SONG);
}

void
segue_item_set_string (SegueItem *item, const char *key, const char *value)
{
  g_return_if_fail (may_set (item, key) && value);
  GVariant *text = g_utf8_validate (value, -1, NULL)
                     ? g_variant_new_string (value)
                     : g_variant_new_take_string (g_utf8_make_valid (value, -1));
  segue_metadata_set (&item->metadata, key, text);
}

void
segue_item_set_double (SegueItem *item, const char *key, double value)
{
  g_return_if_fail (may_set (item, key));
  segue_metadata_set (&item->metadata, key, g_variant_new_double (value));
}

void
segue_item_set_int (SegueItem *item, const char *key, gint64 value)
{
  g_return_if_fail (may_set (item, key));
  segue_metadata_set (&item->metadata, key, g_variant_new_int64 (value));
}

GVariant *
segue_item_get_metadata (const SegueItem *item)
{
  GVariantIter iter;
  const char *key;
  GVariant *all = segue_metadata_to_variant (item->metadata, FALSE);
  if (!item->reads)
    return all;
  /* Which keys there are is a fact from outside, too. */
  segue_reads_add (item->reads, "*");
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_next (&iter, "{&sv}", &key, NULL))
    if (!segue_metadata_find (item->metadata, key)->own)
      segue_reads_add (item->reads, key);
  return all;
}

void
segue_item_set_metadata (SegueItem *item, GVariant *metadata)
{
  g_return_if_fail (!item->sealed);
  g_return_if_fail (segue_metadata_is_valid (metadata));
  GVariantIter iter;
  const char *key;
  GVariant *value;
  g_variant_iter_init (&iter, metadata);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    if (!g_str_equal (key, SEGUE_META_SONG))
      segue_metadata_set (&item->metadata, key, value);
}

const char *
segue_kind_to_string (SegueKind kind)
{
  static const char *const names[] = {
    [SEGUE_KIND_ANY] = "any",         [SEGUE_KIND_FILE] = "file",
    [SEGUE_KIND_AUDIO] = "audio",     [SEGUE_KIND_TENSOR] = "tensor",
    [SEGUE_KIND_MODEL] = "model",     [SEGUE_KIND_PREDICTIONS] = "predictions",
    [SEGUE_KIND_METRICS] = "metrics",
  };
  return (guint) kind < G_N_ELEMENTS (names) ? names[kind] : "unknown";
}

gsize
segue_dtype_size (SegueDtype dtype)
{
  switch (dtype) {
  case SEGUE_DTYPE_F32:
  case SEGUE_DTYPE_I32:
    return 4;
  case SEGUE_DTYPE_BF16:
    return 2;
  case SEGUE_DTYPE_U8:
    return 1;
  }
  return 0;
}
