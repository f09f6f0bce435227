/* Running the command. */
#include "command.h"

#include <jansson.h>
#include <segue/file.h>
#include <string.h>
#include <sys/wait.h>

void
command_result_clear (CommandResult *result)
{
  g_clear_pointer (&result->out, g_free);
  g_clear_pointer (&result->err, g_free);
}

char *
command_path (void)
{
  const char *build = g_getenv ("SEGUE_BUILD_ROOT");
  g_assert_nonnull (build);
  return g_build_filename (build, "pipeline", "cli", "segue", NULL);
}

char **
command_env (const char *folder, gboolean leaks)
{
  static const char *const cleared[] = {
    "SEGUE_CACHE",    "SEGUE_DEBUG", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
    "HF_HUB_OFFLINE", "HF_TOKEN",    "HF_ENDPOINT",  "NO_COLOR",
    "http_proxy",     "HTTP_PROXY",  "all_proxy",    "ALL_PROXY",
  };
  char **env = g_get_environ ();
  for (gsize i = 0; i < G_N_ELEMENTS (cleared); i++)
    env = g_environ_unsetenv (env, cleared[i]);
  g_autofree char *cache = g_build_filename (folder, "cache", NULL);
  env = g_environ_setenv (env, "XDG_CACHE_HOME", cache, TRUE);
  env = g_environ_setenv (env, "HF_HOME", folder, TRUE);
  env = g_environ_setenv (env, "LC_ALL", "C.UTF-8", TRUE);
  if (!leaks)
    env = g_environ_setenv (env, "ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1", TRUE);
  return env;
}

static void
spawn (CommandResult *result, const char *folder, char **env, char **argv)
{
  g_autoptr (GError) error = NULL;
  int wait_status = 0;
  command_result_clear (result);
  g_spawn_sync (folder, argv, env, G_SPAWN_DEFAULT, NULL, NULL, &result->out, &result->err,
                &wait_status, &error);
  g_assert_no_error (error);
  result->status =
    WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : -(int) WTERMSIG (wait_status);
}

void
command_run_argv (CommandResult *result, const char *folder, char **env, char *const *argv)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autofree char *program = command_path ();
  g_ptr_array_add (all, program);
  for (; *argv; argv++)
    g_ptr_array_add (all, *argv);
  g_ptr_array_add (all, NULL);
  spawn (result, folder, env, (char **) all->pdata);
}

void
command_run_shell (CommandResult *result, const char *folder, char **env, const char *line)
{
  g_autofree char *program = command_path ();
  g_auto (GStrv) with_program = g_environ_setenv (g_strdupv (env), "segue", program, TRUE);
  char *argv[] = { (char *) "/bin/sh", (char *) "-c", (char *) line, NULL };
  spawn (result, folder, with_program, argv);
}

void
command_run (CommandResult *result, const char *folder, char **env, ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  va_list list;
  va_start (list, env);
  for (char *word = va_arg (list, char *); word; word = va_arg (list, char *))
    g_ptr_array_add (argv, word);
  va_end (list);
  g_ptr_array_add (argv, NULL);
  command_run_argv (result, folder, env, (char *const *) argv->pdata);
}

void
command_assert (const CommandResult *result, int status)
{
  if (result->status != status)
    g_test_message ("stdout:\n%s\nstderr:\n%s", result->out, result->err);
  g_assert_cmpint (result->status, ==, status);
}

void
command_assert_has (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_test_message ("‘%s’ is not in:\n%s", part, text);
  g_assert_nonnull (strstr (text, part));
}

void
command_assert_says (const CommandResult *result, const char *text)
{
  command_assert_has (result->err, text);
}

gint64
command_get_int (const CommandResult *result, const char *key)
{
  json_t *root = json_loads (result->out, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (root);
  json_t *value = json_object_get (root, key);
  g_assert_true (json_is_integer (value));
  gint64 number = json_integer_value (value);
  json_decref (root);
  return number;
}

char *
scratch_new (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("segue-test-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

void
scratch_free (char *folder)
{
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (folder, &error);
  g_assert_no_error (error);
  g_free (folder);
}
