/* Untrusted JSON, read within limits; documents as text.
 *
 * A parsed document takes up to a hundred times the memory of its text (`[{},{},…]`). All of segue
 * parses JSON with these functions: one pass over the text determines its depth, its longest string and
 * the memory that it would take, before any of that is allocated. No document takes more than 64 MiB, its
 * text included. For code that uses jansson; no other header of segue includes this one.
 */
#pragma once

#include <gio/gio.h>
#include <jansson.h>
#include <segue/version.h>

G_BEGIN_DECLS

/**
 * SegueJsonKind: the kind of a document, which determines its limits (table in json-read.c).
 * @SEGUE_JSON_SETTINGS: config.json, segue.json and the like; parameters, resolved pipelines
 * @SEGUE_JSON_WEIGHTS: the header of a safetensors file
 * @SEGUE_JSON_SUMMARY: the summary of a run
 * @SEGUE_JSON_METRICS: metrics.json; the value of `confusion` is not read, and is null
 * @SEGUE_JSON_SERVED: a file of a run, read while a user waits for a page
 */
typedef enum {
  SEGUE_JSON_SETTINGS,
  SEGUE_JSON_WEIGHTS,
  SEGUE_JSON_SUMMARY,
  SEGUE_JSON_METRICS,
  SEGUE_JSON_SERVED,
} SegueJsonKind;

/**
 * SegueJsonFlags:
 * @SEGUE_JSON_OPTIONAL: a missing file is not an error
 * @SEGUE_JSON_FOLLOW_LINK: the file may be a symbolic link, as in a Hugging Face cache
 */
typedef enum {
  SEGUE_JSON_FLAGS_NONE = 0,
  SEGUE_JSON_OPTIONAL = 1 << 0,
  SEGUE_JSON_FOLLOW_LINK = 1 << 1,
} SegueJsonFlags;

/**
 * segue_json_parse: (transfer full): parses the object or list in @text; any thread.
 * @text: @length bytes, or -1: zero-terminated
 * @place: its name in errors: a path, any bytes
 *
 * A duplicate key in an object is an error. %SEGUE_ERROR_DATA: not JSON, or beyond a limit (the
 * message names place, line, column and limit); %SEGUE_ERROR_CANCELLED.
 */
SEGUE_API
json_t *segue_json_parse (const char *text, gssize length, const char *place, SegueJsonKind kind,
                          GCancellable *cancellable, GError **error);

/**
 * segue_json_read: (transfer full): the object in the file @path; any thread.
 *
 * A FIFO or a device is an error and never blocks. Errors as of segue_json_parse(), and
 * %SEGUE_ERROR_NO_INPUT, %SEGUE_ERROR_IO. %NULL without an error: the file is missing, with
 * @SEGUE_JSON_OPTIONAL.
 */
SEGUE_API
json_t *segue_json_read (const char *path, SegueJsonKind kind, SegueJsonFlags flags,
                         GCancellable *cancellable, GError **error);

/** segue_json_read_fd: the same for an open file, from its beginning; @fd stays open. */
SEGUE_API
json_t *segue_json_read_fd (int fd, const char *place, SegueJsonKind kind,
                            GCancellable *cancellable, GError **error);

/** segue_json_number: (transfer full): null if @value is infinite or NaN, which JSON does not have. */
SEGUE_API
json_t *segue_json_number (double value);

/**
 * segue_json_print: (transfer full): the text of @document, without a line feed at its end.
 * @document: (transfer full) (nullable): %NULL: null
 * @flags: those of jansson: %JSON_COMPACT or JSON_INDENT (2); JSON_REAL_PRECISION (9) restores a float32 bit for bit
 */
SEGUE_API
char *segue_json_print (json_t *document, gsize flags);

G_END_DECLS
