/* Read access to the folder of runs: runs, their results, and the files of reports.
 *
 * The folder's content is not trusted: no link out of a run is followed, FIFOs do not block, reads
 * are bounded, and only a run's figures and report are available. */
#pragma once

#include <glib.h>

typedef struct _Runs Runs;

/** runs_new: @folder need not exist (yet); %NULL: no random key for addresses. */
Runs *runs_new (const char *folder, GError **error);
void runs_free (Runs *runs);
/** runs_stop: finishes pending requests first, which does not take long; no more are allowed. */
void runs_stop (Runs *runs);
/** runs_report_secret: (transfer full): the first part of the address of a run's report. */
char *runs_report_secret (const Runs *runs, const char *name, const char *id);

typedef struct _RunsList RunsList;

/** runs_list_new: (transfer full): another thread writes JSON about the newest runs, and then calls
 * @ready (with @data). Until then the list must not be freed. */
RunsList *runs_list_new (Runs *runs, GFunc ready, gpointer data);
/** runs_list_take: (transfer full): once it is ready. */
char *runs_list_take (RunsList *list);
void runs_list_free (RunsList *list);

/**
 * runs_open_report_file: a descriptor of a regular file, which the caller closes; -1: there is none.
 * @path: `SECRET/NAME/ID/report/FILE…` or `SECRET/NAME/ID/map/FILE…`, as requested: unchecked. Only the list
 *   of runs contains the secret, which differs between runs: one report's address reveals nothing about another's
 * @type: (out): its media type
 */
int runs_open_report_file (Runs *runs, const char *path, const char **type);
