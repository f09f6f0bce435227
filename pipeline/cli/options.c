/* Options: a verb's table, parsed by getopt_long (). */
#include "base/suggest.h"
#include "cli.h"

#include <getopt.h>
#include <string.h>

/* What getopt_long () returns for the long option in row i; for a short one, its letter. */
#define LONG_OPTION 256
#define HELP        'h'

static guint
count_rows (const SegueVerb *verb)
{
  guint n = 0;
  while (verb->options && verb->options[n].name)
    n++;
  return n;
}

/* The tables that getopt_long () reads: a row each, then --help. */
static struct option *
long_options (const SegueVerb *verb)
{
  guint n = count_rows (verb);
  struct option *table = g_new0 (struct option, n + 2);
  for (guint i = 0; i < n; i++) {
    const SegueOption *o = &verb->options[i];
    table[i] =
      (struct option){ .name = o->name,
                       .has_arg = o->type == SEGUE_OPTION_FLAG ? no_argument : required_argument,
                       .val = LONG_OPTION + (int) i };
  }
  table[n] = (struct option){ .name = "help", .has_arg = no_argument, .val = HELP };
  return table;
}

/* The colon in front distinguishes a missing value from an unknown option. */
static char *
short_options (const SegueVerb *verb)
{
  GString *letters = g_string_new (":");
  for (const SegueOption *o = verb->options; o && o->name; o++)
    if (o->short_name)
      g_string_append_printf (letters, "%c%s", o->short_name,
                              o->type == SEGUE_OPTION_FLAG ? "" : ":");
  g_string_append_c (letters, HELP);
  return g_string_free (letters, FALSE);
}

/* (nullable): the row that getopt_long () means by @code. */
static const SegueOption *
find_row (const SegueVerb *verb, int code)
{
  if (code >= LONG_OPTION)
    return &verb->options[code - LONG_OPTION];
  for (const SegueOption *o = verb->options; o && o->name; o++)
    if (o->short_name && o->short_name == code)
      return o;
  return NULL;
}

/* `-n.mp3` parses as -n with a value; more likely, a file of that name is meant. */
static char *
file_hint (const char *word)
{
  if (*word != '-' || !g_file_test (word, G_FILE_TEST_EXISTS))
    return g_strdup ("");
  g_autofree char *shown = segue_text_printable (word);
  return g_strdup_printf ("; for the file of that name, write ./%s", shown);
}

static gboolean
parse_count (const SegueVerb *verb, const SegueOption *option, const char *text, const char *word,
             gint *value, GError **error)
{
  gint64 number = 0;
  const char *digits = text + (*text == '-' || *text == '+');
  gboolean whole = *digits && strspn (digits, "0123456789") == strlen (digits);
  if (whole)
    number = g_ascii_strtoll (text, NULL, 10); /* saturates */
  if (whole && number >= option->min && number <= option->max) {
    *value = (gint) number;
    return TRUE;
  }
  g_autofree char *shown = segue_text_printable (text);
  g_autofree char *hint = file_hint (word);
  return segue_usage_error (verb, error, "--%s must be %s%d..%d, got %s%s", option->name,
                            whole ? "" : "a whole number in ", option->min, option->max,
                            *shown ? shown : "nothing", hint);
}

/* A repeated option replaces its earlier value; lists grow. */
static gboolean
store_value (const SegueVerb *verb, const SegueOption *option, const char *text, const char *word,
             gpointer values, GError **error)
{
  gpointer field = (char *) values + option->offset;
  switch (option->type) {
  case SEGUE_OPTION_FLAG:
    *(gboolean *) field = TRUE;
    return TRUE;
  case SEGUE_OPTION_COUNT:
    return parse_count (verb, option, text, word, field, error);
  case SEGUE_OPTION_STRING:
    if (!g_utf8_validate (text, -1, NULL))
      return segue_usage_error (verb, error, "--%s must be UTF-8 text", option->name);
    break;
  case SEGUE_OPTION_LIST: {
    char ***list = field;
    guint n = *list ? g_strv_length (*list) : 0;
    *list = g_renew (char *, *list, n + 2);
    (*list)[n] = g_strdup (text);
    (*list)[n + 1] = NULL;
    return TRUE;
  }
  default:
    break;
  }
  if (!*text)
    return segue_usage_error (verb, error, "--%s has no value: give %s", option->name,
                              option->argument);
  g_free (*(char **) field);
  *(char **) field = g_strdup (text);
  return TRUE;
}

