/* Runs the built command and captures its output. */
#pragma once

#include <glib.h>

typedef struct {
  int status; /* exit status; -N: killed by signal N */
  char *out;
  char *err;
} CommandResult;

void command_result_clear (CommandResult *result);

/** command_run: the built `segue` in @folder (nullable) with environment @env (transfer none; nullable: that of
 * this process); arguments up to a final NULL. */
void command_run (CommandResult *result, const char *folder, char **env,
                  ...) G_GNUC_NULL_TERMINATED;
/** command_run_argv: likewise; @argv without the program. */
void command_run_argv (CommandResult *result, const char *folder, char **env, char *const *argv);
/** command_run_shell: runs a line in sh, where $segue is the built `segue`. */
void command_run_shell (CommandResult *result, const char *folder, char **env, const char *line);
/** command_path: (transfer full): path of the built `segue`. */
char *command_path (void);
/** command_assert: checks the exit status; on a mismatch the test ends and shows the output. */
void command_assert (const CommandResult *result, int status);
/** command_assert_says: checks that stderr contains @text. */
void command_assert_says (const CommandResult *result, const char *text);
/** command_assert_has: checks that @text contains @part. */
void command_assert_has (const char *text, const char *part);
/** command_get_int: member @key of the JSON object on stdout. */
gint64 command_get_int (const CommandResult *result, const char *key);

/** command_env: (transfer full): this process's environment, in a UTF-8 locale, with caches below @folder and no
 * user settings.
 * @leaks: whether a build with LeakSanitizer checks for leaks. Not where GStreamer starts: GLib
 * abandons its first table of quarks when it grows, and no stack distinguishes that from a leak of segue */
char **command_env (const char *folder, gboolean leaks);

/** scratch_new: (transfer full): an empty folder. */
char *scratch_new (void);
/** scratch_free: removes it with its content; frees @folder too. */
void scratch_free (char *folder);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CommandResult, command_result_clear)
