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
/** runs_stop: what is asked for is finished first, and soon; nothing may be asked for any more. */
void runs_stop (Runs *runs);
/** runs_report_secret: (transfer full): what the address of a run's report begins with. */
char *runs_report_secret (const Runs *runs, const char *name, const char *id);

typedef struct _RunsList RunsList;

/** runs_list_new: (transfer full): JSON on the newest runs is made by another thread, which calls @ready
 * (with @data) when it is there.  Until then the list may not be freed. */
RunsList *runs_list_new (Runs *runs, GFunc ready, gpointer data);
/** runs_list_take: (transfer full): once it is there. */
char *runs_list_take (RunsList *list);
void runs_list_free (RunsList *list);

/**
 * runs_open_report_file: a descriptor of a regular file, which the caller closes; -1: there is none.
 * @path: `SECRET/NAME/ID/FILE…`, as it was asked for: anything.  The list of runs alone has the secret,
 *   which differs from run to run: one report's address says nothing about another's
 * @type: (out): its media type
 */
int runs_open_report_file (Runs *runs, const char *path, const char **type);
