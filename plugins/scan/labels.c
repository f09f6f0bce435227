#include "labels.h"

#include "names.h"

#include <segue/error.h>
#include <string.h>

/* Maximum number of names in one line; the log contains the others. */
#define MAX_NAMES 12

static GHashTable *
count_labels (const GPtrArray *songs)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < songs->len; i++) {
    const char *label = segue_item_get_string (g_ptr_array_index (songs, i), SEGUE_META_LABEL);
    gpointer count = label ? g_hash_table_lookup (counts, label) : NULL;

    if (label)
      g_hash_table_replace (counts, g_strdup (label),
                            GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
  }
  return counts;
}

/* A mistyped name must not silently make a class disappear. */
static gboolean
wanted_labels (const LabelRules *rules, GHashTable *counts, GHashTable **wanted, GError **error)
{
  g_autoptr (GHashTable) set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < rules->only->len; i++) {
    char *label = name_to_nfc (g_array_index (rules->only, const char *, i));

    g_hash_table_add (set, label);
    if (!g_hash_table_contains (counts, label)) {
      g_set_error (
        error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
        "no song has the label ‘%s’, which ‘labels’ lists: check how its folder is spelled", label);
      return FALSE;
    }
  }
  *wanted = g_steal_pointer (&set);
  return TRUE;
}

/* Labels that are excluded with all of their songs, and the reason. */
typedef struct {
  const LabelRules *rules;
  GHashTable *counts;  /* label → number of songs */
  GHashTable *wanted;  /* labels, where `labels` is set */
  GHashTable *skipped; /* folded labels of `skip_labels` */
} Choice;

static void
choice_clear (Choice *self)
{
  g_clear_pointer (&self->counts, g_hash_table_unref);
  g_clear_pointer (&self->wanted, g_hash_table_unref);
  g_clear_pointer (&self->skipped, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Choice, choice_clear)

static gboolean
choice_init (Choice *self, const LabelRules *rules, const GPtrArray *songs, GError **error)
{
  *self = (Choice){ .rules = rules,
                    .counts = count_labels (songs),
                    .skipped = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  for (guint i = 0; i < rules->skip->len; i++)
    g_hash_table_add (self->skipped, name_fold (g_array_index (rules->skip, const char *, i)));
  return wanted_labels (rules, self->counts, &self->wanted, error);
}

/* Reasons for excluding labels: the counter of their songs. */
static const char *const words[] = { "not in ‘labels’", "in ‘skip_labels’",
                                     "fewer songs than ‘min_songs’" };
static const char *const reasons[] = { "songs of other labels", "songs of skip_labels",
                                       "songs of labels below min_songs" };
enum { OTHER_LABELS, SKIP_LABELS, MIN_SONGS, N_REASONS };

/* N_REASONS: songs of @label are used. */
static guint
why_left_out (const Choice *self, const char *label)
{
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, label));
  g_autofree char *folded = name_fold (label);

  if (self->rules->only->len > 0 && !g_hash_table_contains (self->wanted, label))
    return OTHER_LABELS;
  if (g_hash_table_contains (self->skipped, folded))
    return SKIP_LABELS;
  return n < self->rules->min_songs ? MIN_SONGS : N_REASONS;
}

/* A line for each reason; the log contains each label. */
static void
log_left_out (const Choice *self, SegueContext *context)
{
  g_autoptr (GPtrArray) labels = names_sorted (self->counts);

  for (guint reason = 0; reason < N_REASONS; reason++) {
    g_autoptr (GString) list = g_string_new (NULL);
    guint n_labels = 0;

    for (guint i = 0; i < labels->len; i++) {
      const char *label = g_ptr_array_index (labels, i);
      guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, label));
      g_autofree char *named = g_strdup_printf ("‘%s’ (%u song%s)", label, n, n == 1 ? "" : "s");

      if (why_left_out (self, label) != reason)
        continue;
      segue_context_log (context, G_LOG_LEVEL_DEBUG, "%s is excluded: %s", named, words[reason]);
      if (n_labels++ < MAX_NAMES)
        g_string_append_printf (list, "%s%s", list->len ? ", " : "", named);
    }
    if (n_labels > MAX_NAMES)
      g_string_append_printf (list, " and %u more", n_labels - MAX_NAMES);
    if (n_labels > 0)
      segue_context_log (context, reason == OTHER_LABELS ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_WARNING,
                         "excluded labels (%s): %s", words[reason], list->str);
  }
}

GPtrArray *
labels_choose (const LabelRules *rules, GPtrArray *songs, SegueContext *context, GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  g_auto (Choice) choice = { 0 };

  if (!choice_init (&choice, rules, songs, error))
    return NULL;
  for (guint i = 0; i < songs->len; i++) {
    SegueItem *song = g_ptr_array_index (songs, i);
    const char *label = segue_item_get_string (song, SEGUE_META_LABEL);
    guint why = label ? why_left_out (&choice, label) : N_REASONS;

    if (why < N_REASONS)
      segue_context_count (context, reasons[why], 1);
    else
      g_ptr_array_add (chosen, song);
  }
  log_left_out (&choice, context);
  return g_steal_pointer (&chosen);
}
