/* The stage `decode`: tries decoders in order until one can read the item (internal).
 *
 * Each decoder is opened at its first use; so most runs have the workers of one decoder. The next
 * one is tried if a decoder fails with %SEGUE_ERROR_UNSUPPORTED or cannot start on this system. */
#pragma once

#include "stage/link.h"

/** segue_choice: runs stages that have decoders. */
extern const SegueCarrier segue_choice;
