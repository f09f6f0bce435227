/* Files with the same recording: the same bytes, or the same audio with other tags. */
#pragma once

#include <segue/context.h>

/**
 * twins_sort_out: (transfer container): those of @songs that are used.
 *
 * Of several files with one recording and one label the first is used; the others are skipped, with the reason.
 * Where one recording has several labels, each label keeps a file: these get the same %SEGUE_META_RECORDING, and a
 * warning names them. %NULL only where the run was cancelled.
 */
GPtrArray *twins_sort_out (GPtrArray *songs, SegueContext *context, GError **error);
