#include "advice.h"
#include "params.h"

#include <string.h>

#define OPEN   "\u27e6"
#define MIDDLE "\u00a6"
#define CLOSE  "\u27e7"

/* Settings of any stage, beside its parameters. */
static const char *const settings[] = { "cache", "isolate", "time_limit" };

static gboolean
has_param (const SegueStageType *type, const char *name, gsize length)
{
  for (gsize i = 0; type->mode == SEGUE_MODE_MAP && i < G_N_ELEMENTS (settings); i++)
    if (strlen (settings[i]) == length && strncmp (settings[i], name, length) == 0)
      return TRUE;
  for (const SegueParam *const *row = type->params; row && *row; row++)
    if (strlen ((*row)->name) == length && strncmp ((*row)->name, name, length) == 0)
      return TRUE;
  return FALSE;
}

/* The stage that has the parameter: one of the type named; else the speaker, or one of its chain, which
 * begins with the first name in @speaker.  Of several the last: the nearest to what went wrong. */
static const SegueGraphStage *
find_stage (GPtrArray *stages, const char *speaker, const char *type, const char *param,
            gsize length)
{
  const SegueGraphStage *found = NULL;
  gboolean speaks = FALSE;
  for (guint i = 0; i < stages->len; i++) {
    const SegueGraphStage *stage = g_ptr_array_index (stages, i);
    gsize n = strlen (stage->id);
    gboolean first = speaker && strncmp (speaker, stage->id, n) == 0 &&
                     !g_ascii_isalnum (speaker[n]) && !strchr ("-_", speaker[n]);
    gboolean alone = speaker && strcmp (speaker, stage->id) == 0;
    gboolean last = speaker && !alone && g_str_has_suffix (speaker, stage->id) &&
                    g_ascii_isspace (speaker[strlen (speaker) - n - 1]);
    speaks |= first || alone;
    if (type ? strcmp (stage->type->name, type) == 0 : speaks)
      if (has_param (stage->type, param, length))
        found = stage;
    speaks &= !alone && !last;
  }
  return found;
}

/* Nothing that a shell takes for more than a word: part of a message may be a stranger's. */
static gboolean
is_plain (const char *text)
{
  for (; *text; text++)
    if (!g_ascii_isalnum (*text) && !strchr ("._-+,:@%/", *text))
      return FALSE;
  return TRUE;
}

/* "type:param=value", "param=value". */
static void
append_setting (GString *out, const char *words, const char *setting, GPtrArray *stages,
                const char *speaker)
{
  const char *equals = strchr (setting, '=');
  const char *colon = equals ? memchr (setting, ':', (gsize) (equals - setting)) : NULL;
  g_autofree char *type = colon ? g_strndup (setting, (gsize) (colon - setting)) : NULL;
  const char *param = colon ? colon + 1 : setting;
  if (!stages || !equals || !is_plain (equals + 1))
    return;
  const SegueGraphStage *stage =
    find_stage (stages, speaker, type, param, (gsize) (equals - param));
  if (stage)
    g_string_append_printf (out, "%s--set %s.%s", words, stage->id, param);
}

/* The same for a model's stages. */
static void
append_option (GString *out, const char *words, const char *setting, GPtrArray *stages,
               const char *speaker)
{
  gsize length = strcspn (setting, "=");
  for (guint i = 0; stages && i < stages->len; i++) {
    const SegueGraphStage *stage = g_ptr_array_index (stages, i);
    for (const SegueParam *const *row = stage->type->params; row && *row; row++) {
      gboolean same = strlen ((*row)->name) == length && !strncmp ((*row)->name, setting, length);
      if (!same || !(segue_param_read (*row).flags & SEGUE_PARAM_ON_REQUEST))
        continue;
      g_string_append_printf (out, "%s--partial", words);
      return;
    }
  }
}

typedef void (*Append) (GString *out, const char *words, const char *setting, GPtrArray *stages,
                        const char *speaker);

static char *
advise (const char *message, Append append, GPtrArray *stages, const char *speaker)
{
  GString *out = g_string_new (NULL);
  const char *at = message, *open;
  while ((open = strstr (at, OPEN))) {
    const char *middle = strstr (open, MIDDLE);
    const char *close = middle ? strstr (middle, CLOSE) : NULL;
    if (!close)
      break;
    const char *words = open + strlen (OPEN), *setting = middle + strlen (MIDDLE);
    g_autofree char *before = g_strndup (words, (gsize) (middle - words));
    g_autofree char *what = g_strndup (setting, (gsize) (close - setting));
    g_string_append_len (out, at, open - at);
    append (out, before, what, stages, speaker);
    at = close + strlen (CLOSE);
  }
  g_string_append (out, at);
  return g_string_free (out, FALSE);
}

char *
segue_advise (const char *message, GPtrArray *stages, const char *speaker)
{
  return advise (message, append_setting, stages, speaker);
}

static void
advise_error (GError **error, Append append, GPtrArray *stages, const char *speaker)
{
  if (!error || !*error || !strstr ((*error)->message, OPEN))
    return;
  g_autofree char *old = (*error)->message;
  (*error)->message = advise (old, append, stages, speaker);
}

void
segue_advise_error (GError **error, GPtrArray *stages, const char *speaker)
{
  advise_error (error, append_setting, stages, speaker);
}

void
segue_advise_prediction (GError **error, GPtrArray *stages)
{
  advise_error (error, append_option, stages, NULL);
}
