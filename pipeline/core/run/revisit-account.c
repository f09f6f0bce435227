/* run.json and log.ndjson read back. */
#include "run/revisit-account.h"

#include "graph/graph.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LOG    ((goffset) 256 * 1024 * 1024) /* bytes of log.ndjson that are searched for points */
#define MAX_LINE   4096                          /* bytes of a line that may be a point */
#define MAX_POINTS 100000                        /* of all curves */

static gboolean
refuse (GError **error, const char *path, const char *what)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’ is not a valid run record (%s); run the pipeline again", shown, what);
  return FALSE;
}

static json_t *
read_run (const char *folder, const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  json_t *run = segue_json_read (path, SEGUE_JSON_RUN, SEGUE_JSON_FLAGS_NONE, NULL, &local);
  if (!run && g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT)) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "‘%s’ is not the folder of a run: it has no run.json; give one such as "
                 "runs/artist/latest",
                 shown);
    return NULL;
  }
  if (!run)
    g_propagate_error (error, g_steal_pointer (&local));
  return run;
}

static json_t *
find_stage (json_t *stages, const char *id)
{
  size_t i;
  json_t *stage;
  json_array_foreach (stages, i, stage)
  {
    if (g_strcmp0 (json_string_value (json_object_get (stage, "id")), id) == 0)
      return stage;
  }
  return NULL;
}

/* Copies member @key of @from to @into; %FALSE: it is missing, or not of type @type. */
static gboolean
copy_member (json_t *into, json_t *from, const char *key, json_type type)
{
  json_t *value = json_object_get (from, key);
  return value && json_typeof (value) == type && json_object_set (into, key, value) == 0;
}

static gboolean
add_stage (json_t *stages, json_t *planned, json_t *finished)
{
  json_t *stage = json_object (), *counters;
  const char *id = json_string_value (json_object_get (planned, "id"));
  gboolean ok = json_array_append_new (stages, stage) == 0 && id &&
                copy_member (stage, planned, "id", JSON_STRING) &&
                copy_member (stage, planned, "use", JSON_STRING) &&
                copy_member (stage, planned, "result_version", JSON_INTEGER) &&
                copy_member (stage, planned, "with", JSON_OBJECT);
  /* A built-in plugin has no name. */
  copy_member (stage, planned, "plugin", JSON_STRING);
  copy_member (stage, planned, "plugin_version", JSON_STRING);
  counters = ok ? json_object_get (find_stage (finished, id), "counters") : NULL;
  json_object_set_new (stage, "counters", counters ? json_copy (counters) : json_object ());
  json_object_set_new (stage, "curves", json_object ());
  return ok;
}

static gboolean
add_stages (json_t *account, json_t *run, const char *use)
{
  json_t *planned = json_object_get (json_object_get (run, "pipeline"), "stages"), *stage;
  json_t *stages = json_array ();
  size_t i;
  json_object_set_new (account, "stages", stages);
  if (json_array_size (planned) > SEGUE_MAX_STAGES)
    return FALSE;
  json_array_foreach (planned, i, stage)
  {
    if (g_strcmp0 (json_string_value (json_object_get (stage, "use")), use) == 0)
      break;
    if (!add_stage (stages, stage, json_object_get (run, "stages")))
      return FALSE;
  }
  return json_array_size (stages) > 0;
}

static const char *
get_text (const json_t *object, const char *key)
{
  const char *text = json_string_value (json_object_get (object, key));
  return text ? text : "";
}

static int
compare_quarantined (gconstpointer a, gconstpointer b)
{
  const json_t *one = *(json_t *const *) a, *other = *(json_t *const *) b;
  int order = strcmp (get_text (one, "id"), get_text (other, "id"));
  return order != 0 ? order : strcmp (get_text (one, "stage"), get_text (other, "stage"));
}

