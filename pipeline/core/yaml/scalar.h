/* Plain scalars of YAML 1.2's core schema as values, independent of the locale (internal). */
#pragma once

#include <glib.h>

typedef enum {
  SEGUE_SCALAR_OK,
  SEGUE_SCALAR_OTHER,     /* the text is something else */
  SEGUE_SCALAR_TOO_LARGE, /* of that type, but out of range of the C type */
  SEGUE_SCALAR_NOT_FINITE /* .inf, .nan */
} SegueScalarResult;

gboolean segue_scalar_to_bool (const char *text, gboolean *value);
/** segue_scalar_to_int: decimal, 0x and 0o; also 10.0 and 1e3, which are integers in JSON. */
SegueScalarResult segue_scalar_to_int (const char *text, gint64 *value);
SegueScalarResult segue_scalar_to_double (const char *text, double *value);
/** segue_scalar_meant: (transfer full) (nullable): the number that people may have meant by text that is
 * not a number: `1_000`, `1,000`, `0,5`, `10s`, `16 kHz`.
 * @unit: (nullable): of the number: "s", "Hz" */
char *segue_scalar_meant (const char *text, const char *unit);
