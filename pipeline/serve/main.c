/* segue-serve: started by `segue serve`, with the same options, which that command has
 * validated. */
#include "browser.h"
#include "guard.h"
#include "job.h"
#include "pipeline-arg.h"
#include "serve-options.h"
#include "server.h"
#include "token.h"
#include "unsure.h"

#include <gio/gio.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TICK 200 /* ms */

/* The settings from the options. */
typedef struct {
  SegueCli *cli;
  const ServeOptions *options;
  ServerConfig config;
  SeguePredictor *predictor;
  Browser *browser;
} Serving;

static guint
or_else (gint given, guint otherwise)
{
  return given > 0 ? (guint) given : otherwise;
}

static gboolean
parse_place (const ServeOptions *options, ServerConfig *config, GError **error)
{
  guint64 port;
  const char *given = options->port ? options->port : SERVE_PORT;
  config->address = options->bind ? options->bind : "127.0.0.1";
  if (!g_ascii_string_to_unsigned (given, 10, 0, G_MAXUINT16, &port, NULL)) {
    g_autofree char *shown = segue_text_printable (given);
    return segue_usage_error (&segue_verb_serve, error, "--port must be 0..65535, got ‘%s’", shown);
  }
  config->port = (guint16) port;
  if (g_hostname_is_ip_address (config->address))
    return TRUE;
  g_autofree char *shown = segue_text_printable (config->address);
  return segue_usage_error (&segue_verb_serve, error,
                            "--bind takes an IP address such as 127.0.0.1 or ::, got ‘%s’; for a "
                            "name that browsers use, pass --host NAME",
                            shown);
}

/* (transfer full): the name of `runs/artist/latest` is artist. */
static char *
name_model (const char *given)
{
  g_autofree char *path = g_canonicalize_filename (given, "/");
  g_autofree char *last = g_path_get_basename (path), *parent = g_path_get_dirname (path);
  if (g_str_equal (last, "latest") || g_str_equal (last, "model"))
    return name_model (parent);
  return g_filename_display_name (last);
}

static gboolean
configure (const ServeOptions *options, ServerConfig *config, GError **error)
{
  if (!options->model)
    return segue_usage_error (&segue_verb_serve, error,
                              "--model is missing: pass --model DIR, the folder of a run or of a "
                              "model");
  config->names = options->hosts;
  config->runs = options->runs ? options->runs : "runs";
  config->threads = or_else (options->jobs, g_get_num_processors ());
  config->max_songs = or_else (options->songs, SERVE_SONGS);
  config->max_bytes = (guint64) or_else (options->max_song, SERVE_MAX_SONG) * 1000000;
  config->upload_seconds = or_else (options->upload_time, SERVE_UPLOAD_TIME);
  config->prediction_seconds = or_else (options->prediction_time, SERVE_PREDICTION_TIME);
  return parse_place (options, config, error);
}

static void
show_in_browser (Serving *serving, const char *url)
{
  serving->browser = browser_open (url);
  if (!serving->browser)
    fprintf (serving->cli->err.stream,
             "can't start a browser with xdg-open: open the address by hand\n");
}

/* (transfer full) (nullable): from a file, from the environment, else a random one. There is no
 * option for the token itself: other users can see command lines. */
static char *
choose_token (const ServeOptions *options, GError **error)
{
  g_autofree char *given = g_strdup (g_getenv (SERVE_TOKEN));
  /* Hides it from decoders and the browser. */
  g_unsetenv (SERVE_TOKEN);
  if (options->token_file)
    return token_read (options->token_file, error);
  if (!given || !*given)
    return token_new (error);
  if (token_check (given, error))
    return g_steal_pointer (&given);
  g_prefix_error (error, "$" SERVE_TOKEN ": ");
  return NULL;
}

static void
announce (Serving *serving, const Server *server)
{
  SegueCli *cli = serving->cli;
  const char *address = serving->config.address;
  if (!guard_is_loopback (address))
    fprintf (cli->err.stream,
             "%s who can reach %s can use this server, and connections are not encrypted\n",
             serving->config.token ? "anyone with its token" : "anyone", address);
  else if (!serving->config.token)
    fprintf (cli->err.stream, "all users of this machine can use this server (--no-token)\n");
  const char *file = serving->options->token_file;
  if (serving->config.token && file && token_is_exposed (file)) {
    g_autofree char *quoted = g_shell_quote (file);
    g_autofree char *shown = segue_text_printable (quoted);
    fprintf (cli->err.stream, "other users can read the token; to prevent that: chmod 600 %s\n",
             shown);
  }
  g_autoptr (GInetAddress) parsed = g_inet_address_new_from_string (address);
  gboolean v6 = strchr (address, ':') != NULL;
  /* Not ‘localhost’: if one of its two addresses is free, another user may listen there for the
   * token. */
  const char *host = !g_inet_address_get_is_any (parsed) ? address : v6 ? "::1" : "127.0.0.1";
  const char *token = serving->config.token;
  g_autofree char *url =
    g_strdup_printf ("http://%s%s%s:%u/%s%s", v6 ? "[" : "", host, v6 ? "]" : "",
                     server_get_port (server), token ? "?token=" : "", token ? token : "");
  fprintf (cli->out.stream, "%s\n", url);
  fflush (cli->out.stream);
  if (cli->err.tty)
    fprintf (cli->err.stream, "press Ctrl-C to stop\n");
  if (serving->options->open)
    show_in_browser (serving, url);
}

