#include "item/passage.h"

#include <math.h>
#include <segue/decoder.h>

#define START "passage-start"
#define END   "passage-end"

void
segue_item_set_passage (SegueItem *file, double start, double end)
{
  segue_item_set_double (file, START, start);
  segue_item_set_double (file, END, end);
}

/* NaN: there is none. */
static double
find (const SegueItem *file, const char *key)
{
  const SegueMetadataValue *value = segue_metadata_find (file->metadata, key);
  return value && value->type == 'd' ? value->d : NAN;
}

gboolean
segue_item_get_passage (const SegueItem *file, double *start, double *end)
{
  *start = find (file, START);
  *end = find (file, END);
  if (*start >= 0 && *end > *start)
    return TRUE;
  *start = 0;
  *end = INFINITY;
  return FALSE;
}
