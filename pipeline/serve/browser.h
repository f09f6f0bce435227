/* Opens the page in a browser, without its token on a command line, which other users of the system
 * can see. */
#pragma once

#include <glib.h>

typedef struct _Browser Browser;

/** browser_open: (transfer full) (nullable): starts the user's browser at @url, through a file that
 * only this user can read and that redirects there. %NULL: no browser, or no place for the
 * file. */
Browser *browser_open (const char *url);
/** browser_tick: removes the file once the browser has had time to read it. */
void browser_tick (Browser *browser);
/** browser_close: removes the file; accepts %NULL. */
void browser_close (Browser *browser);
