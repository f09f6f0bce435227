/* Excerpts of songs, as files that browsers play. */
#pragma once

#include "place.h"

#include <segue/context.h>

/* Seconds of a song that are decoded, and of an excerpt. */
#define EXCERPTS_DECODED 60
#define EXCERPTS_LENGTH  10

/**
 * excerpts_make:
 * @places: #Place: sets their @sound or @why
 * @folder: exists; excerpts are written to its folder PLACE_CLIPS
 *
 * Decodes each song once, several in parallel, up to EXCERPTS_DECODED s. Errors of the environment end the call.
 */
gboolean excerpts_make (GArray *places, const char *folder, SegueContext *context, GError **error);
