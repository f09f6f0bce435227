/* The marks of SEGUE_ADVICE () in messages (internal). */
#pragma once

#include <glib.h>

/** SegueAdviceFunc: appends to @out the replacement of one piece of advice.
 * @words: before the setting: "; shorter segments give more: "
 * @setting: "length=5", or with the stage type that has the parameter: "segment:length=5" */
typedef void (*SegueAdviceFunc) (GString *out, const char *words, const char *setting,
                                 gpointer data);

/** segue_advice_replace: (transfer full): @message with all of its advice replaced.
 * @replace: (nullable): %NULL: the advice is removed */
char *segue_advice_replace (const char *message, SegueAdviceFunc replace, gpointer data);
/** segue_advice_replace_error: the same in place; @error: (nullable), *@error: (nullable). */
void segue_advice_replace_error (GError **error, SegueAdviceFunc replace, gpointer data);