/* SegueJob: runs until it is cancelled. */
static gboolean
serve (gpointer data, GCancellable *cancellable, GError **error)
{
  Serving *serving = data;
  if (!segue_predictor_wait (serving->predictor, error))
    return FALSE;
  Server *server = server_start (&serving->config, serving->predictor, error);
  if (!server)
    return FALSE;
  announce (serving, server);
  GPollFD polled;
  gboolean wakes = g_cancellable_make_pollfd (cancellable, &polled);
  while (!g_cancellable_is_cancelled (cancellable)) {
    g_poll (&polled, wakes ? 1 : 0, TICK);
    server_tick (server);
    browser_tick (serving->browser);
  }
  if (wakes)
    g_cancellable_release_fd (cancellable);
  server_stop (server);
  browser_close (serving->browser);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  return FALSE;
}

/* The library of the model's run, or one in the model's folder, explains answers. Without one, or with one that can't be
 * used, songs are classified all the same. */
static gboolean
open_library (Serving *serving, SegueRegistry *registry, SegueLibrary **library, GError **error)
{
  g_autoptr (GError) local = NULL;
  const ServeOptions *options = serving->options;
  *library = segue_library_open (registry, options->model, g_get_num_processors (), &local);
  gboolean is_missing = g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  if (*library && segue_predictor_use_library (serving->predictor, *library, SHELF_SIMILAR, &local))
    return TRUE;
  g_clear_pointer (library, segue_library_free);
  if (is_missing && options->music)
    g_propagate_error (error, g_steal_pointer (&local));
  if (is_missing)
    return !options->music;
  g_autofree char *reason = segue_text_printable (local->message);
  fprintf (serving->cli->err.stream, "answers do not list similar songs: %s\n", reason);
  return TRUE;
}

static gboolean
serve_with (Serving *serving, SegueRegistry *registry, GError **error)
{
  g_autoptr (SegueLibrary) library = NULL;
  if (!open_library (serving, registry, &library, error))
    return FALSE;
  Shelf *shelf = library ? shelf_new (library, serving->options->music, error) : NULL;
  serving->config.shelf = shelf;
  gboolean ok = (shelf || !library) && segue_job_run (serving->cli, NULL, serve, serving, error);
  shelf_free (shelf);
  return ok;
}

static gboolean
serve_run (SegueCli *cli, const ServeOptions *options, GError **error)
{
  Serving serving = { .cli = cli, .options = options };
  guint precision = SEGUE_MODEL_AUTO;
  SegueAggregation aggregation;
  if (!configure (options, &serving.config, error) ||
      !segue_parse_choice (&segue_verb_serve, "precision", options->precision,
                           segue_model_precision_names (), &precision, error))
    return FALSE;
  g_autofree char *folder = segue_predictor_find_model (options->model, &aggregation, error);
  if (!folder)
    return FALSE;
  g_auto (SegueUnsure) unsure = { 0 };
  if (!segue_unsure_find (&segue_verb_serve, options->none, folder, aggregation, &unsure, error))
    return FALSE;
  if (unsure.notice)
    fprintf (cli->err.stream, "%s\n", unsure.notice);
  serving.config.unsure_share = unsure.judges ? unsure.share : 0;
  g_autofree char *token = options->no_token ? NULL : choose_token (options, error);
  if (!token && !options->no_token)
    return FALSE;
  serving.config.token = token;
  g_autofree char *name = name_model (options->model);
  serving.config.model_name = name;
  segue_choose_backend (options->backend);
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autoptr (SeguePredictor) predictor = segue_predictor_new (
    registry, folder, g_get_num_processors (), (SegueModelPrecision) precision, error);
  if (!predictor)
    return FALSE;
  segue_predictor_set_aggregation (predictor, aggregation,
                                   unsure.judges ? &unsure.threshold : NULL);
  serving.predictor = predictor;
  return serve_with (&serving, registry, error);
}

static int
conclude (const SegueCli *cli, const GError *error)
{
  if (cli->signal && g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED))
    return 128 + cli->signal;
  g_autofree char *text = segue_text_printable (error->message);
  fprintf (cli->err.stream, "%ssegue:%s %s\n", segue_term_style (&cli->err, SEGUE_STYLE_RED),
           segue_term_reset (&cli->err), text);
  return segue_error_exit_code (error);
}

int
main (int argc, char **argv)
{
  segue_term_guard_descriptors ();
  setlocale (LC_CTYPE, "");
  /* Then a limit of file sizes and a disconnected client are write errors. */
  signal (SIGXFSZ, SIG_IGN);
  signal (SIGPIPE, SIG_IGN);
  g_set_prgname ("segue-serve");
  /* Never freed: libraries may log to the very end. */
  SegueCli *cli = g_new0 (SegueCli, 1);
  segue_term_init (&cli->out, STDOUT_FILENO);
  segue_term_init (&cli->err, STDERR_FILENO);
  segue_log_install (cli);

  ServeOptions options = { 0 };
  GStrv words = g_strdupv (argv);
  gboolean help = FALSE;
  g_autoptr (GError) error = NULL;
  gboolean ok = segue_options_parse (&segue_verb_serve, &words, &options, &help, &error) &&
                segue_refuse_arguments (&segue_verb_serve, words + 1, 0, &error);
  if (ok && help)
    fprintf (cli->out.stream, "started by segue serve; see: segue serve --help\n");
  else if (ok)
    serve_run (cli, &options, &error);
  g_strfreev (words);
  segue_options_clear (&segue_verb_serve, &options);
  return error ? conclude (cli, error) : 0;
}
