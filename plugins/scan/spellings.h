/* Labels that may be the same, in different spellings. */
#pragma once

#include <segue/context.h>

/** spellings_warn: warns about labels of @songs that differ only in case, spaces, punctuation, accents or a
 * leading "The". They stay unchanged: different bands may have such names. */
void spellings_warn (const GPtrArray *songs, SegueContext *context);
