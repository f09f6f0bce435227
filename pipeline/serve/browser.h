/* The page in a browser, without its token on any command line: other users of the machine see those. */
#pragma once

#include <glib.h>

typedef struct _Browser Browser;

/** browser_open: (transfer full) (nullable): starts the user's browser at @url, by a file that only this
 * user can read and that leads there.  %NULL: there is no browser, or no place for the file. */
Browser *browser_open (const char *url);
/** browser_tick: removes the file once the browser has had time to read it. */
void browser_tick (Browser *browser);
/** browser_close: removes the file; accepts %NULL. */
void browser_close (Browser *browser);
