/* Writing results, and copying their files: in a folder of another name, then renamed. */
#include "base/beneath.h"
#include "base/sha256.h"
#include "item/counts.h"
#include "store/header.h"
#include "store/result-private.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
segue_result_sync_folder (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void) fsync (fd);
  close (fd);
}

/* (transfer full): a folder next to @path. */
static char *
make_temporary (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *temporary = g_build_filename (parent, SEGUE_FILE_TEMPORARY "XXXXXX", NULL);
  if (!segue_file_make_folder (parent, error))
    return NULL;
  if (g_mkdtemp_full (temporary, 0777))
    return g_steal_pointer (&temporary);
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't make a folder in",
                              parent);
  return NULL;
}

/* Writes the payloads of items into @path, in order. */
static gboolean
write_items (const char *path, SegueResult *result, GPtrArray *payloads, GCancellable *cancellable,
             GError **error)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  if (!writer)
    return FALSE;
  for (guint i = 0; i < result->items->len; i++) {
    SegueResultItem *item = &g_array_index (result->items, SegueResultItem, i);
    SegueItem *entry = g_ptr_array_index (payloads, i);
    if (!entry)
      continue;
    if (cancellable && g_cancellable_set_error_if_cancelled (cancellable, NULL)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    g_autoptr (GBytes) bytes = segue_extent_read (&entry->body->extent, error);
    if (!bytes)
      return FALSE;
    gsize length;
    const void *data = g_bytes_get_data (bytes, &length);
    item->form.offset = result->n_bytes;
    item->form.length = length;
    if (length > 0 && !segue_file_writer_write (writer, data, length, error))
      return FALSE;
    sha256_update (&sha, length, data);
    result->n_bytes += length;
  }
  g_free (result->bytes_key);
  result->bytes_key = segue_sha256_finish (&sha);
  return segue_file_writer_commit (writer, error);
}

/* As bytes: a curve may have a million points, and a tree needs several times the memory of its content. */
static void
add_flat (GVariantBuilder *builder, GVariant *value)
{
  (void) g_variant_get_data (value);
  g_variant_builder_add_value (builder, value);
}

static GVariant *
describe_item (const SegueResultItem *item)
{
  return g_variant_new ("(ubss@" SEGUE_ITEM_FORM ")", item->port, item->passed,
                        item->key ? item->key : "", item->path ? item->path : "",
                        segue_item_form_to_variant (&item->form));
}

/* (transfer full) */
static GVariant *
result_describe (const SegueResult *result)
{
  g_auto (GVariantBuilder) counts = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sx)"));
  g_auto (GVariantBuilder) lines = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ustd)"));
  g_auto (GVariantBuilder) failures = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ss)"));
  g_auto (GVariantBuilder) files = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sts)"));
  g_auto (GVariantBuilder) items = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a" SEGUE_RESULT_ITEM));
  for (guint i = 0; i < result->counts->len; i++) {
    const SegueCount *count = &g_array_index (result->counts, SegueCount, i);
    g_variant_builder_add (&counts, "(sx)", count->name, count->n);
  }
  for (guint i = 0; i < result->lines->len; i++) {
    const SegueResultLine *line = &g_array_index (result->lines, SegueResultLine, i);
    add_flat (&lines, g_variant_new ("(ustd)", line->level, line->text, line->step, line->value));
  }
  for (guint i = 0; i < result->failures->len; i++) {
    const SegueResultFailure *failure = &g_array_index (result->failures, SegueResultFailure, i);
    g_variant_builder_add (&failures, "(ss)", failure->id, failure->reason);
  }
  for (guint i = 0; i < result->files->len; i++) {
    const SegueTreeFile *file = g_ptr_array_index (result->files, i);
    g_variant_builder_add (&files, "(sts)", file->name, file->size, file->key);
  }
  for (guint i = 0; i < result->items->len; i++)
    add_flat (&items, describe_item (&g_array_index (result->items, SegueResultItem, i)));
  return segue_header_swap (
    g_variant_new ("(sb^asxu@a(sx)@a(ustd)@a(ss)@a(sts)@a" SEGUE_RESULT_ITEM "ts)", result->key,
                   result->is_reads, result->reads, result->view_port, result->view_output,
                   g_variant_builder_end (&counts), g_variant_builder_end (&lines),
                   g_variant_builder_end (&failures), g_variant_builder_end (&files),
                   g_variant_builder_end (&items), result->n_bytes, result->bytes_key));
}

static gboolean
write_header (const char *path, const SegueResult *result, GError **error)
{
  struct sha256_ctx sha;
  g_autoptr (GVariant) header = result_describe (result);
  gsize length = g_variant_get_size (header);
  if (length > SEGUE_RESULT_MAX_HEADER) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "its result has too many items and messages to be cached");
    return FALSE;
  }
  g_autofree guint8 *data = g_malloc0 (SEGUE_RESULT_FIXED + length);
  g_variant_store (header, data + SEGUE_RESULT_FIXED);
  memcpy (data, SEGUE_RESULT_MAGIC, 8);
  segue_header_put (data + 8, SEGUE_RESULT_VERSION, 4);
  segue_header_put (data + 12, length, 4);
  sha256_init (&sha);
  sha256_update (&sha, length, data + SEGUE_RESULT_FIXED);
  sha256_digest (&sha, SHA256_DIGEST_SIZE, data + 16);
  return segue_file_write (path, data, (gssize) (SEGUE_RESULT_FIXED + length), error);
}

