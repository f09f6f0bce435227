/* What a run would do, as text and as JSON. */
#include "run-plan.h"

#include <jansson.h>

#define MAX_NAME 32 /* columns; a longer name pushes its line to the right */

static const char *
songs (guint n)
{
  return n == 1 ? "song" : "songs";
}

/* "new", or if there are several: "10: new; 2: its bytes changed". */
static char *
reasons_text (const SeguePlanStep *step)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < step->reasons->len; i++) {
    const SeguePlanReason *reason = g_ptr_array_index (step->reasons, i);
    g_autofree char *why = segue_text_printable (reason->why);
    if (step->reasons->len > 1)
      g_string_append_printf (text, "%s%u: ", i > 0 ? "; " : "", reason->n);
    g_string_append (text, why);
  }
  return g_string_free (text, FALSE);
}

static char *
state_text (const SeguePlanStep *step, const SegueTerm *out)
{
  const char *green = segue_term_style (out, SEGUE_STYLE_GREEN);
  const char *yellow = segue_term_style (out, SEGUE_STYLE_YELLOW);
  const char *reset = segue_term_reset (out);
  g_autofree char *reasons = reasons_text (step);
  g_autoptr (GString) text = g_string_new (NULL);
  if (step->source)
    return g_strdup_printf ("%u found (rescanned on every run)", step->n_computed);
  if (step->known && step->n_computed == 0 && !step->chain)
    return g_strdup_printf ("%scached%s", green, reset);
  if (step->known && step->chain)
    g_string_append_printf (text, "%s%u %s cached%s%s", green, step->n_cached,
                            songs (step->n_cached), reset, step->n_computed > 0 ? ", " : "");
  if (step->known && step->chain && step->n_computed == 0)
    return g_string_free (g_steal_pointer (&text), FALSE);
  g_string_append (text, yellow);
  if (step->known && step->chain)
    g_string_append_printf (text, "%u ", step->n_computed);
  g_string_append_printf (text, "would run%s: %s", reset, reasons);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
would_run (const SeguePlanStep *step)
{
  return !step->source && (!step->known || step->n_computed > 0);
}

void
segue_run_plan_print (GPtrArray *plan, const SegueTerm *out)
{
  guint width = 0, n = 0;
  for (guint i = 0; i < plan->len; i++) {
    const SeguePlanStep *step = g_ptr_array_index (plan, i);
    width = MAX (width, segue_text_width (step->name));
  }
  width = MIN (width, MAX_NAME);
  for (guint i = 0; i < plan->len; i++) {
    const SeguePlanStep *step = g_ptr_array_index (plan, i);
    g_autofree char *state = state_text (step, out);
    g_autoptr (GString) line = g_string_new (NULL);
    segue_text_append_padded (line, step->name, width);
    fprintf (out->stream, "%s  %s\n", line->str, state);
    n += would_run (step);
  }
  if (n == 0)
    fputs ("nothing would run: everything is cached\n", out->stream);
}

static json_t *
plan_describe (const SeguePlanStep *step)
{
  json_t *why = json_array ();
  for (guint i = 0; i < step->reasons->len; i++) {
    const SeguePlanReason *reason = g_ptr_array_index (step->reasons, i);
    json_array_append_new (why,
                           json_pack ("{s:s, s:i}", "reason", reason->why, "n", (int) reason->n));
  }
  const char *kind = step->source ? "source" : step->chain ? "chain" : "stage";
  json_t *object = json_pack ("{s:s, s:s, s:b, s:o}", "name", step->name, "kind", kind, "would_run",
                              would_run (step), "why", why);
  if (step->known && !step->source) {
    json_object_set_new (object, "cached", json_integer (step->n_cached));
    json_object_set_new (object, "computed", json_integer (step->n_computed));
  } else if (step->known) {
    json_object_set_new (object, "found", json_integer (step->n_computed));
  }
  return object;
}

void
segue_run_plan_print_json (GPtrArray *plan, const SegueRunResult *result, json_t *data,
                           json_t *left_out, const SegueTerm *out)
{
  json_t *steps = json_array ();
  for (guint i = 0; i < plan->len; i++)
    json_array_append_new (steps, plan_describe (g_ptr_array_index (plan, i)));
  json_t *object = json_pack ("{s:o, s:o?, s:i, s:i, s:i, s:I, s:o}", "steps", steps, "data", data,
                              "songs", (int) result->n_songs, "cached", (int) result->n_cached,
                              "quarantined", (int) result->n_failed, "ignored",
                              (json_int_t) result->n_ignored, "left_out", left_out);
  segue_term_print_json (out, object, JSON_COMPACT);
}
