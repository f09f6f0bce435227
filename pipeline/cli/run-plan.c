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
reasons_text (const SeguePlanUnit *unit)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < unit->reasons->len; i++) {
    const SeguePlanReason *reason = g_ptr_array_index (unit->reasons, i);
    g_autofree char *why = segue_text_printable (reason->why);
    if (unit->reasons->len > 1)
      g_string_append_printf (text, "%s%u: ", i > 0 ? "; " : "", reason->n);
    g_string_append (text, why);
  }
  return g_string_free (text, FALSE);
}

static char *
state_text (const SeguePlanUnit *unit, const SegueTerm *out)
{
  const char *green = segue_term_style (out, SEGUE_STYLE_GREEN);
  const char *yellow = segue_term_style (out, SEGUE_STYLE_YELLOW);
  const char *reset = segue_term_reset (out);
  g_autofree char *reasons = reasons_text (unit);
  g_autoptr (GString) text = g_string_new (NULL);
  if (unit->source)
    return g_strdup_printf ("%u found (rescanned on every run)", unit->n_computed);
  if (unit->known && unit->n_computed == 0 && !unit->chain)
    return g_strdup_printf ("%scached%s", green, reset);
  if (unit->known && unit->chain)
    g_string_append_printf (text, "%s%u %s cached%s%s", green, unit->n_cached,
                            songs (unit->n_cached), reset, unit->n_computed > 0 ? ", " : "");
  if (unit->known && unit->chain && unit->n_computed == 0)
    return g_string_free (g_steal_pointer (&text), FALSE);
  g_string_append (text, yellow);
  if (unit->known && unit->chain)
    g_string_append_printf (text, "%u ", unit->n_computed);
  g_string_append_printf (text, "would run%s: %s", reset, reasons);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
would_run (const SeguePlanUnit *unit)
{
  return !unit->source && (!unit->known || unit->n_computed > 0);
}

void
segue_run_plan_print (GPtrArray *plan, const SegueTerm *out)
{
  guint width = 0, n = 0;
  for (guint i = 0; i < plan->len; i++) {
    const SeguePlanUnit *unit = g_ptr_array_index (plan, i);
    width = MAX (width, segue_text_width (unit->name));
  }
  width = MIN (width, MAX_NAME);
  for (guint i = 0; i < plan->len; i++) {
    const SeguePlanUnit *unit = g_ptr_array_index (plan, i);
    g_autofree char *state = state_text (unit, out);
    g_autoptr (GString) line = g_string_new (NULL);
    segue_text_append_padded (line, unit->name, width);
    fprintf (out->stream, "%s  %s\n", line->str, state);
    n += would_run (unit);
  }
  if (n == 0)
    fputs ("nothing would run: everything is cached\n", out->stream);
}

static json_t *
describe (const SeguePlanUnit *unit)
{
  json_t *why = json_array ();
  for (guint i = 0; i < unit->reasons->len; i++) {
    const SeguePlanReason *reason = g_ptr_array_index (unit->reasons, i);
    json_array_append_new (why,
                           json_pack ("{s:s, s:i}", "reason", reason->why, "n", (int) reason->n));
  }
  const char *kind = unit->source ? "source" : unit->chain ? "chain" : "stage";
  json_t *object = json_pack ("{s:s, s:s, s:b, s:o}", "name", unit->name, "kind", kind, "would_run",
                              would_run (unit), "why", why);
  if (unit->known && !unit->source) {
    json_object_set_new (object, "cached", json_integer (unit->n_cached));
    json_object_set_new (object, "computed", json_integer (unit->n_computed));
  } else if (unit->known) {
    json_object_set_new (object, "found", json_integer (unit->n_computed));
  }
  return object;
}

void
segue_run_plan_print_json (GPtrArray *plan, const SegueRunResult *result, json_t *data,
                           json_t *left_out, const SegueTerm *out)
{
  json_t *units = json_array ();
  for (guint i = 0; i < plan->len; i++)
    json_array_append_new (units, describe (g_ptr_array_index (plan, i)));
  json_t *object = json_pack ("{s:o, s:o?, s:i, s:i, s:i, s:I, s:o}", "units", units, "data", data,
                              "songs", (int) result->n_songs, "cached", (int) result->n_cached,
                              "quarantined", (int) result->n_failed, "ignored",
                              (json_int_t) result->n_ignored, "left_out", left_out);
  segue_term_print_json (out, object, JSON_COMPACT);
}
