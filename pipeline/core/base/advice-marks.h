/* The marks of SEGUE_ADVICE () in messages (internal). */
#pragma once

#include <glib.h>

/** SegueAdviceFunc: appends to @out what is to stand in the place of one piece of advice.
 * @words: before the setting: "; shorter segments give more: "
 * @setting: "length=5", or with the stage type that has the parameter: "segment:length=5" */
typedef void (*SegueAdviceFunc) (GString *out, const char *words, const char *setting,
                                 gpointer data);

/** segue_advice_replace: (transfer full): @message with all of its advice replaced.
 * @replace: (nullable): %NULL: by nothing */
char *segue_advice_replace (const char *message, SegueAdviceFunc replace, gpointer data);
/** segue_advice_replace_error: the same in place; @error: (nullable), as is what it points to. */
void segue_advice_replace_error (GError **error, SegueAdviceFunc replace, gpointer data);
