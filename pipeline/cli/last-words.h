/* The message when a plugin's code ends the program, by exit () or a fatal signal. */
#pragma once

/** last_words_install: from now on, until last_words_cancel(), such an end prints a message and
 * exits with a failure status. */
void last_words_install (void);
void last_words_cancel (void);