static gboolean
fill (const char *folder, SegueResult *result, GPtrArray *payloads, const char *files_folder,
      GHashTable *twins, GCancellable *cancellable, GError **error)
{
  g_autofree char *header = g_build_filename (folder, "result", NULL);
  g_autofree char *items = g_build_filename (folder, "items", NULL);
  g_autofree char *files = g_build_filename (folder, "files", NULL);
  gboolean has_bytes = FALSE;
  for (guint i = 0; i < result->items->len; i++)
    has_bytes |= g_ptr_array_index (payloads, i) != NULL;
  result->n_bytes = 0;
  if (has_bytes && !write_items (items, result, payloads, cancellable, error))
    return FALSE;
  if (files_folder && result->files->len > 0 &&
      (!segue_file_make_folder (files, error) ||
       !segue_tree_copy (files_folder, result->files, files, twins, cancellable, error)))
    return FALSE;
  return write_header (header, result, error);
}

/* Removes anything at @path. */
static void
throw_away (const char *path)
{
  g_autofree char *temporary = make_temporary (path, NULL);
  if (!temporary)
    return;
  /* rename() replaces an empty folder by a folder, not by a file. */
  if (rename (path, temporary) != 0)
    (void) g_unlink (path);
  segue_file_remove_folder (temporary, NULL);
}

/* Renames the temporary folder to @path; removes it on failure.  -1: @path exists, nothing was removed. */
static int
settle (const char *temporary, const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  segue_result_sync_folder (temporary);
  if (rename (temporary, path) == 0) {
    segue_result_sync_folder (parent);
    return TRUE;
  }
  int err = errno;
  if (err == EEXIST || err == ENOTEMPTY || err == ENOTDIR)
    return -1;
  segue_file_remove_folder (temporary, NULL);
  return segue_set_error_from_errno (error, err, SEGUE_ERROR_CANNOT_CREATE, "can't write", path);
}

gboolean
segue_result_write (const char *path, SegueResult *result, GPtrArray *payloads,
                    const char *files_folder, GHashTable *twins, gboolean replace,
                    GCancellable *cancellable, GError **error)
{
  g_autofree char *temporary = make_temporary (path, error);
  if (!temporary)
    return FALSE;
  if (!fill (temporary, result, payloads, files_folder, twins, cancellable, error)) {
    segue_file_remove_folder (temporary, NULL);
    return FALSE;
  }
  if (replace)
    throw_away (path);
  int settled = settle (temporary, path, error);
  if (settled >= 0)
    return settled;
  /* An existing result is kept, unless it is unusable. */
  g_autoptr (SegueResult) first = segue_result_read (path, result->key, NULL);
  if (!first) {
    throw_away (path);
    settled = settle (temporary, path, error);
  }
  if (settled < 0)
    segue_file_remove_folder (temporary, NULL);
  return settled != FALSE;
}

gboolean
segue_result_write_reads (const char *path, const char *key, const char *const *names,
                          GError **error)
{
  struct stat st;
  g_autoptr (SegueResult) result = segue_result_new (key);
  g_autofree char *header = g_build_filename (path, "result", NULL);
  /* Not through a link to elsewhere, nor over something that a file can't replace. */
  if ((lstat (path, &st) == 0 && !S_ISDIR (st.st_mode)) ||
      (lstat (header, &st) == 0 && !S_ISREG (st.st_mode)))
    throw_away (path);
  g_strfreev (result->reads);
  result->reads = g_strdupv ((GStrv) names);
  result->is_reads = TRUE;
  return segue_file_make_folder (path, error) && write_header (header, result, error);
}

gboolean
segue_result_copy_files (const char *path, const SegueResult *result, const char *to,
                         GHashTable *twins, GCancellable *cancellable, GError **error)
{
  g_autofree char *files = g_build_filename (path, "files", NULL);
  g_autofree char *temporary = make_temporary (to, error);
  if (!temporary)
    return FALSE;
  if (!segue_tree_copy (files, result->files, temporary, twins, cancellable, error)) {
    segue_file_remove_folder (temporary, NULL);
    return FALSE;
  }
  int settled = settle (temporary, to, error);
  if (settled >= 0)
    return settled;
  segue_file_remove_folder (temporary, NULL);
  return segue_set_error_from_errno (error, EEXIST, SEGUE_ERROR_CANNOT_CREATE, "can't write", to);
}

gboolean
segue_result_verify (const char *path, const char *key, GCancellable *cancellable, GError **error)
{
  g_autoptr (SegueResult) result = segue_result_read (path, key, error);
  if (!result)
    return FALSE;
  if (result->files->len == 0)
    return TRUE;
  g_autofree char *folder = g_build_filename (path, "files", NULL);
  g_autoptr (GPtrArray) files = segue_tree_list (folder, NULL, FALSE, cancellable, error);
  if (!files)
    return FALSE;
  g_autofree char *expected = segue_tree_key (result->files, "", NULL);
  g_autofree char *found = segue_tree_key (files, "", NULL);
  if (g_str_equal (expected, found))
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "damaged result: its files have changed");
  return FALSE;
}