/* The option that was probably meant by @name. */
static char *
suggest_option (const SegueVerb *verb, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (const SegueOption *o = verb->options; o && o->name; o++)
    g_ptr_array_add (names, (gpointer) o->name);
  g_ptr_array_add (names, (gpointer) "help");
  g_ptr_array_add (names, NULL);
  return segue_suggest (name, (const char *const *) names->pdata);
}

/* The options that begin as @name does: "--clear, --cold". */
static char *
options_that_begin (const SegueVerb *verb, const char *name)
{
  g_autoptr (GString) list = g_string_new (NULL);
  guint n = 0;
  for (const SegueOption *o = verb->options; o && o->name; o++)
    if (g_str_has_prefix (o->name, name)) {
      g_string_append_printf (list, "%s--%s", n > 0 ? ", " : "", o->name);
      n++;
    }
  return n > 1 ? g_string_free (g_steal_pointer (&list), FALSE) : NULL;
}

static gboolean
refuse_long (const SegueVerb *verb, const char *word, GError **error)
{
  g_autofree char *name = g_strndup (word + 2, strcspn (word + 2, "="));
  g_autofree char *shown = segue_text_printable (name);
  g_autofree char *several = *name ? options_that_begin (verb, name) : NULL;
  if (several)
    return segue_usage_error (
      verb, error, "--%s is ambiguous: it may be any of %s; write one in full", shown, several);
  g_autofree char *near = suggest_option (verb, shown);
  g_autofree char *hint = file_hint (word);
  if (near)
    return segue_usage_error (verb, error, "there is no option --%s; did you mean --%s?", shown,
                              near);
  return segue_usage_error (verb, error, "there is no option --%s%s", shown, hint);
}

/* The word that getopt_long () parses: optind does not pass it until all of its letters are
 * parsed. */
static const char *
word_at_hand (char *const *words, int code)
{
  const char *before = words[MAX (optind - 1, 0)];
  gboolean letter = code == '?' && optopt != 0 && optopt < LONG_OPTION;
  gboolean more = letter && !(*before == '-' && strchr (before, optopt)) && words[optind];
  return more ? words[optind] : before;
}

/* Explains what getopt_long () did not understand in @word. */
static gboolean
refuse_option (const SegueVerb *verb, int code, const char *word, GError **error)
{
  const SegueOption *known = optopt ? find_row (verb, optopt) : NULL;
  if (code == ':' && known)
    return segue_usage_error (verb, error, "--%s has no value: give --%s %s", known->name,
                              known->name, known->argument);
  if (optopt >= LONG_OPTION || optopt == HELP)
    return segue_usage_error (verb, error, "--%s takes no value", known ? known->name : "help");
  if (g_str_has_prefix (word, "--"))
    return refuse_long (verb, word, error);
  /* A character of several bytes is shown as a whole. */
  g_autofree char *letter =
    g_ascii_isprint (optopt) ? g_strdup_printf ("-%c", optopt) : segue_text_printable (word);
  g_autofree char *hint = file_hint (word);
  return segue_usage_error (verb, error, "there is no option %s%s", letter, hint);
}

/* The arguments after options, with the program's name first. */
static char **
take_rest (char **words, int n, int first)
{
  char **rest = g_new0 (char *, (gsize) (n - first) + 2);
  rest[0] = g_strdup (words[0]);
  for (int i = first; i < n; i++)
    rest[i - first + 1] = g_strdup (words[i]);
  return rest;
}

