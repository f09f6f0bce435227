/* A library for songs that a model has prepared (internal). */
#pragma once

#include "host/replay.h"

#include <segue/host/library.h>

/**
 * segue_library_follow: @library is about to be asked for songs that @preparation prepares: what is left of its own
 * preparation follows. Reads and checks all vectors.
 *
 * %SEGUE_ERROR_PIPELINE if its songs were not prepared by the stages of @preparation and, possibly, more;
 * %SEGUE_ERROR_DATA if a vector is damaged.
 */
gboolean segue_library_follow (SegueLibrary *library, const SegueReplay *preparation,
                               GError **error);

/** segue_library_find_training: (transfer full): as segue_library_find(), for segments as @preparation emitted them (at
 * least one), among training songs: those of the set train, or without a set. After segue_library_follow(); any
 * thread. */
SegueLibraryAnswer *segue_library_find_training (SegueLibrary *library, GPtrArray *items, guint max,
                                                 GCancellable *cancellable, GError **error);
