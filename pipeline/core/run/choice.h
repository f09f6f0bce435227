/* `decode` at work: decoders that are asked one after the other until one can read the item (internal).
 *
 * Each is a chain of its own stage, opened when it is first asked; so most runs have the workers of one
 * decoder.  The next is asked where one answers %SEGUE_ERROR_UNSUPPORTED, or does not start here. */
#pragma once

#include "context-private.h"

typedef struct _SegueChoice SegueChoice;

/** segue_choice_new: opens the first decoder that starts.
 * @context: of the stage that has decoders; borrowed for life */
SegueChoice *segue_choice_new (SegueContext *context, GError **error);
void segue_choice_free (SegueChoice *choice);

/** segue_choice_process: as the stage type's process (): what @item becomes is emitted into the context. */
gboolean segue_choice_process (SegueChoice *choice, SegueItem *item, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueChoice, segue_choice_free)
