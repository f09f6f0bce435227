/* The folder of runs, to be looked at: what ran, how well that went, and the files of reports.
 *
 * Whoever wrote into the folder is not trusted: no link leads out of a run, no FIFO is waited for,
 * what is read is bounded, and of a run nothing can be had but its figures and its report. */
#pragma once

#include <glib.h>

typedef struct _Runs Runs;

/** runs_new: @folder need not be there (yet); %NULL: there is no random key for addresses. */
Runs *runs_new (const char *folder, GError **error);
void runs_free (Runs *runs);
/** runs_report_secret: (transfer full): what the address of a run's report begins with. */
char *runs_report_secret (const Runs *runs, const char *name, const char *id);
/** runs_list: (transfer full): JSON: the newest runs of each pipeline, newest first. */
char *runs_list (Runs *runs);
/**
 * runs_open_report_file: a descriptor of a regular file, which the caller closes; -1: there is none.
 * @path: `SECRET/NAME/ID/FILE…`, as it was asked for: anything.  runs_list() alone tells the secret,
 *   which is another for each run: who knows one report's address knows no other
 * @type: (out): its media type
 */
int runs_open_report_file (Runs *runs, const char *path, const char **type);
