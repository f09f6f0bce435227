/* Labels that may be one, spelled in several ways. */
#pragma once

#include <segue/context.h>

/** spellings_warn: names labels of @songs that differ in case, spaces, punctuation, accents or a leading "The"
 * alone.  They stay what they are: bands may well be called so. */
void spellings_warn (const GPtrArray *songs, SegueContext *context);