static gboolean
add_quarantined (json_t *account, json_t *run)
{
  json_t *list = json_object_get (run, "quarantined"), *item, *sorted = json_array ();
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  size_t i;
  json_object_set_new (account, "quarantined", sorted);
  json_array_foreach (list, i, item)
  {
    if (!json_is_string (json_object_get (item, "id")) ||
        !json_is_string (json_object_get (item, "stage")) ||
        !json_is_string (json_object_get (item, "reason")))
      return FALSE;
    g_ptr_array_add (items, item);
  }
  g_ptr_array_sort (items, compare_quarantined);
  for (guint j = 0; j < items->len; j++)
    json_array_append (sorted, g_ptr_array_index (items, j));
  return json_is_array (list);
}

/* Whether @line is a point of a curve.  Most lines are messages; the last one may be truncated by a
 * kill. */
static gboolean
add_point (json_t *stages, const char *line)
{
  json_t *event = strstr (line, "\"scalar\"")
                    ? segue_json_parse (line, -1, "log.ndjson", SEGUE_JSON_LINE, NULL, NULL)
                    : NULL;
  json_t *stage = find_stage (stages, json_string_value (json_object_get (event, "stage")));
  const char *tag = json_string_value (json_object_get (event, "scalar"));
  json_t *step = json_object_get (event, "step"), *value = json_object_get (event, "value");
  gboolean is_point =
    stage && tag && json_is_integer (step) && (json_is_number (value) || json_is_null (value));
  if (is_point) {
    json_t *curves = json_object_get (stage, "curves"), *points = json_object_get (curves, tag);
    if (!points) {
      points = json_array ();
      json_object_set_new (curves, tag, points);
    }
    json_array_append_new (points, json_pack ("[O, O]", step, value));
  }
  json_decref (event);
  return is_point;
}

/* (nullable): an untrusted file: rejects links and FIFOs. */
static FILE *
open_log (const char *path)
{
  struct stat info;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  int failure = fd < 0 || fstat (fd, &info) != 0 ? errno : S_ISREG (info.st_mode) ? 0 : EINVAL;
  FILE *log = failure == 0 ? fdopen (fd, "r") : NULL;
  if (!log && fd >= 0)
    close (fd);
  if (!log && failure != 0)
    errno = failure;
  return log;
}

/* Longer lines are read in pieces, which are not valid points. */
static void
add_curves (json_t *account, const char *folder, char **problem)
{
  char line[MAX_LINE];
  guint n_points = 0;
  g_autofree char *path = g_build_filename (folder, "log.ndjson", NULL);
  FILE *log = open_log (path);
  if (!log) {
    g_autofree char *shown = g_filename_display_name (path);
    *problem = g_strdup_printf ("can't read ‘%s’: %s", shown, g_strerror (errno));
    return;
  }
  json_t *stages = json_object_get (account, "stages");
  while (ftello (log) < MAX_LOG && n_points < MAX_POINTS && fgets (line, sizeof line, log))
    n_points += add_point (stages, line);
  if (!feof (log))
    *problem = ferror (log)
                 ? g_strdup_printf ("can't read log.ndjson: %s", g_strerror (errno))
                 : g_strdup_printf (
                     "the curves are incomplete: log.ndjson has more than %d points or %d MiB",
                     MAX_POINTS, (int) (MAX_LOG >> 20));
  fclose (log);
}

char *
segue_revisit_account (const char *folder, const char *use, char **problem, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "run.json", NULL);
  json_t *run = read_run (folder, path, error), *account = json_object ();
  char *text = NULL;
  *problem = NULL;
  if (run) {
    const char *broken = !copy_member (account, run, "segue", JSON_STRING) ||
                             !copy_member (account, run, "name", JSON_STRING) ||
                             !copy_member (account, run, "seed", JSON_INTEGER)
                           ? "segue, name or seed is missing"
                         : !add_stages (account, run, use) ? "a stage of the pipeline is incomplete"
                         : !add_quarantined (account, run) ? "quarantined is incomplete"
                                                           : NULL;
    if (broken) {
      refuse (error, path, broken);
    } else {
      add_curves (account, folder, problem);
      char *dumped = json_dumps (account, JSON_COMPACT);
      text = g_strdup (dumped);
      free (dumped);
    }
  }
  json_decref (run);
  json_decref (account);
  return text;
}
