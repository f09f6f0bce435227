/* Plugins: shared objects that register stage types and model types. For every plugin: what a SOURCE or MAP stage needs
 * is in this header and those that it includes, except negotiate (): segue/format.h. See docs/writing-a-plugin.md.
 *
 *   static const SegueStageType *const stages[] = { &trim, NULL };
 *   SEGUE_PLUGIN (.name = "trim", .version = "1.0", .licence = "MIT", .stages = stages)
 *
 * A plugin is loaded once, with local binding, and never unloaded. It must not start threads, install signal handlers
 * or change the working directory when it is loaded.
 */
#pragma once

#include <segue/stage.h>

G_BEGIN_DECLS

typedef struct _SegueModelType SegueModelType;

/** SeguePlugin: the description of a shared object. */
typedef struct {
  gsize struct_size; /* the first three are set by SEGUE_PLUGIN() */
  guint abi_major;
  guint abi_minor;
  const char *name; /* `[a-z][a-z0-9-]*` */
  const char *version;
  const char *licence;
  const SegueStageType *const *stages; /* NULL-terminated, or NULL */
  const SegueModelType *const *models; /* likewise */
} SeguePlugin;

#define SEGUE_PLUGIN_SYMBOL "segue_plugin_query" /* the one exported symbol */

#define SEGUE_PLUGIN(...)                                                                          \
  G_BEGIN_DECLS                                                                                    \
  SEGUE_API const SeguePlugin *segue_plugin_query (void);                                          \
  const SeguePlugin *segue_plugin_query (void)                                                     \
  {                                                                                                \
    static const SeguePlugin plugin = SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR,       \
                                                  .abi_minor = SEGUE_ABI_MINOR, __VA_ARGS__);      \
    return &plugin;                                                                                \
  }                                                                                                \
  G_END_DECLS

G_END_DECLS
