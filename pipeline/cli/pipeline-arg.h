/* The arguments `PIPELINE|--preset NAME` of several verbs. */
#pragma once

#include "cli.h"

/** segue_find_pipeline: (transfer full): the pipeline file.
 * @preset: (nullable)
 * @arguments: the first is taken (advanced past) if there is no @preset */
char *segue_find_pipeline (const SegueVerb *verb, const char *preset, char ***arguments,
                           GError **error);
/** segue_find_unset_variable: (transfer full) (nullable): the first variable of the pipeline at
 * @path, if neither the file nor @set (nullable: `name=value` words) gives it a value: a folder on
 * the command line sets it. */
char *segue_find_unset_variable (const char *path, char *const *set);
/** segue_folder_override: (transfer full): @folder as `name=value` for the first variable of the pipeline at
 * @path. */
char *segue_folder_override (const char *path, const char *folder, GError **error);
/** segue_registry_for_cli: (transfer full): with all plugins that are found. */
SegueRegistry *segue_registry_for_cli (void);

/** segue_load_pipeline: as segue_pipeline_load (); on failure, all problems but the last have been
 * printed; the last is the error. */
SeguePipeline *segue_load_pipeline (SegueCli *cli, SegueRegistry *registry, const char *path,
                                    const char *const *overrides, GError **error);
