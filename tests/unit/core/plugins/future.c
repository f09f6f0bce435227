/* A plugin for an interface that does not exist yet: this version understands only the first fields
 * of its descriptor. */
#include <segue/plugin.h>

SEGUE_API const SeguePlugin *segue_plugin_query (void);

const SeguePlugin *
segue_plugin_query (void)
{
  static const SeguePlugin plugin =
    SEGUE_INIT (SeguePlugin, .abi_major = PLUGIN_ABI_MAJOR, .abi_minor = PLUGIN_ABI_MINOR);
  return &plugin;
}
