/* Malicious names, and a sandbox folder in which damage is detected. */
#pragma once

#include "command.h"

/** hostile_names: (transfer full): (element-type utf8): several hundred, without NUL; bytes, not always text.
 * Some lead to @outside, a folder, by absolute and by relative paths. */
GPtrArray *hostile_names (const char *outside);

/**
 * Sandbox:
 * @folder: everything
 * @outside: files that must not be changed, including `home`
 * @work: where the command may write
 * @env: the home folder is outside, caches are below @work
 */
typedef struct {
  char *folder, *outside, *work;
  char **env;
  char *before; /* the original state of @outside */
} Sandbox;

void sandbox_set_up (Sandbox *s, gconstpointer unused);
void sandbox_tear_down (Sandbox *s, gconstpointer unused);
/** sandbox_check: checks that nothing outside was created, changed, touched or removed. */
void sandbox_check (Sandbox *s);
/** sandbox_path: (transfer full): path of @name below the working folder; creates its folder. */
char *sandbox_path (Sandbox *s, const char *name);
void sandbox_write (Sandbox *s, const char *name, const void *data, gssize size);

/** hostile_assert_shown: checks that @text is safe for a terminal: UTF-8, without control characters other than
 * line ends. */
void hostile_assert_shown (const char *text);
void hostile_assert_said (const CommandResult *result);
