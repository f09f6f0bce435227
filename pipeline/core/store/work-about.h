/* Whose a work folder is, for people (internal). */
#pragma once

#include <glib.h>

/** segue_work_about_write: a line in the folder at @path; not worth failing for. */
void segue_work_about_write (const char *path, const char *about);
/** segue_work_about_read: (transfer full) (nullable): valid UTF-8. */
char *segue_work_about_read (const char *path);
