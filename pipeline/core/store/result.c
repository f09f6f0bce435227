/* Results: the structure, and reading it: nothing is trusted before it is checked. */
#include "base/interned.h"
#include "base/sha256.h"
#include "item/counts.h"
#include "store/header.h"
#include "store/result-private.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

void
segue_result_clear_item (gpointer data)
{
  SegueResultItem *item = data;
  g_free (item->key);
  g_free (item->path);
  segue_item_form_clear (&item->form);
}

static void
clear_line (gpointer data)
{
  segue_interned_release (((SegueResultLine *) data)->text);
}

static void
clear_failure (gpointer data)
{
  g_free (((SegueResultFailure *) data)->id);
  g_free (((SegueResultFailure *) data)->reason);
}

static void
clear_count (gpointer data)
{
  g_free (((SegueCount *) data)->name);
}

static GArray *
new_array (guint size, GDestroyNotify clear)
{
  GArray *array = g_array_new (FALSE, TRUE, size);
  g_array_set_clear_func (array, clear);
  return array;
}

SegueResult *
segue_result_new (const char *key)
{
  SegueResult *result = g_new0 (SegueResult, 1);
  result->key = g_strdup (key);
  result->reads = g_new0 (char *, 1);
  result->view_port = -1;
  result->counts = new_array (sizeof (SegueCount), clear_count);
  result->lines = new_array (sizeof (SegueResultLine), clear_line);
  result->failures = new_array (sizeof (SegueResultFailure), clear_failure);
  result->items = new_array (sizeof (SegueResultItem), segue_result_clear_item);
  result->files = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_tree_file_free);
  result->bytes_key = g_strdup ("");
  return result;
}

void
segue_result_free (SegueResult *result)
{
  if (!result)
    return;
  g_free (result->key);
  g_strfreev (result->reads);
  g_array_unref (result->counts);
  g_array_unref (result->lines);
  g_array_unref (result->failures);
  g_array_unref (result->items);
  g_ptr_array_unref (result->files);
  g_free (result->bytes_key);
  g_free (result);
}

static gboolean
damaged (GError **error, const char *what)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "damaged result: %s", what);
  return FALSE;
}

static gboolean
check_item (const SegueResult *result, const SegueResultItem *item, GError **error)
{
  const SegueItemForm *form = &item->form;
  const char *why;
  if (item->passed)
    return (form->origin >= 0 && form->origin <= G_MAXINT32 && *form->suffix == '\0' &&
            segue_metadata_is_valid (form->delta)) ||
           damaged (error, "an item passed on with an invalid origin");
  if (!segue_item_form_check (form, result->n_bytes, &why))
    return damaged (error, why);
  if (!segue_sha256_is_valid (item->key))
    return damaged (error, "an item without a key");
  if (form->kind == SEGUE_KIND_FILE)
    return damaged (error, "an item of an invalid kind");
  return segue_kind_has_bytes (form->kind) || *item->path == '\0' ||
         segue_tree_name_is_sound (item->path) || damaged (error, "an invalid folder name");
}

static gboolean
parse_item (GVariant *value, SegueResult *result, GError **error)
{
  const char *why;
  SegueResultItem item;
  g_autoptr (GVariant) form = NULL;
  g_variant_get (value, "(ubss@" SEGUE_ITEM_FORM ")", &item.port, &item.passed, &item.key,
                 &item.path, &form);
  gboolean fits = segue_item_form_from_variant (form, &item.form, &why);
  g_array_append_val (result->items, item);
  return fits ? check_item (result, &item, error) : damaged (error, why);
}

static void
parse_said (SegueResult *result, GVariant *counts, GVariant *lines, GVariant *failures)
{
  GVariantIter iter;
  SegueCount count = { 0 };
  SegueResultLine line;
  const char *text;
  SegueResultFailure failure;
  g_variant_iter_init (&iter, counts);
  while (g_variant_iter_next (&iter, "(sx)", &count.name, &count.n))
    g_array_append_val (result->counts, count);
  g_variant_iter_init (&iter, lines);
  while (g_variant_iter_next (&iter, "(u&std)", &line.level, &text, &line.step, &line.value)) {
    line.text = segue_interned_new (text);
    g_array_append_val (result->lines, line);
  }
  g_variant_iter_init (&iter, failures);
  while (g_variant_iter_next (&iter, "(ss)", &failure.id, &failure.reason))
    g_array_append_val (result->failures, failure);
}

static void
parse_files (SegueResult *result, GVariant *files)
{
  GVariantIter iter;
  char *name, *key;
  guint64 size;
  g_variant_iter_init (&iter, files);
  while (g_variant_iter_next (&iter, "(sts)", &name, &size, &key)) {
    SegueTreeFile *file = g_new0 (SegueTreeFile, 1);
    *file = (SegueTreeFile){ name, size, key };
    g_ptr_array_add (result->files, file);
  }
}

