/* JSON documents within limits: the only file that calls jansson's parser. */
#include "base/json-scan.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((gsize) 1024)
#define MIB (1024 * KIB)

/* Text and document together take less than 64 MiB. */
static const SegueJsonLimits limits[] = {
  /* 90,000 labels */
  [SEGUE_JSON_SETTINGS] = { "settings", 8 * MIB, 40 * MIB, 32, MIB, NULL },
  /* 30,000 tensors; the format itself allows 100 MB */
  [SEGUE_JSON_WEIGHTS] = { "the header of weights", 16 * MIB, 40 * MIB, 8, MIB, NULL },
  /* 40,000 skipped songs, or 150,000 points of curves */
  [SEGUE_JSON_SUMMARY] = { "the summary of a run", 16 * MIB, 40 * MIB, 64, MIB, NULL },
  /* confusion matrices of 1,600 labels */
  [SEGUE_JSON_METRICS] = { "metrics", 32 * MIB, 24 * MIB, 16, 64 * KIB, "confusion" },
  [SEGUE_JSON_SERVED] = { "a run that is served", 4 * MIB, 16 * MIB, 64, 64 * KIB, "confusion" },
};

/* @text may be overwritten. */
static json_t *
parse (char *text, gsize length, const char *place, SegueJsonKind kind, GCancellable *cancellable,
       GError **error)
{
  json_error_t problem;
  if (!segue_json_scan (text, length, &limits[kind], place, cancellable, error))
    return NULL;
  json_t *root = json_loadb (text, length, JSON_REJECT_DUPLICATES, &problem);
  if (!root) {
    g_autofree char *shown = g_filename_display_name (place);
    g_autofree char *reason = g_strescape (problem.text, NULL); /* it quotes the text */
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%s:%d:%d: not valid JSON: %s", shown,
                 problem.line, problem.column, reason);
  }
  return root;
}

json_t *
segue_json_parse (const char *text, gssize length, const char *place, SegueJsonKind kind,
                  GCancellable *cancellable, GError **error)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  gboolean copied = limits[kind].unread && size <= limits[kind].bytes;
  g_autofree char *copy = copied ? g_memdup2 (text, size) : NULL;
  return parse (copied ? copy : (char *) text, size, place, kind, cancellable, error);
}

/* (transfer full): the whole file, with space for one extra byte. */
static char *
read_all (int fd, const char *place, const SegueJsonLimits *most, gsize *length, GError **error)
{
  struct stat info;
  g_autofree char *text = NULL;
  if (fstat (fd, &info) != 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", place);
    return NULL;
  }
  if (!S_ISREG (info.st_mode) || (guint64) info.st_size > most->bytes) {
    g_autofree char *shown = g_filename_display_name (place);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ is not a regular file of at most %" G_GSIZE_FORMAT " KiB (limit for %s)",
                 shown, most->bytes / KIB, most->name);
    return NULL;
  }
  gsize size = (gsize) info.st_size;
  text = g_try_malloc (size + 1);
  if (!text) {
    segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't read", place);
    return NULL;
  }
  for (*length = 0; *length < size;) {
    gssize n = pread (fd, text + *length, size - *length, (off_t) *length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", place);
      return NULL;
    }
    if (n == 0)
      break;
    *length += (gsize) n;
  }
  return g_steal_pointer (&text);
}

json_t *
segue_json_read_fd (int fd, const char *place, SegueJsonKind kind, GCancellable *cancellable,
                    GError **error)
{
  gsize length = 0;
  g_autofree char *text = read_all (fd, place, &limits[kind], &length, error);
  json_t *root = text ? parse (text, length, place, kind, cancellable, error) : NULL;
  if (!root || json_is_object (root))
    return root;
  g_autofree char *shown = g_filename_display_name (place);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ does not contain a JSON object", shown);
  json_decref (root);
  return NULL;
}

json_t *
segue_json_read (const char *path, SegueJsonKind kind, SegueJsonFlags flags,
                 GCancellable *cancellable, GError **error)
{
  /* O_NONBLOCK: a FIFO in an untrusted folder must not block. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                         (flags & SEGUE_JSON_FOLLOW_LINK ? 0 : O_NOFOLLOW));
  if (fd < 0 && errno == ENOENT && (flags & SEGUE_JSON_OPTIONAL))
    return NULL;
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
    return NULL;
  }
  json_t *root = segue_json_read_fd (fd, path, kind, cancellable, error);
  close (fd);
  return root;
}
