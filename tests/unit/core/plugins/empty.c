/* A plugin whose query returns nothing. */
#include <segue/plugin.h>

SEGUE_API const SeguePlugin *segue_plugin_query (void);

const SeguePlugin *
segue_plugin_query (void)
{
  return NULL;
}