static gboolean
parse_header (SegueResult *result, GVariant *header, GError **error)
{
  g_autoptr (GVariant) counts = NULL;
  g_autoptr (GVariant) lines = NULL;
  g_autoptr (GVariant) failures = NULL;
  g_autoptr (GVariant) files = NULL;
  g_autoptr (GVariant) items = NULL;
  g_clear_pointer (&result->reads, g_strfreev);
  g_clear_pointer (&result->bytes_key, g_free);
  g_variant_get (header, "(sb^asxu@a(sx)@a(ustd)@a(ss)@a(sts)@a" SEGUE_RESULT_ITEM "ts)",
                 &result->key, &result->is_reads, &result->reads, &result->view_port,
                 &result->view_output, &counts, &lines, &failures, &files, &items, &result->n_bytes,
                 &result->bytes_key);
  if (!segue_sha256_is_valid (result->key))
    return damaged (error, "its key is invalid");
  parse_said (result, counts, lines, failures);
  parse_files (result, files);
  if (!segue_tree_is_sound (result->files))
    return damaged (error, "an invalid list of files");
  if (result->n_bytes > G_MAXINT64)
    return damaged (error, "its size is invalid");
  for (gsize i = 0; i < g_variant_n_children (items); i++) {
    g_autoptr (GVariant) value = g_variant_get_child_value (items, i);
    if (!parse_item (value, result, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_fixed (const guint8 *data, gsize size, GError **error)
{
  guint8 digest[SHA256_DIGEST_SIZE];
  struct sha256_ctx sha;
  if (size < SEGUE_RESULT_FIXED || memcmp (data, SEGUE_RESULT_MAGIC, 8) != 0)
    return damaged (error, "it does not begin with the signature of a result");
  if (segue_header_get (data + 8, 4) != SEGUE_RESULT_VERSION)
    return damaged (error, "it has another format version");
  if (segue_header_get (data + 12, 4) != size - SEGUE_RESULT_FIXED)
    return damaged (error, "its size is wrong");
  sha256_init (&sha);
  sha256_update (&sha, size - SEGUE_RESULT_FIXED, data + SEGUE_RESULT_FIXED);
  sha256_digest (&sha, sizeof digest, digest);
  return memcmp (digest, data + 16, sizeof digest) == 0 ||
         damaged (error, "its header's checksum is wrong");
}

SegueResult *
segue_result_parse (const guint8 *data, gsize size, GError **error)
{
  if (!check_fixed (data, size, error))
    return NULL;
  g_autoptr (GVariant) header =
    segue_header_parse (SEGUE_RESULT_TYPE, data + SEGUE_RESULT_FIXED, size - SEGUE_RESULT_FIXED);
  if (!header) {
    damaged (error, "its header is malformed");
    return NULL;
  }
  g_autoptr (SegueResult) result = segue_result_new (NULL);
  return parse_header (result, header, error) ? g_steal_pointer (&result) : NULL;
}

/* -1 with an error: about the environment, or that it is missing or not a file. */
static int
open_file (int folder, const char *name, struct stat *st, GError **error)
{
  int fd = openat (folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't open", name);
    return -1;
  }
  if (fd >= 0 && fstat (fd, st) == 0 && S_ISREG (st->st_mode))
    return fd;
  int err = fd < 0 ? errno : 0;
  if (fd >= 0)
    close (fd);
  damaged (error, err == ENOENT ? "one of its files is missing"
                                : "one of its files is not a regular file");
  return -1;
}

static SegueResult *
read_header (int folder, GError **error)
{
  struct stat st;
  if (fstatat (folder, "result", &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no result");
    return NULL;
  }
  int fd = open_file (folder, "result", &st, error);
  if (fd < 0)
    return NULL;
  gsize size = (gsize) MAX (0, st.st_size);
  g_autofree guint8 *data = NULL;
  SegueResult *result = NULL;
  if (size > SEGUE_RESULT_FIXED + SEGUE_RESULT_MAX_HEADER)
    damaged (error, "its header is too large");
  else if (!(data = g_try_malloc (MAX (size, 1))))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory");
  else if (segue_pread_all (fd, data, size, 0, "result", error))
    result = segue_result_parse (data, size, error);
  close (fd);
  return result;
}

static gboolean
check_bytes (int folder, const SegueResult *result, GError **error)
{
  struct stat st;
  if (result->n_bytes == 0)
    return TRUE;
  int fd = open_file (folder, "items", &st, error);
  if (fd < 0)
    return FALSE;
  struct sha256_ctx sha;
  sha256_init (&sha);
  guint8 buffer[CHUNK];
  gboolean ok =
    (guint64) st.st_size == result->n_bytes || damaged (error, "its items have the wrong size");
  for (guint64 at = 0; ok && at < result->n_bytes;) {
    gsize n = (gsize) MIN (result->n_bytes - at, CHUNK);
    ok = segue_pread_all (fd, buffer, n, at, "items", error);
    sha256_update (&sha, ok ? n : 0, buffer);
    at += n;
  }
  close (fd);
  g_autofree char *key = segue_sha256_finish (&sha);
  return ok && (g_str_equal (key, result->bytes_key) ||
                damaged (error, "the checksum of its items is wrong"));
}

SegueResult *
segue_result_read (const char *path, const char *key, GError **error)
{
  int folder = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0 && errno != ENOENT && errno != EMFILE && errno != ENFILE && errno != ENOMEM) {
    damaged (error, "it is not a readable folder");
    return NULL;
  }
  if (folder < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open", path);
    return NULL;
  }
  g_autoptr (SegueResult) result = read_header (folder, error);
  gboolean ok = result != NULL;
  if (ok && strcmp (result->key, key) != 0)
    ok = damaged (error, "it belongs to another key");
  ok = ok && check_bytes (folder, result, error);
  close (folder);
  return ok ? g_steal_pointer (&result) : NULL;
}
