/* Checks of a JSON text's sizes before it is parsed, without allocating (internal). */
#pragma once

#include <gio/gio.h>

typedef struct {
  const char *name;   /* of the document, for messages: "settings" */
  gsize bytes;        /* of text */
  gsize memory;       /* of the parsed document, estimated from above */
  guint depth;        /* of brackets */
  gsize string;       /* bytes of a string or key, as written */
  const char *unread; /* (nullable): the key whose lists and objects are replaced by null */
} SegueJsonLimits;

/** segue_json_scan: whether @text is within @limits. It does not check that @text is JSON: jansson does,
 * once the text is known to be harmless.
 * @text: @length bytes; a value that must not be read is overwritten with null and spaces
 * @place: a path, for messages */
gboolean segue_json_scan (char *text, gsize length, const SegueJsonLimits *limits,
                          const char *place, GCancellable *cancellable, GError **error);
