/* Files that hold one recording: the same bytes, or the same sound between other tags. */
#pragma once

#include <segue/context.h>

/**
 * twins_sort_out: (transfer container): those of @songs that are taken.
 *
 * Of several files with one recording and one label the first is taken; the others are left out, with
 * the reason.  Where one recording has several labels each keeps a file: they get the same
 * %SEGUE_META_RECORDING, and a warning names them.  Only %NULL where the run was cancelled.
 */
GPtrArray *twins_sort_out (GPtrArray *songs, SegueContext *context, GError **error);
