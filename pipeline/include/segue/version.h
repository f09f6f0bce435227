/* What the installed headers say about themselves. */
#pragma once

/* Everything public is marked with this; all else is hidden. */
#define SEGUE_API __attribute__ ((visibility ("default"))) extern

/**
 * SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR:
 *
 * The plugin interface that these headers describe.  A plugin loads where the major number is the
 * same and its minor number is not newer.  Major: something was removed or changed its meaning.
 * Minor: something was added (tables grow at their end; see #SegueStageType.struct_size).
 */
#define SEGUE_ABI_MAJOR 1
#define SEGUE_ABI_MINOR 3
