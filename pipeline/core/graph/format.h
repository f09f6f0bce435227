/* Formats of items, and their comparison (internal). */
#pragma once

#include <segue/format.h>

/** SegueFormatPart: the parts in which two formats may differ. */
typedef enum {
  SEGUE_FORMAT_KIND,
  SEGUE_FORMAT_RATE,
  SEGUE_FORMAT_CHANNELS,
  SEGUE_FORMAT_FRAMES,
  SEGUE_FORMAT_TENSOR,
  SEGUE_FORMAT_FITS, /* nothing */
} SegueFormatPart;

/** segue_format_of: what is known of @item, which may lack its payload. */
SEGUE_API
void segue_format_of (const SegueItem *item, SegueFormat *format);
/** segue_format_merge: @format becomes what both have in common: what differs is not known. */
SEGUE_API
void segue_format_merge (SegueFormat *format, const SegueFormat *other);
/** segue_format_compare: the first part in which @given is known to differ from @wanted. */
SegueFormatPart segue_format_compare (const SegueFormat *given, const SegueFormat *wanted);
/** segue_format_equals: whether the same is known about @part in both. */
gboolean segue_format_equals (const SegueFormat *a, const SegueFormat *b, SegueFormatPart part);
/** segue_format_describe: (transfer full): @part of @format in words: "2 channels", "float32 tensors of shape [?, 64]". */
char *segue_format_describe (const SegueFormat *format, SegueFormatPart part);
