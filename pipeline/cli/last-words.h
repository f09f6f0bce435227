/* What is said where code of a plugin ends the program, by exit () or a fatal signal. */
#pragma once

/** last_words_install: from now on, until last_words_cancel(), such an end has words and a status that is no success. */
void last_words_install (void);
void last_words_cancel (void);
