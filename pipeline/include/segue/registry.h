/* The types that the installed plugins provide: for stages that use a model, a decoder or another stage, and for hosts. */
#pragma once

#include <segue/plugin.h>

G_BEGIN_DECLS

typedef struct _SegueRegistry SegueRegistry;

/** segue_context_get_registry: (transfer none): that of the run. */
SEGUE_API SegueRegistry *segue_context_get_registry (SegueContext *context);
/** segue_negotiation_get_registry: (transfer none): likewise, in negotiate (). */
SEGUE_API SegueRegistry *segue_negotiation_get_registry (SegueNegotiation *negotiation);

/** segue_registry_find_stage: (transfer none) (nullable): as long as the registry. */
SEGUE_API const SegueStageType *segue_registry_find_stage (SegueRegistry *registry,
                                                           const char *name);
/** segue_registry_find_model: (transfer none) (nullable): as long as the registry. */
SEGUE_API const SegueModelType *segue_registry_find_model (SegueRegistry *registry,
                                                           const char *name);
/** segue_registry_list_stages: (transfer container): const #SegueStageType pointers by name. */
SEGUE_API GPtrArray *segue_registry_list_stages (SegueRegistry *registry);
/** segue_registry_list_models: (transfer container): const #SegueModelType pointers by name. */
SEGUE_API GPtrArray *segue_registry_list_models (SegueRegistry *registry);
/** segue_registry_list_decoders: (transfer container): const #SegueStageType pointers, in the order in which `decode`
 * tries them; each has @decodes. */
SEGUE_API GPtrArray *segue_registry_list_decoders (SegueRegistry *registry);
/** segue_registry_list_extensions: (transfer container): extensions of the files in a folder that are treated as songs:
 * audio files, and other files that installed decoders read, except videos. %NULL-terminated, in lower case, with
 * duplicates; valid as long as the registry. */
SEGUE_API const char **segue_registry_list_extensions (SegueRegistry *registry);

G_END_DECLS
