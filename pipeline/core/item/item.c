/* Items: kind, id, metadata and payload; sealed when they are emitted. */
#include "item/item-private.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/collect.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

SegueItemBody *
segue_item_own_body (SegueItem *item)
{
  SegueItemBody *shared = item->body;
  if (g_atomic_ref_count_compare (&shared->refs, 1))
    return shared;
  item->body = segue_item_body_copy (shared, &shared->extent);
  segue_item_body_unref (shared);
  return item->body;
}

/* @body: (transfer full) */
static SegueItem *
new_item (SegueItemBody *body)
{
  SegueItem *item = g_new0 (SegueItem, 1);
  g_atomic_ref_count_init (&item->refs);
  item->body = body;
  return item;
}

static void
free_item (SegueItem *item)
{
  segue_item_body_unref (item->body);
  segue_metadata_unref (item->metadata);
  segue_reads_unref (item->reads);
  g_clear_pointer (&item->bytes, g_bytes_unref);
  g_free (item);
}

static SegueItem *
new_root (SegueKind kind, const char *id)
{
  g_autoptr (GRefString) song = g_ref_string_new (id);
  SegueItem *item = new_item (segue_item_body_new (kind, id, song));
  item->metadata = segue_metadata_new ();
  return item;
}

/* @body: (transfer full): with the metadata of @parent. */
static SegueItem *
new_child (SegueItemBody *body, const SegueItem *parent)
{
  SegueItem *item = new_item (body);
  item->metadata = segue_metadata_ref (parent->metadata);
  item->reads = parent->reads ? segue_reads_ref (parent->reads) : NULL;
  item->origin = parent->origin;
  item->derived = parent->sealed || parent->derived;
  return item;
}

SegueItem *
segue_item_derive (SegueKind kind, const SegueItem *parent, const char *suffix)
{
  if (!parent)
    return new_root (kind, suffix);
  const char *from = parent->body->id;
  g_autofree char *id = suffix ? g_strconcat (from, "#", suffix, NULL) : NULL;
  return new_child (segue_item_body_new (kind, id ? id : from, parent->body->song), parent);
}

SegueItem *
segue_item_new_file (const char *id, const char *path)
{
  g_return_val_if_fail (id && path, NULL);
  SegueItem *item = new_root (SEGUE_KIND_FILE, id);
  item->body->path = g_ref_string_new (path);
  return item;
}

SegueItem *
segue_item_new_folder (SegueKind kind, const char *id, const char *path)
{
  g_return_val_if_fail (
    kind == SEGUE_KIND_MODEL || kind == SEGUE_KIND_METRICS || kind == SEGUE_KIND_SUMMARY, NULL);
  g_return_val_if_fail (id && path, NULL);
  SegueItem *item = new_root (kind, id);
  item->body->path = g_ref_string_new (path);
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
  item->body->rate = rate;
  item->body->channels = channels;
  return item;
}

SegueItem *
segue_item_new_tensor (SegueKind kind, SegueItem *parent, const char *suffix, GBytes *data,
                       SegueDtype dtype, guint rank, const gsize *shape)
{
  g_return_val_if_fail (kind == SEGUE_KIND_TENSOR || kind == SEGUE_KIND_PREDICTIONS, NULL);
  g_return_val_if_fail (parent || suffix, NULL);
  g_return_val_if_fail (data && rank <= SEGUE_MAX_RANK, NULL);
  gsize bytes = 0;
  g_return_val_if_fail (segue_shape_bytes (dtype, rank, shape, &bytes), NULL);
  g_return_val_if_fail (g_bytes_get_size (data) == bytes, NULL);

  SegueItem *item = segue_item_derive (kind, parent, suffix);
  item->bytes = g_bytes_ref (data);
  item->body->dtype = dtype;
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
  /* Another thread may emit an item again: don't write an unchanged value. */
  if (!item->sealed)
    item->sealed = TRUE;
}

void
segue_item_set_shape (SegueItem *item, guint rank, const gsize *shape)
{
  item->body->rank = rank;
  item->body->shape = rank > 0 ? g_memdup2 (shape, rank * sizeof *shape) : NULL;
}

/* Copies all but the bytes. */
static SegueItem *
copy_without_bytes (const SegueItem *item)
{
  g_atomic_ref_count_inc (&item->body->refs);
  return new_child (item->body, item);
}

SegueItem *
segue_item_copy (const SegueItem *item)
{
  SegueItem *copy = copy_without_bytes (item);
  copy->bytes = item->bytes ? g_bytes_ref (item->bytes) : NULL;
  return copy;
}

SegueItem *
segue_item_copy_as_augmented (const SegueItem *item, guint n)
{
  g_autofree char *suffix = g_strdup_printf ("copy-%u", n);
  SegueItem *copy = segue_item_derive (item->body->kind, item, suffix);
  copy->bytes = item->bytes ? g_bytes_ref (item->bytes) : NULL;
  copy->body->dtype = item->body->dtype;
  copy->body->rate = item->body->rate;
  copy->body->channels = item->body->channels;
  segue_item_set_shape (copy, item->body->rank, item->body->shape);
  segue_item_set_int (copy, SEGUE_META_COPY, n);
  segue_item_seal (copy);
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
  gboolean there = memcmp (&item->body->extent, extent, sizeof *extent) == 0;
  SegueItem *copy =
    there ? copy_without_bytes (item) : new_child (segue_item_body_copy (item->body, extent), item);
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
  if (!segue_kind_has_bytes (entry->body->kind) || entry->bytes)
    return segue_item_ref (entry);
  g_autoptr (GBytes) bytes = segue_extent_read (&entry->body->extent, error);
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
  return item->body->kind;
}

