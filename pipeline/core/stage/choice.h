/* `decode` at work: decoders that are asked one after the other until one can read the item (internal).
 *
 * Each is opened when it is first asked; so most runs have the workers of one decoder.  The next is asked
 * where one answers %SEGUE_ERROR_UNSUPPORTED, or does not start here. */
#pragma once

#include "stage/link.h"

/** segue_choice: carries out stages that have decoders. */
extern const SegueCarrier segue_choice;
