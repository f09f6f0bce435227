/* "Did you mean …?" (internal). */
/* SEGUE_API marks what the command calls; none of it is installed. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/** segue_suggest: (transfer full) (nullable): the nearest of @candidates (NULL-terminated) to @word, if near enough. */
SEGUE_API
char *segue_suggest (const char *word, const char *const *candidates);
