/* Shared by reading and writing of records (internal). */
#pragma once

#include "store/record.h"

#define SEGUE_RECORD_MAGIC      "SEGUEREC"
#define SEGUE_RECORD_VERSION    2
#define SEGUE_RECORD_MAX_HEADER (64 * 1024 * 1024)
/* key, components, reads, failure (code or -1, stage, message), counters, items: offsets are in the payload */
#define SEGUE_RECORD_TYPE "(sasas(ius)a(usx)a" SEGUE_ITEM_FORM ")"

/** segue_record_header_digest: of @fixed (its bytes 0…31 and 64…95) and @header. */
void segue_record_header_digest (const guint8 *fixed, const guint8 *header, gsize length,
                                 guint8 digest[32]);
