/* Help, generated from the verbs' tables: for a terminal and as a man page. */
#include "cli.h"

#include <string.h>

#define MAX_COLUMNS 100 /* longer lines are hard to read */
#define LIST_INDENT 2
#define MIN_DOC     30 /* minimum columns for an option's text; with less it gets a separate line */

static const char intro[] =
  "segue turns a folder of music into a trained classifier that predicts the artist of a song. A "
  "pipeline written in YAML specifies how; each of its stages is a plugin, and prepared songs are "
  "cached, so that a second run prepares only what changed.";

static const SegueExample start[] = {
  { "segue presets", "pipelines that come with segue" },
  { "segue run --preset artist-small ~/Music", "train on ~/Music/ARTIST/ALBUM/SONG.mp3" },
  { "segue predict --model runs/artist-small/latest song.mp3", "predict the artist of a song" },
  { "segue serve --model runs/artist-small/latest --open", "the same in a browser" },
  { "segue map ~/Music --open", "all songs as points; those that sound alike are near" },
  { NULL, NULL },
};

static const struct {
  const char *name;
  const char *doc;
} variables[] = {
  { "SEGUE_PLUGIN_PATH", "additional plugin folders, separated by colons; searched first" },
  { "SEGUE_PRESET_PATH", "additional preset folders" },
  { "SEGUE_WORKER", "the program that runs isolated stages (default: as installed)" },
  { "SEGUE_WORKER_ENV", "comma-separated names of variables that it gets besides those for "
                        "libraries, language and time" },
  { "SEGUE_SERVE", "the program that serve starts (default: as installed)" },
  { "SEGUE_CACHE", "the cache folder (default: $XDG_CACHE_HOME/segue)" },
  { "SEGUE_CACHE_SIZE", "size limit of the cache, such as 50G (default: a fifth of the disk, but "
                        "at most half of the space that would be free without it)" },
  { "SEGUE_BACKEND",
    "the library for matrix products: onednn or openblas (default: the fastest available)" },
  { "SEGUE_DEBUG", "additional log lines on stderr: category:level,… with a stage or log domain "
                   "(or *) and error, warning, message, info or debug; for example decode:debug" },
  { "HF_HUB_CACHE, HF_HOME", "where models of the Hugging Face Hub are stored" },
  { "HF_ENDPOINT", "the server that fetch uses (default: https://huggingface.co)" },
  { "HF_TOKEN", "a token sent only to that server, for models that need it" },
  { "HF_HUB_OFFLINE", "1: fetch nothing" },
  { "NO_COLOR", "any value: no colours" },
};

static const struct {
  int status;
  const char *doc;
} statuses[] = {
  { 0, "success" },
  { 1, "any other failure" },
  { 64, "invalid options or arguments" },
  { 65, "bad data: a song, a file or a model that can't be used" },
  { 66, "a given file or folder does not exist" },
  { 69, "a server can't be reached, or offline mode is set" },
  { 70, "an error in segue or in a plugin" },
  { 73, "an output can't be created" },
  { 74, "reading or writing failed, or memory ran out" },
  { 78, "the pipeline is invalid" },
  { 130, "interrupted; completed results are kept" },
};

static guint
help_columns (const SegueTerm *term)
{
  return MIN (term->columns, MAX_COLUMNS);
}

static void
append_heading (GString *out, const SegueTerm *term, const char *text)
{
  g_string_append_printf (out, "\n%s%s%s\n", segue_term_style (term, SEGUE_STYLE_BOLD), text,
                          segue_term_reset (term));
}

static void
append_row (GString *out, const SegueTerm *term, const char *left, const char *right, guint column)
{
  g_string_append_printf (out, "%*s%s", LIST_INDENT, "", segue_term_style (term, SEGUE_STYLE_CYAN));
  g_string_append (out, left);
  g_string_append (out, segue_term_reset (term));
  guint at = LIST_INDENT + segue_text_width (left);
  if (at + 2 > column) {
    g_string_append_c (out, '\n');
    at = 0;
  }
  g_string_append_printf (out, "%*s", (int) (column - at), "");
  segue_text_append_wrapped (out, right, column, help_columns (term));
}

