/* Shared by reading and writing of results (internal). */
#pragma once

#include "store/result.h"

#define SEGUE_RESULT_MAGIC      "SEGUERES"
#define SEGUE_RESULT_VERSION    2
#define SEGUE_RESULT_FIXED      48
#define SEGUE_RESULT_MAX_HEADER (64 * 1024 * 1024)
/* port, passed, key, path, form */
#define SEGUE_RESULT_ITEM "(ubss" SEGUE_ITEM_FORM ")"
/* key, is_reads, reads, view port and output, counters, lines, failures, files: name, size, SHA-256;
 * items, bytes of `items`, SHA-256 of it */
#define SEGUE_RESULT_TYPE "(sbasxua(sx)a(ustd)a(ss)a(sts)a" SEGUE_RESULT_ITEM "ts)"

/** segue_result_clear_…: for arrays of them. */
void segue_result_clear_item (gpointer item);
/** segue_result_sync_folder: makes names in it durable, where the file system can. */
void segue_result_sync_folder (const char *path);
