/* Paths in pipelines (internal). */
#pragma once

#include <segue/param.h>

/** segue_path_resolve: (transfer full): @text as an absolute path: `~` is the home folder, file: URIs
 * are decoded, all else is relative to @folder (NULL: the current folder). */
char *segue_path_resolve (const char *text, const char *folder);
/** segue_model_ref_parse: (transfer full): ORG/NAME unchanged, unless a folder of that name exists;
 * else as segue_path_resolve(). */
char *segue_model_ref_parse (const char *text, const char *folder);
/** segue_path_is_within: whether a file written at @path would be in @folder, links resolved; both
 * absolute and without dots. @path itself need not exist yet. */
gboolean segue_path_is_within (const char *path, const char *folder);
/** segue_path_to_text: (transfer full): @path, or its file: URI where its bytes are not UTF-8. */
char *segue_path_to_text (const char *path);
/** segue_params_find_output: (transfer none) (nullable): the first OUTPUT_PATH in @config that is
 * set. */
const char *segue_params_find_output (const SegueParam *const *rows, gconstpointer config);
