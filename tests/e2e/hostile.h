/* Names that somebody may have chosen to do harm, and a place in which harm is seen. */
#pragma once

#include "command.h"

/** hostile_names: (transfer full): (element-type utf8): several hundred, without NUL; bytes, not
 * always text.  Some lead to @outside, a folder, by absolute and by relative ways. */
GPtrArray *hostile_names (const char *outside);

/**
 * Sandbox:
 * @folder: everything
 * @outside: files that nothing may touch, `home` among them
 * @work: where the command may write
 * @env: the home folder lies outside, caches lie below @work
 */
typedef struct {
  char *folder, *outside, *work;
  char **env;
  char *before; /* what is outside, as it was */
} Sandbox;

void sandbox_set_up (Sandbox *s, gconstpointer unused);
void sandbox_tear_down (Sandbox *s, gconstpointer unused);
/** sandbox_check: nothing outside was made, changed, touched or removed. */
void sandbox_check (Sandbox *s);
/** sandbox_path: (transfer full): @name below the working folder; its folder is made. */
char *sandbox_path (Sandbox *s, const char *name);
void sandbox_write (Sandbox *s, const char *name, const void *data, gssize size);

/** hostile_assert_shown: @text may go to a terminal: UTF-8, and nothing in it but line ends controls
 * anything. */
void hostile_assert_shown (const char *text);
void hostile_assert_said (const CommandResult *result);
