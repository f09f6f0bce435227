/* What a JSON text would come to, found without allocating (internal). */
#pragma once

#include <gio/gio.h>

typedef struct {
  const char *name;   /* of what is read, for messages: "settings" */
  gsize bytes;        /* of text */
  gsize memory;       /* of the parsed document, by estimate from above */
  guint depth;        /* of brackets */
  gsize string;       /* bytes of a string or key, as written */
  const char *unread; /* (nullable): the key whose lists and objects become null */
} SegueJsonLimits;

/** segue_json_scan: whether @text keeps to @limits.  Not whether it is JSON: jansson says that, of a text
 * that is known to be harmless.
 * @text: @length bytes; a value that is not to be read is overwritten with null and spaces
 * @place: a path, for messages */
gboolean segue_json_scan (char *text, gsize length, const SegueJsonLimits *limits,
                          const char *place, GCancellable *cancellable, GError **error);