gboolean
segue_options_parse (const SegueVerb *verb, char ***arguments, gpointer values, gboolean *help,
                     GError **error)
{
  char **words = *arguments; /* getopt_long () reorders them */
  int n = (int) g_strv_length (words);
  g_autofree struct option *table = long_options (verb);
  g_autofree char *letters = short_options (verb);
  int code;
  optind = 0; /* restart, whatever was parsed before */
  opterr = 0;
  *help = FALSE;
  while ((code = getopt_long (n, words, letters, table, NULL)) != -1) {
    const char *word = word_at_hand (words, code);
    if (code == HELP) {
      *help = TRUE;
      return TRUE;
    }
    const SegueOption *option = code == '?' || code == ':' ? NULL : find_row (verb, code);
    if (!option)
      return refuse_option (verb, code, word, error);
    if (!store_value (verb, option, optarg, word, values, error))
      return FALSE;
  }
  *arguments = take_rest (words, n, optind);
  g_strfreev (words);
  return TRUE;
}

static void
add_word (GPtrArray *words, const SegueOption *option, const char *value)
{
  g_ptr_array_add (words, g_strdup_printf ("--%s=%s", option->name, value));
}

GStrv
segue_options_words (const SegueVerb *verb, gconstpointer values)
{
  GPtrArray *words = g_ptr_array_new ();
  for (const SegueOption *o = verb->options; o && o->name; o++) {
    const void *field = (const char *) values + o->offset;
    char *const *texts = o->type == SEGUE_OPTION_LIST ? *(char ***) field : NULL;
    gint number = o->type <= SEGUE_OPTION_COUNT ? *(const gint *) field : 0;
    const char *text = o->type == SEGUE_OPTION_STRING || o->type == SEGUE_OPTION_PATH
                         ? *(char *const *) field
                         : NULL;
    if (o->type == SEGUE_OPTION_FLAG && number)
      g_ptr_array_add (words, g_strdup_printf ("--%s", o->name));
    else if (number)
      g_ptr_array_add (words, g_strdup_printf ("--%s=%d", o->name, number));
    if (text)
      add_word (words, o, text);
    for (; texts && *texts; texts++)
      add_word (words, o, *texts);
  }
  g_ptr_array_add (words, NULL);
  return (GStrv) g_ptr_array_free (words, FALSE);
}

void
segue_options_clear (const SegueVerb *verb, gpointer values)
{
  for (const SegueOption *o = verb->options; o && o->name; o++) {
    gpointer field = (char *) values + o->offset;
    if (o->type == SEGUE_OPTION_STRING || o->type == SEGUE_OPTION_PATH)
      g_clear_pointer ((char **) field, g_free);
    else if (o->type == SEGUE_OPTION_LIST)
      g_clear_pointer ((char ***) field, g_strfreev);
  }
}

gboolean
segue_usage_error (const SegueVerb *verb, GError **error, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  g_autofree char *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE, "%s (see: segue %s --help)", text,
               verb->name);
  return FALSE;
}

gboolean
segue_parse_choice (const SegueVerb *verb, const char *option, const char *given,
                    const char *const *names, guint *index, GError **error)
{
  for (guint i = 0; given && names[i]; i++) {
    if (!g_str_equal (names[i], given))
      continue;
    *index = i;
    return TRUE;
  }
  if (!given)
    return TRUE;
  g_autofree char *near = segue_suggest (given, names);
  g_autofree char *all = g_strjoinv (", ", (char **) names);
  g_autofree char *shown = segue_text_printable (given);
  return segue_usage_error (verb, error, "--%s must be one of %s, got ‘%s’%s%s%s", option, all,
                            shown, near ? "; did you mean " : "", near ? near : "",
                            near ? "?" : "");
}

gboolean
segue_refuse_arguments (const SegueVerb *verb, char **arguments, guint max, GError **error)
{
  if (g_strv_length (arguments) <= max)
    return TRUE;
  g_autofree char *shown = segue_text_printable (arguments[max]);
  return segue_usage_error (verb, error, "one argument too many: ‘%s’", shown);
}

/* The command does not know the libraries; model types read this variable. */
void
segue_choose_backend (const char *name)
{
  if (name)
    g_setenv ("SEGUE_BACKEND", name, TRUE);
}
