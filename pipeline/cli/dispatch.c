/* From the command line to a verb, and from errors to the exit status. */
#include "base/suggest.h"
#include "cli.h"
#include "last-words.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

const SegueVerb *const *
segue_verbs (void)
{
  static const SegueVerb *const verbs[] = {
    &segue_verb_run,
    &segue_verb_check,
    &segue_verb_predict,
    &segue_verb_report,
    &segue_verb_serve,
    &segue_verb_map,
    &segue_verb_similar,
    &segue_verb_presets,
    &segue_verb_inspect,
    &segue_verb_schema,
    &segue_verb_fetch,
    &segue_verb_cache,
    NULL,
  };
  return verbs;
}

static const SegueVerb *
find_verb (const char *name)
{
  for (const SegueVerb *const *v = segue_verbs (); *v; v++)
    if (g_str_equal ((*v)->name, name))
      return *v;
  return NULL;
}

static gboolean
unknown_verb (const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (const SegueVerb *const *v = segue_verbs (); *v; v++)
    g_ptr_array_add (names, (gpointer) (*v)->name);
  g_ptr_array_add (names, NULL);
  g_autofree char *shown = segue_text_printable (name);
  g_autofree char *near = segue_suggest (shown, (const char *const *) names->pdata);
  /* A pipeline's name in place of the verb is the most likely mistake. */
  if (g_str_has_suffix (name, ".yaml") || g_str_has_suffix (name, ".yml"))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "a verb is missing; did you mean: segue run %s", shown);
  else if (near)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE, "there is no verb ‘%s’; did you mean ‘%s’?",
                 shown, near);
  else if (*name == '-')
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "there is no option ‘%s’ before a verb; options come after it: segue VERB %s",
                 shown, shown);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "there is no verb ‘%s’; segue --help lists them", shown);
  return FALSE;
}

gboolean
segue_verb_call (SegueCli *cli, const SegueVerb *verb, char **arguments, GError **error)
{
  g_autofree gpointer values = g_malloc0 (MAX (verb->size, 1));
  char **words = g_strdupv (arguments);
  gboolean help = FALSE;
  gboolean ok = segue_options_parse (verb, &words, values, &help, error);
  if (ok && help) {
    g_autofree char *text = segue_help_verb (&cli->out, verb);
    fputs (text, cli->out.stream);
  } else if (ok) {
    ok = verb->run (cli, values, words + 1, error);
  }
  g_strfreev (words);
  segue_options_clear (verb, values);
  return ok;
}

static gboolean
dispatch (SegueCli *cli, int argc, char **argv, GError **error)
{
  const char *word = argc > 1 ? argv[1] : "--help";
  if (g_str_equal (word, "--version") || g_str_equal (word, "-V")) {
    fprintf (cli->out.stream, "segue %s (plugin interface %d.%d)\n", SEGUE_VERSION, SEGUE_ABI_MAJOR,
             SEGUE_ABI_MINOR);
    return TRUE;
  }
  gboolean wants_help =
    g_str_equal (word, "help") || g_str_equal (word, "--help") || g_str_equal (word, "-h");
  const char *topic = wants_help && argc > 2 ? argv[2] : NULL;
  const SegueVerb *verb = find_verb (topic ? topic : word);
  if (topic && verb) {
    g_autofree char *text = segue_help_verb (&cli->out, verb);
    fputs (text, cli->out.stream);
    return TRUE;
  }
  if (!topic && wants_help) {
    g_autofree char *text = segue_help_main (&cli->out);
    fputs (text, cli->out.stream);
    return TRUE;
  }
  if (!verb)
    return unknown_verb (topic ? topic : word, error);
  return segue_verb_call (cli, verb, argv + 1, error);
}

/* A position in a pipeline comes first, as in compiler messages, so that editors can jump there. */
void
segue_print_error (SegueCli *cli, const GError *error)
{
  const SegueTerm *err = &cli->err;
  g_autofree char *text = segue_text_printable (error->message);
  g_autofree char *excerpt = g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE)
                               ? segue_excerpt (err, error->message)
                               : NULL;
  if (excerpt)
    fprintf (err->stream, "%s\n%s", text, excerpt);
  else
    fprintf (err->stream, "%ssegue:%s %s\n", segue_term_style (err, SEGUE_STYLE_RED),
             segue_term_reset (err), text);
}

/* Prints @failure (nullable) and errors of the output; returns the exit status. */
static int
conclude (SegueCli *cli, const GError *failure)
{
  g_autoptr (GError) lost = NULL;
  gboolean arrived = segue_term_flush (&cli->out, &lost);
  /* A verb that stopped because of a closed output reports the same error. */
  if (failure && (arrived || g_strcmp0 (failure->message, lost->message) != 0))
    segue_print_error (cli, failure);
  /* A reader that wants no more (`| head`) is not an error to report. */
  if (!arrived && cli->out.problem != EPIPE)
    segue_print_error (cli, lost);
  if (cli->signal && g_error_matches (failure, SEGUE_ERROR, SEGUE_ERROR_CANCELLED))
    return 128 + cli->signal;
  if (failure)
    return segue_error_exit_code (failure);
  return arrived || cli->out.problem == EPIPE ? 0 : segue_error_exit_code (lost);
}

int
segue_cli_main (int argc, char **argv)
{
  segue_term_guard_descriptors ();
  /* Only the character set: numbers are printed the same in all locales. */
  setlocale (LC_CTYPE, "");
  /* Then a limit of file sizes (ulimit -f) is a write error, like a full disk. */
  signal (SIGXFSZ, SIG_IGN);
  g_set_prgname ("segue");
  /* Never freed: libraries may log to the very end. */
  SegueCli *cli = g_new0 (SegueCli, 1);
  segue_term_init (&cli->out, STDOUT_FILENO);
  segue_term_init (&cli->err, STDERR_FILENO);
  segue_log_install (cli);

  g_autoptr (GError) error = NULL;
  last_words_install ();
  dispatch (cli, argc, argv, &error);
  last_words_cancel ();
  return conclude (cli, error);
}