const char *
segue_item_get_id (const SegueItem *item)
{
  return item->body->id;
}

const char *
segue_item_get_song (const SegueItem *item)
{
  return item->body->song;
}

const char *
segue_item_get_suffix (const SegueItem *item)
{
  gsize length = strlen (item->body->song);
  if (strncmp (item->body->id, item->body->song, length) != 0)
    return NULL;
  const char *suffix = item->body->id + length;
  return *suffix == '\0' || *suffix == '#' ? suffix : NULL;
}

int
segue_item_compare (gconstpointer a, gconstpointer b)
{
  const SegueItem *first = *(SegueItem *const *) a;
  const SegueItem *second = *(SegueItem *const *) b;
  int order =
    first->body->song == second->body->song ? 0 : strcmp (first->body->song, second->body->song);
  return order ? order : strcmp (first->body->id, second->body->id);
}

gboolean
segue_item_has_payload (const SegueItem *item)
{
  return item->bytes || item->body->path;
}

GBytes *
segue_item_get_bytes (const SegueItem *item)
{
  return item->bytes;
}

const char *
segue_item_get_path (const SegueItem *item)
{
  return item->body->path;
}

int
segue_item_open (SegueItem *item, GError **error)
{
  g_return_val_if_fail (item->body->kind == SEGUE_KIND_FILE, -1);
  struct stat info;
  /* Without O_NONBLOCK, opening a named pipe would wait for a writer. */
  int fd = item->body->file ? fcntl (segue_open_file_get_fd (item->body->file), F_DUPFD_CLOEXEC, 3)
                            : open (item->body->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  /* A socket, or a device that does not exist. */
  gboolean other = fd < 0 && (errno == ENXIO || errno == ENODEV);
  if (other || (fd >= 0 && fstat (fd, &info) == 0)) {
    if (!other && S_ISREG (info.st_mode) && lseek (fd, 0, SEEK_SET) == 0)
      return fd;
    if (fd >= 0)
      close (fd);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is not a regular file",
                 item->body->id);
    return -1;
  }
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read the song",
                              item->body->id);
  if (fd >= 0)
    close (fd);
  return -1;
}

guint
segue_item_get_rate (const SegueItem *item)
{
  return item->body->rate;
}

guint
segue_item_get_channels (const SegueItem *item)
{
  return item->body->channels;
}

const float *
segue_item_get_frames (const SegueItem *item, gsize *n_frames)
{
  *n_frames = 0;
  g_return_val_if_fail (item->body->kind == SEGUE_KIND_AUDIO && item->bytes, NULL);
  gsize size;
  const float *frames = g_bytes_get_data (item->bytes, &size);
  *n_frames = size / (sizeof (float) * item->body->channels);
  return frames;
}

SegueDtype
segue_item_get_dtype (const SegueItem *item)
{
  return item->body->dtype;
}

const gsize *
segue_item_get_shape (const SegueItem *item, guint *rank)
{
  static const gsize none[SEGUE_MAX_RANK] = { 0 };
  if (rank)
    *rank = item->body->rank;
  return item->body->shape ? item->body->shape : none;
}

/* A value of @type as a stage sees it (nullable); a read of metadata from outside is recorded. */
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
    return item->body->song;
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

/* Warns about a caller's mistake, which nothing else would show. */
static gboolean
may_set (const SegueItem *item, const char *key)
{
  g_return_val_if_fail (key && *key && g_utf8_validate (key, -1, NULL), FALSE);
  g_return_val_if_fail (!g_str_equal (key, SEGUE_META_SONG), FALSE);
  if (item->sealed)
    g_critical ("‘%s’ can't be changed, it is an input or was emitted: set `%s` on an item that "
                "you made, before you emit it",
                item->body->id, key);
  return !item->sealed;
}

void
segue_item_set_string (SegueItem *item, const char *key, const char *value)
{
  g_return_if_fail (value);
  if (!may_set (item, key))
    return;
  GVariant *text = g_utf8_validate (value, -1, NULL)
                     ? g_variant_new_string (value)
                     : g_variant_new_take_string (g_utf8_make_valid (value, -1));
  segue_metadata_set (&item->metadata, key, text);
}

void
segue_item_set_double (SegueItem *item, const char *key, double value)
{
  if (!may_set (item, key))
    return;
  segue_metadata_set (&item->metadata, key, g_variant_new_double (value));
}

void
segue_item_set_int (SegueItem *item, const char *key, gint64 value)
{
  if (!may_set (item, key))
    return;
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
  /* The set of keys also comes from outside. */
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
  case SEGUE_DTYPE_F64:
    return 8;
  }
  return 0;
}
