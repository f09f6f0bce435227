/* Plugins: shared objects that register stage types and model types.
 *
 *   static const SegueStageType *const stages[] = { &trim, NULL };
 *
 *   SEGUE_PLUGIN (.name = "trim", .version = "1.0", .licence = "MIT", .stages = stages)
 *
 * A plugin is loaded once, with local binding, and never unloaded.  It must not start threads,
 * install signal handlers or change the working directory when it is loaded.
 */
#pragma once

#include <segue/model.h>
#include <segue/stage.h>

G_BEGIN_DECLS

/**
 * SeguePlugin: the description of a shared object.
 * @abi_major, @abi_minor: set by SEGUE_PLUGIN()
 * @name: `[a-z][a-z0-9-]*`
 * @stages, @models: %NULL-terminated, or %NULL
 */
typedef struct {
  gsize struct_size;
  guint abi_major;
  guint abi_minor;
  const char *name;
  const char *version;
  const char *licence;
  const SegueStageType *const *stages;
  const SegueModelType *const *models;
} SeguePlugin;

/* The one exported symbol. */
#define SEGUE_PLUGIN_SYMBOL "segue_plugin_query"

#define SEGUE_PLUGIN(...)                                                                          \
  G_BEGIN_DECLS                                                                                    \
  SEGUE_API const SeguePlugin *segue_plugin_query (void);                                          \
  const SeguePlugin *segue_plugin_query (void)                                                     \
  {                                                                                                \
    static const SeguePlugin plugin = { .struct_size = sizeof (SeguePlugin),                       \
                                        .abi_major = SEGUE_ABI_MAJOR,                              \
                                        .abi_minor = SEGUE_ABI_MINOR,                              \
                                        __VA_ARGS__ };                                             \
    return &plugin;                                                                                \
  }                                                                                                \
  G_END_DECLS

G_END_DECLS
