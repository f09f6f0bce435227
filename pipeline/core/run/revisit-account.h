/* The account of a finished run, from its files (internal). */
#pragma once

#include <glib.h>

/**
 * segue_revisit_account: (transfer full): in the form of segue_context_get_account(), of the stages
 * before the first of type @use
 * @folder: the run's; untrusted
 * @problem: (out) (transfer full) (nullable): why there are no curves, if its log can't be read
 *
 * %SEGUE_ERROR_NO_INPUT: not the folder of a run; %SEGUE_ERROR_DATA: its run.json is not that of a
 * run.
 */
char *segue_revisit_account (const char *folder, const char *use, char **problem, GError **error);
