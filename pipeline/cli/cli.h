/* The command: a table of verbs, each a table of options and one function.
 *
 * The tables are the only source: `segue --help`, `segue VERB --help`, the man page, the parsing of
 * options and the suggestions for typing errors are generated from them. */
#pragma once

#include "term.h"
#include <segue/host/segue.h>

/**
 * SegueCli: the context of a verb.
 * @out: results
 * @err: progress, logs, errors
 * @signal: the signal that cancelled it, or 0
 * @progress: (nullable): progress bars that log lines must not overwrite
 */
typedef struct {
  SegueTerm out;
  SegueTerm err;
  int signal;
  struct _SegueProgress *progress;
} SegueCli;

typedef enum {
  SEGUE_OPTION_FLAG,   /* gboolean */
  SEGUE_OPTION_COUNT,  /* gint, from `min` to `max` */
  SEGUE_OPTION_STRING, /* char *, UTF-8 */
  SEGUE_OPTION_PATH,   /* char *, bytes */
  SEGUE_OPTION_LIST,   /* char **, bytes; may be given several times */
} SegueOptionType;

/** SegueOption: one row. @offset: of the field in the verb's struct; @argument: as shown in
 * help. */
typedef struct {
  const char *name;
  char short_name;
  SegueOptionType type;
  gsize offset;
  const char *argument;
  gint min, max;
  const char *doc;
} SegueOption;

typedef struct {
  const char *command;
  const char *doc;
} SegueExample;

/**
 * SegueVerb:
 * @synopsis: the text after `segue NAME`
 * @doc: paragraphs, separated by an empty line
 * @options, @examples: end with a zeroed row
 * @size: of the struct that options are parsed into
 * @run: @arguments: the arguments after options, %NULL-terminated
 */
typedef struct {
  const char *name;
  const char *summary;
  const char *synopsis;
  const char *doc;
  const SegueOption *options;
  gsize size;
  const SegueExample *examples;
  gboolean (*run) (SegueCli *cli, gconstpointer options, char **arguments, GError **error);
} SegueVerb;

extern const SegueVerb segue_verb_run;
extern const SegueVerb segue_verb_check;
extern const SegueVerb segue_verb_inspect;
extern const SegueVerb segue_verb_presets;
extern const SegueVerb segue_verb_predict;
extern const SegueVerb segue_verb_report;
extern const SegueVerb segue_verb_serve;
extern const SegueVerb segue_verb_map;
extern const SegueVerb segue_verb_similar;
extern const SegueVerb segue_verb_schema;
extern const SegueVerb segue_verb_fetch;
extern const SegueVerb segue_verb_cache;

/** segue_cli_main: runs the whole command; returns the exit status. */
int segue_cli_main (int argc, char **argv);

/** segue_verbs: %NULL-terminated, in the order of the help. */
const SegueVerb *const *segue_verbs (void);

/** segue_verb_call: runs @verb.
 * @arguments: %NULL-terminated; the first one takes the place of the program's name */
gboolean segue_verb_call (SegueCli *cli, const SegueVerb *verb, char **arguments, GError **error);

/** segue_options_parse: moves the options of @verb from @arguments (changed in place) to @values,
 * zeroed and of the verb's size. @help: whether --help was among them. */
gboolean segue_options_parse (const SegueVerb *verb, char ***arguments, gpointer values,
                              gboolean *help, GError **error);
/** segue_options_words: (transfer full): words that segue_options_parse() parses into @values
 * again. */
GStrv segue_options_words (const SegueVerb *verb, gconstpointer values);
void segue_options_clear (const SegueVerb *verb, gpointer values);

/** segue_print_error: on stderr, with the line of the pipeline that it refers to. */
void segue_print_error (SegueCli *cli, const GError *error);

/** segue_usage_error: sets %SEGUE_ERROR_USAGE and points to the verb's help; returns %FALSE. */
gboolean segue_usage_error (const SegueVerb *verb, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);
/** segue_parse_choice: the index of @given in @names; if @given is %NULL, @index does not
 * change. */
gboolean segue_parse_choice (const SegueVerb *verb, const char *option, const char *given,
                             const char *const *names, guint *index, GError **error);
/** segue_refuse_arguments: an error if more than @max arguments are left. */
gboolean segue_refuse_arguments (const SegueVerb *verb, char **arguments, guint max,
                                 GError **error);

/** SEGUE_OPTION_BACKEND: a row of verbs that compute, whose struct has `char *backend`. */
#define SEGUE_OPTION_BACKEND(Struct)                                                               \
  {                                                                                                \
    "backend", 0, SEGUE_OPTION_STRING, offsetof (Struct, backend), "NAME", 0, 0,                   \
      "the library for matrix products: onednn or openblas (default: the fastest available)"       \
  }
/** segue_choose_backend: @name: (nullable); call it before any thread starts. */
void segue_choose_backend (const char *name);

/** segue_help_main, segue_help_verb: (transfer full): for a terminal. */
char *segue_help_main (const SegueTerm *term);
char *segue_help_verb (const SegueTerm *term, const SegueVerb *verb);
/** segue_help_man: (transfer full): the man page, roff. */
char *segue_help_man (void);

/** segue_log_install: writes log messages of libraries to stderr, as selected by $SEGUE_DEBUG. */
void segue_log_install (SegueCli *cli);
/** segue_log_wants: whether @category (a log domain, a stage) shows @level: `message` and above,
 * and what `SEGUE_DEBUG=category:level,…` enables. */
gboolean segue_log_wants (const char *debug, const char *category, GLogLevelFlags level);

/** segue_excerpt: (transfer full) (nullable): the line that a `file:line:column: …` message refers
 * to, with a caret under the position. */
char *segue_excerpt (const SegueTerm *term, const char *message);
