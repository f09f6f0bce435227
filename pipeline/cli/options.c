/* Options: a verb's table, parsed by GOption. */
#include "cli.h"
#include "params.h"

#include <string.h>

static GOptionArg
arg_of (SegueOptionType type)
{
  switch (type) {
  case SEGUE_OPTION_FLAG:
    return G_OPTION_ARG_NONE;
  case SEGUE_OPTION_COUNT:
    return G_OPTION_ARG_INT;
  case SEGUE_OPTION_STRING:
    return G_OPTION_ARG_STRING;
  case SEGUE_OPTION_PATH:
    return G_OPTION_ARG_FILENAME;
  case SEGUE_OPTION_LIST:
  default:
    return G_OPTION_ARG_FILENAME_ARRAY;
  }
}

static GArray *
entries_new (const SegueVerb *verb, gpointer values, gboolean *help)
{
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  for (const SegueOption *o = verb->options; o && o->name; o++) {
    GOptionEntry entry = {
      .long_name = o->name,
      .short_name = o->short_name,
      .arg = arg_of (o->type),
      .arg_data = (char *) values + o->offset,
    };
    g_array_append_val (entries, entry);
  }
  GOptionEntry entry = { .long_name = "help", .short_name = 'h', .arg_data = help };
  g_array_append_val (entries, entry);
  return entries;
}

static gboolean
check_counts (const SegueVerb *verb, gconstpointer values, GError **error)
{
  for (const SegueOption *o = verb->options; o && o->name; o++) {
    if (o->type != SEGUE_OPTION_COUNT)
      continue;
    gint value = *(const gint *) ((const char *) values + o->offset);
    if (value != 0 && (value < o->min || value > o->max))
      return segue_usage_error (verb, error, "--%s must be %d..%d, got %d", o->name, o->min, o->max,
                                value);
  }
  return TRUE;
}

/* The option that @word, as GOption names it in "Unknown option %s", may have been meant as. */
static char *
suggest_option (const SegueVerb *verb, const char *word)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (const SegueOption *o = verb->options; o && o->name; o++)
    g_ptr_array_add (names, (gpointer) o->name);
  g_ptr_array_add (names, (gpointer) "help");
  g_ptr_array_add (names, NULL);
  return segue_suggest (word, (const char *const *) names->pdata);
}

static gboolean
explain (const SegueVerb *verb, char **arguments, const GError *reason, GError **error)
{
  if (reason->domain == G_OPTION_ERROR && reason->code == G_OPTION_ERROR_UNKNOWN_OPTION) {
    /* GOption leaves what it didn't understand where it was. */
    const char *at = strstr (reason->message, "--");
    g_autofree char *near = at ? suggest_option (verb, at + 2) : NULL;
    if (near)
      return segue_usage_error (verb, error, "%s; did you mean --%s?", reason->message, near);
  }
  return segue_usage_error (verb, error, "%s", reason->message);
}

gboolean
segue_options_parse (const SegueVerb *verb, char ***arguments, gpointer values, gboolean *help,
                     GError **error)
{
  g_autoptr (GArray) entries = entries_new (verb, values, help);
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, (const GOptionEntry *) (void *) entries->data, NULL);
  g_autoptr (GError) local = NULL;
  if (!g_option_context_parse_strv (context, arguments, &local))
    return explain (verb, *arguments, local, error);
  return check_counts (verb, values, error);
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

/* The command does not know the libraries; model types do, and look there. */
void
segue_choose_backend (const char *name)
{
  if (name)
    g_setenv ("SEGUE_BACKEND", name, TRUE);
}
