/* Parts of the headers of records and results: numbers, a GVariant, and SHA-256, the first two
 * little-endian (internal). */
#pragma once

#include <glib.h>

guint64 segue_header_get (const guint8 *at, guint bytes);
void segue_header_put (guint8 *at, guint64 value, guint bytes);
/** segue_header_swap: (transfer full): @header (sunk) in the byte order of files. */
GVariant *segue_header_swap (GVariant *header);
/** segue_header_parse: (transfer full) (nullable): copied bytes as a @type; NULL: not in normal form. */
GVariant *segue_header_parse (const char *type, const guint8 *data, gsize size);
