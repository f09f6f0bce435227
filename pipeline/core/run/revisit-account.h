/* The account of a finished run, from what it left (internal). */
#pragma once

#include <glib.h>

/**
 * segue_revisit_account: (transfer full): as segue_context_get_account() has it, of the stages before
 * the first of type @use
 * @folder: the run's; hostile
 * @problem: (out) (transfer full) (nullable): why there are no curves, where its log can't be read
 *
 * %SEGUE_ERROR_NO_INPUT: it is no run's folder; %SEGUE_ERROR_DATA: its run.json is not what a run
 * leaves.
 */
char *segue_revisit_account (const char *folder, const char *use, char **problem, GError **error);
