/* Numbers as text, independent of the locale (internal). */
#pragma once

#include <glib.h>

/** segue_number_to_text: (transfer full): the shortest text that reads back as @value. */
char *segue_number_to_text (double value);
