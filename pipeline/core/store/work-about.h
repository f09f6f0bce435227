/* The owner of a work folder, for people (internal). */
#pragma once

#include <glib.h>

/** segue_work_about_write: writes a line in the folder at @path; errors are ignored. */
void segue_work_about_write (const char *path, const char *about);
/** segue_work_about_read: (transfer full) (nullable): valid UTF-8. */
char *segue_work_about_read (const char *path);