/* The column where the right side of a list starts. */
static guint
right_column (const SegueTerm *term, guint widest)
{
  guint column = LIST_INDENT + widest + 2;
  return column + MIN_DOC > help_columns (term) ? 8 : column;
}

/* The command in lines that fit and can be pasted: broken only at a shell's word separators. */
static char *
fold_command (const char *command, guint columns)
{
  GString *out = g_string_new (NULL);
  guint at = 0;
  for (const char *word = command; *word;) {
    const char *end = word;
    char quote = 0;
    for (; *end && (quote || *end != ' '); end++) {
      if (quote ? *end == quote : *end == '\'' || *end == '"')
        quote = quote ? 0 : *end;
    }
    g_autofree char *text = g_strndup (word, (gsize) (end - word));
    guint width = segue_text_width (text);
    if (at > 0 && at + 1 + width + 2 > columns) {
      g_string_append_printf (out, " \\\n%*s", 2 * LIST_INDENT, "");
      at = LIST_INDENT;
    } else if (at > 0) {
      g_string_append_c (out, ' ');
      at++;
    }
    g_string_append (out, text);
    at += width;
    word = end + (*end == ' ');
  }
  return g_string_free (out, FALSE);
}

static void
append_examples (GString *out, const SegueTerm *term, const SegueExample *examples)
{
  guint widest = 0;
  for (const SegueExample *e = examples; e->command; e++)
    widest = MAX (widest, segue_text_width (e->command));
  for (const SegueExample *e = examples; e->command; e++) {
    g_autofree char *command = fold_command (e->command, help_columns (term) - LIST_INDENT);
    append_row (out, term, command, e->doc, right_column (term, widest));
  }
}

static char *
option_label (const SegueOption *option)
{
  g_autofree char *value =
    option->argument ? g_strconcat (" ", option->argument, NULL) : g_strdup ("");
  return option->short_name
           ? g_strdup_printf ("-%c, --%s%s", option->short_name, option->name, value)
           : g_strdup_printf ("    --%s%s", option->name, value);
}

static void
append_options (GString *out, const SegueTerm *term, const SegueOption *options)
{
  static const SegueOption help = { .name = "help", .short_name = 'h', .doc = "show this" };
  guint widest = 0;
  for (const SegueOption *o = options; o && o->name; o++) {
    g_autofree char *label = option_label (o);
    widest = MAX (widest, segue_text_width (label));
  }
  g_autofree char *help_label = option_label (&help);
  guint column = right_column (term, MAX (widest, segue_text_width (help_label)));
  for (const SegueOption *o = options; o && o->name; o++) {
    g_autofree char *label = option_label (o);
    append_row (out, term, label, o->doc, column);
  }
  append_row (out, term, help_label, help.doc, column);
}

static void
append_paragraphs (GString *out, const char *doc, guint columns)
{
  g_auto (GStrv) paragraphs = g_strsplit (doc, "\n\n", -1);
  for (gsize i = 0; paragraphs[i]; i++) {
    if (i > 0)
      g_string_append_c (out, '\n');
    segue_text_append_wrapped (out, paragraphs[i], 0, columns);
  }
}

char *
segue_help_main (const SegueTerm *term)
{
  GString *out = g_string_new (NULL);
  segue_text_append_wrapped (out, intro, 0, help_columns (term));
  append_heading (out, term, "Start with");
  append_examples (out, term, start);
  append_heading (out, term, "Verbs");
  for (const SegueVerb *const *v = segue_verbs (); *v; v++)
    append_row (out, term, (*v)->name, (*v)->summary, LIST_INDENT + 10);
  append_heading (out, term, "Options");
  append_row (out, term, "-h, --help", "show this; after a verb: what the verb does", 17);
  append_row (out, term, "    --version", "the version", 17);
  g_string_append (out,
                   "\n‘segue VERB --help’ shows options and examples, ‘man segue’ everything.\n");
  return g_string_free (out, FALSE);
}

