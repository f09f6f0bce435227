#include "graph/advice.h"
#include "base/advice-marks.h"
#include "params/params.h"

#include <string.h>

/* Settings of any stage, besides its parameters. */
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
 * begins with the first name in @speaker. Of several the last: the nearest to the failure. */
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

/* Whether a shell reads @text as a plain word: part of a message may be untrusted. */
static gboolean
is_plain (const char *text)
{
  for (; *text; text++)
    if (!g_ascii_isalnum (*text) && !strchr ("._-+,:@%/", *text))
      return FALSE;
  return TRUE;
}

/* The source of the advice. */
typedef struct {
  GPtrArray *stages;
  const char *speaker;
} Speech;

/* SegueAdviceFunc: "type:param=value", "param=value". */
static void
append_setting (GString *out, const char *words, const char *setting, gpointer data)
{
  const Speech *speech = data;
  const char *equals = strchr (setting, '=');
  const char *colon = equals ? memchr (setting, ':', (gsize) (equals - setting)) : NULL;
  g_autofree char *type = colon ? g_strndup (setting, (gsize) (colon - setting)) : NULL;
  const char *param = colon ? colon + 1 : setting;
  if (!equals || !is_plain (equals + 1))
    return;
  const SegueGraphStage *stage =
    find_stage (speech->stages, speech->speaker, type, param, (gsize) (equals - param));
  if (stage)
    g_string_append_printf (out, "%s--set %s.%s", words, stage->id, param);
}

/* SegueAdviceFunc: the same for a model's stages. */
static void
append_option (GString *out, const char *words, const char *setting, gpointer data)
{
  GPtrArray *stages = data;
  gsize length = strcspn (setting, "=");
  for (guint i = 0; i < stages->len; i++) {
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

char *
segue_advise (const char *message, GPtrArray *stages, const char *speaker)
{
  Speech speech = { .stages = stages, .speaker = speaker };
  return segue_advice_replace (message, stages ? append_setting : NULL, &speech);
}

void
segue_advise_error (GError **error, GPtrArray *stages, const char *speaker)
{
  Speech speech = { .stages = stages, .speaker = speaker };
  segue_advice_replace_error (error, stages ? append_setting : NULL, &speech);
}

void
segue_advise_prediction (GError **error, GPtrArray *stages)
{
  segue_advice_replace_error (error, stages ? append_option : NULL, stages);
}
