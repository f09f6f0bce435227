/* What a stage makes of songs, such as clips: records in the store, beside those of chains (internal).
 *
 * A record contains one tensor of bytes. Its key hashes the song's bytes, the code of the stage, the components of the
 * stages that decode the song (see key.h), and a description of everything else. */
#pragma once

#include "stage/context-private.h"

typedef struct _SegueDerived SegueDerived;

/** segue_derived_new: (transfer full) (nullable): for the stage of @context and songs decoded by @decode, which must
 * both outlive it. %NULL: the stage has no cache. */
SegueDerived *segue_derived_new (SegueContext *context, const SegueGraphStage *decode);
/** segue_derived_free: accepts %NULL. */
void segue_derived_free (SegueDerived *derived);

/** segue_derived_find: see segue_decoder_recall(). */
GBytes *segue_derived_find (SegueDerived *derived, const char *path, const char *what,
                            GCancellable *cancellable, GError **error);
/** segue_derived_keep: see segue_decoder_keep(). */
gboolean segue_derived_keep (SegueDerived *derived, const char *path, const char *what,
                             GBytes *bytes, GError **error);
