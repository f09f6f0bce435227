/* The sound of an item at an encoder's rate and number of channels. */
#pragma once

#include <segue/item.h>

/** sound_convert: (transfer full): float32 [length, @channels] at @rate Hz.
 * @channels: 1: the mean of the item's channels; 2: its two channels, or their mean in both if it has another number
 *
 * %SEGUE_ERROR_RESOURCE if memory runs out. */
GBytes *sound_convert (SegueItem *audio, guint rate, guint channels, GError **error);
