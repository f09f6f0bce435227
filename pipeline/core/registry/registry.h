/* The registry inside the core (internal). */
#pragma once

#include "params/params.h"
#include <segue/decoder.h>
#include <segue/host/segue.h>

/** segue_registry_load_folder: loads every shared object in @folder and below it, in order of path;
 * refused ones stay in the list with their reasons. */
void segue_registry_load_folder (SegueRegistry *registry, const char *folder);
/** segue_registry_note_folder: @folder was searched: for messages. */
void segue_registry_note_folder (SegueRegistry *registry, const char *folder);
/** segue_registry_note_file: %FALSE: it was already noted. */
gboolean segue_registry_note_file (SegueRegistry *registry, const char *real_path);
/** segue_registry_note_shortage: @shortage (transfer full): why plugins may be missing; the first one counts. */
void segue_registry_note_shortage (SegueRegistry *registry, GError *shortage);
/** segue_registry_refuse: @path stays in the list with @failure (transfer full), which becomes @error; %FALSE. */
gboolean segue_registry_refuse (SegueRegistry *registry, const char *path, GError *failure,
                                GError **error);
/** segue_registry_stage_names: (transfer container): NULL-terminated, sorted; @registry may be NULL. */
GPtrArray *segue_registry_stage_names (SegueRegistry *registry);
GPtrArray *segue_registry_model_names (SegueRegistry *registry);

/** segue_registry_model_types: for parameters of type MODEL; @registry: (nullable): borrowed. */
SegueModelTypes segue_registry_model_types (SegueRegistry *registry);

/** segue_registry_refusal_of: (transfer full) (nullable): why a plugin with a type called @name, or
 * whose file is named like it, was refused: the reason that @name can't be found. */
char *segue_registry_refusal_of (SegueRegistry *registry, const char *name);
/** segue_registry_explain_missing: (transfer full): why there is no type called @name, as a clause: the
 * refusal, or "no plugin in FOLDER or FOLDER provides it". */
char *segue_registry_explain_missing (SegueRegistry *registry, const char *name);

/** segue_registry_check_whole: %FALSE where plugins may be missing for lack of memory or file handles: then
 * a type that is not found may exist. @registry may be NULL. */
gboolean segue_registry_check_whole (SegueRegistry *registry, GError **error);

/** segue_registry_decoders_of: (transfer none) (nullable): the decoders that @type tries, in their order;
 * %NULL: it is another stage type than `decode`. */
GPtrArray *segue_registry_decoders_of (SegueRegistry *registry, const SegueStageType *type);

/** segue_plugin_read: a plugin with this version's interface, as this version defines it: fields past its
 * struct_size are zero. %FALSE: of another interface, which can't be read. */
gboolean segue_plugin_read (const SeguePlugin *plugin, SeguePlugin *view);
/** segue_type_get_name: (nullable): of a stage type or model type that was not checked; valid ones only. */
const char *segue_type_get_name (gconstpointer type);
/** segue_plugin_check: whether this version can use @plugin: checks its interface and its tables. */
gboolean segue_plugin_check (const SeguePlugin *plugin, GError **error);
