/* A plugin that needs a symbol that does not exist. */
#include <segue/plugin.h>

extern void segue_test_nobody_has_this (void);

SEGUE_API const SeguePlugin *segue_plugin_query (void);

const SeguePlugin *
segue_plugin_query (void)
{
  segue_test_nobody_has_this ();
  return NULL;
}