/* `[--set KEY=VALUE]...` stays in one line. */
static void
append_synopsis (GString *out, const SegueTerm *term, const SegueVerb *verb)
{
  const char space = '\x1f'; /* represents one inside of brackets */
  g_autofree char *head =
    g_strdup_printf ("usage: segue %s%s", verb->name, *verb->synopsis ? " " : "");
  g_autofree char *synopsis = g_strdup (verb->synopsis);
  guint depth = 0;
  for (char *p = synopsis; *p; p++) {
    depth += *p == '[';
    depth -= *p == ']';
    if (*p == ' ' && depth > 0)
      *p = space;
  }
  g_autoptr (GString) lines = g_string_new (head);
  segue_text_append_wrapped (lines, synopsis, segue_text_width (head), help_columns (term));
  g_string_append (out, g_strdelimit (lines->str, "\x1f", ' '));
  g_string_append_c (out, '\n');
}

char *
segue_help_verb (const SegueTerm *term, const SegueVerb *verb)
{
  GString *out = g_string_new (NULL);
  append_synopsis (out, term, verb);
  append_paragraphs (out, verb->doc, help_columns (term));
  append_heading (out, term, "Options");
  append_options (out, term, verb->options);
  if (verb->examples) {
    append_heading (out, term, "Examples");
    append_examples (out, term, verb->examples);
  }
  g_string_append (out, "\nExit statuses: ‘man segue’ lists them.\n");
  return g_string_free (out, FALSE);
}

/* ---- The man page ---- */

/* Text for roff: a backslash is an escape, `-` a hyphen, a dot or quote at the start of a line a
 * request. */
static void
append_roff (GString *out, const char *text)
{
  gboolean line_start = TRUE;
  for (const char *p = text; *p; p++) {
    if (line_start && (*p == '.' || *p == '\''))
      g_string_append (out, "\\&");
    if (*p == '\\')
      g_string_append (out, "\\e");
    else if (*p == '-')
      g_string_append (out, "\\-");
    else
      g_string_append_c (out, *p);
    line_start = *p == '\n';
  }
}

static void
append_roff_doc (GString *out, const char *doc)
{
  g_auto (GStrv) paragraphs = g_strsplit (doc, "\n\n", -1);
  for (gsize i = 0; paragraphs[i]; i++) {
    if (i > 0)
      g_string_append (out, ".PP\n");
    append_roff (out, paragraphs[i]);
    g_string_append_c (out, '\n');
  }
}

static void
append_roff_item (GString *out, const char *label, const char *doc)
{
  g_string_append (out, ".TP\n.B ");
  append_roff (out, label);
  g_string_append_c (out, '\n');
  append_roff (out, doc);
  g_string_append_c (out, '\n');
}

static void
append_roff_verb (GString *out, const SegueVerb *verb)
{
  g_string_append_printf (out, ".SS segue %s ", verb->name);
  append_roff (out, verb->synopsis);
  g_string_append_c (out, '\n');
  append_roff_doc (out, verb->doc);
  for (const SegueOption *o = verb->options; o && o->name; o++) {
    g_autofree char *label = option_label (o);
    append_roff_item (out, g_strstrip (label), o->doc);
  }
  for (const SegueExample *e = verb->examples; e && e->command; e++)
    append_roff_item (out, e->command, e->doc);
}

char *
segue_help_man (void)
{
  GString *out = g_string_new (".TH SEGUE 1 \"\" \"segue " SEGUE_VERSION "\" \"User commands\"\n"
                               ".SH NAME\nsegue \\- from a folder of music to a classifier\n"
                               ".SH SYNOPSIS\n.B segue\nVERB [OPTION]... [ARGUMENT]...\n"
                               ".SH DESCRIPTION\n");
  append_roff_doc (out, intro);
  g_string_append (out, ".PP\nStart with:\n");
  for (const SegueExample *e = start; e->command; e++)
    append_roff_item (out, e->command, e->doc);
  g_string_append (out, ".SH VERBS\n");
  for (const SegueVerb *const *v = segue_verbs (); *v; v++)
    append_roff_verb (out, *v);
  g_string_append (out, ".SH ENVIRONMENT\n");
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    append_roff_item (out, variables[i].name, variables[i].doc);
  g_string_append (out, ".SH EXIT STATUS\n");
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autofree char *status = g_strdup_printf ("%d", statuses[i].status);
    append_roff_item (out, status, statuses[i].doc);
  }
  return g_string_free (out, FALSE);
}
