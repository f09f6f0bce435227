/* JSON text, written in order (internal).
 *
 * The JSON of libsegue itself: keys and files need numbers in their shortest form and seeds of 64 bits, which jansson
 * does not support, and a curve needs no tree in memory. */
#pragma once

#include <glib.h>

typedef struct {
  GString *text;
  gboolean pretty; /* two spaces per level; else compact */
  guint depth;
  gboolean empty;     /* the innermost bracket is still empty */
  gboolean after_key; /* a value comes next */
} SegueJson;

void segue_json_init (SegueJson *json, gboolean pretty);
/** segue_json_finish: (transfer full): the text; @json must not be used afterwards. */
char *segue_json_finish (SegueJson *json);
/** segue_json_open: @bracket is `{` or `[`; segue_json_close() takes the same one. */
void segue_json_open (SegueJson *json, char bracket);
void segue_json_close (SegueJson *json, char bracket);
void segue_json_key (SegueJson *json, const char *key);
/** segue_json_string: bytes that are not UTF-8 become U+FFFD; NULL becomes null. */
void segue_json_string (SegueJson *json, const char *value);
void segue_json_int (SegueJson *json, gint64 value);
void segue_json_uint (SegueJson *json, guint64 value);
/** segue_json_double: whole numbers as integers; must be finite. */
void segue_json_double (SegueJson *json, double value);
void segue_json_bool (SegueJson *json, gboolean value);
void segue_json_null (SegueJson *json);
/** segue_json_raw: @value is JSON text already. */
void segue_json_raw (SegueJson *json, const char *value);
/* A key and its value at once. */
void segue_json_key_string (SegueJson *json, const char *key, const char *value);
void segue_json_key_open (SegueJson *json, const char *key, char bracket);
