/* Sets by name. */
#include <segue/dataset.h>

const char *
segue_set_get_name (SegueSet set)
{
  return SEGUE_SET_CHOICES[set];
}

SegueSet
segue_set_from_name (const char *name)
{
  SegueSet set = SEGUE_SET_TRAIN;
  while (set < SEGUE_N_SETS && g_strcmp0 (segue_set_get_name (set), name) != 0)
    set++;
  return set;
}
