/* segue cache info|gc|verify */
#include "job.h"

#include <jansson.h>
#include <string.h>

#define PATIENCE 2000 /* ms before a bar is shown */

typedef struct {
  gboolean json;
  char *max;
  gint older;
  gboolean all;
  gboolean dry_run;
  gboolean repair;
} Options;

/* A running job and its results. */
typedef struct {
  SegueCli *cli;
  const char *name;
  const char *unit;
  guint timer;
  SegueCacheInfo *info;
  SegueCacheGcOptions gc;
  SegueCacheFreed freed;
  SegueCacheVerifyOptions verify;
  SegueCacheVerified verified;
  json_t *damaged; /* of `verify` */
} Work;

static void
on_progress (gpointer data, guint64 done, guint64 total)
{
  Work *work = data;
  segue_progress_update (work->cli->progress, done, total, NULL);
}

/* Quick jobs need no bar. */
static gboolean
on_patience (gpointer data)
{
  Work *work = data;
  segue_progress_start (work->cli->progress, work->name, 0, 0, work->unit);
  work->timer = 0;
  return G_SOURCE_REMOVE;
}

static gboolean
run_job (Work *work, SegueJob job, GError **error)
{
  SegueCli *cli = work->cli;
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  cli->progress = progress;
  work->timer = g_timeout_add (PATIENCE, on_patience, work);
  gboolean ok = segue_job_run (cli, progress, job, work, error);
  if (work->timer)
    g_source_remove (work->timer);
  cli->progress = NULL;
  return ok;
}

/* ---- Text ---- */

static char *
age_text (gint64 used)
{
  gint64 days = (g_get_real_time () / G_USEC_PER_SEC - used) / 86400;
  return days <= 0   ? g_strdup ("today")
         : days == 1 ? g_strdup ("yesterday")
                     : g_strdup_printf ("%" G_GINT64_FORMAT " days ago", days);
}

static char *
time_text (gint64 used)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (used);
  return time ? g_date_time_format_iso8601 (time) : g_strdup ("");
}

static const char *
part_doc (SegueCachePart part)
{
  static const char *const docs[] = {
    [SEGUE_CACHE_RECORDS] = "prepared songs and predictions",
    [SEGUE_CACHE_RESULTS] = "results of other stages",
    [SEGUE_CACHE_STATE] = "hashes of input files",
    [SEGUE_CACHE_WORK] = "checkpoints of unfinished work",
    [SEGUE_CACHE_OTHER] = "leftovers of killed runs, and files of libraries",
  };
  return (guint) part < G_N_ELEMENTS (docs) ? docs[part] : "";
}

static json_t *
parts_json (const SegueCacheTally *parts, gboolean used)
{
  json_t *object = json_object ();
  for (guint i = 0; i < SEGUE_CACHE_N_PARTS; i++) {
    json_t *part = json_pack ("{s:I, s:I}", "entries", (json_int_t) parts[i].n, "bytes",
                              (json_int_t) parts[i].bytes);
    if (used && parts[i].n > 0) {
      g_autofree char *oldest = time_text (parts[i].oldest);
      g_autofree char *newest = time_text (parts[i].newest);
      json_object_set_new (part, "oldest", json_string (oldest));
      json_object_set_new (part, "newest", json_string (newest));
    }
    json_object_set_new (object, segue_cache_part_to_string (i), part);
  }
  return object;
}

static void
print_json (SegueCli *cli, json_t *object)
{
  segue_term_print_json (&cli->out, object, JSON_INDENT (2));
}

/* ---- info ---- */

static gboolean
info_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Work *work = data;
  work->info = segue_cache_info (NULL, cancellable, error);
  return work->info != NULL;
}

static void
print_info_json (SegueCli *cli, const SegueCacheInfo *info)
{
  g_autofree char *folder = g_filename_display_name (info->folder);
  json_t *list = json_array ();
  for (guint i = 0; i < info->work->len; i++) {
    const SegueCacheWork *work = g_ptr_array_index (info->work, i);
    g_autofree char *used = time_text (work->used);
    json_array_append_new (list, json_pack ("{s:s, s:s?, s:I, s:s, s:b}", "name", work->name,
                                            "about", work->about, "bytes", (json_int_t) work->bytes,
                                            "used", used, "in_use", work->in_use));
  }
  print_json (cli,
              json_pack ("{s:s, s:o, s:I, s:I, s:b, s:I, s:I, s:I, s:o}", "folder", folder, "parts",
                         parts_json (info->parts, TRUE), "bytes", (json_int_t) info->bytes, "limit",
                         (json_int_t) MIN (info->limit, G_MAXINT64), "limit_is_set",
                         info->limit_is_set, "disk_free", (json_int_t) info->disk_free, "disk_size",
                         (json_int_t) info->disk_size, "runs", (json_int_t) info->n_users, "work",
                         list));
}

static void
print_part (const SegueTerm *out, const char *name, guint64 n, guint64 bytes, const char *doc)
{
  g_autofree char *size = g_format_size (bytes);
  g_autoptr (GString) line = g_string_new (segue_term_style (out, SEGUE_STYLE_CYAN));
  segue_text_append_padded (line, name, 9);
  g_string_append_printf (line, "%s%9" G_GUINT64_FORMAT "  ", segue_term_reset (out), n);
  segue_text_append_padded (line, size, 10);
  segue_text_append_wrapped (line, doc, 30, out->columns);
  fputs (line->str, out->stream);
}

static void
print_work (const SegueTerm *out, GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++) {
    const SegueCacheWork *work = g_ptr_array_index (list, i);
    g_autofree char *about = segue_text_printable (work->about ? work->about : work->name);
    g_autofree char *size = g_format_size (work->bytes);
    g_autofree char *age = age_text (work->used);
    fprintf (out->stream, "  %s: %s, %s%s\n", about, size, work->in_use ? "" : "last touched ",
             work->in_use ? "in use by a run" : age);
  }
}

static void
print_info (const SegueTerm *out, const SegueCacheInfo *info)
{
  g_autofree char *folder = segue_text_printable (info->folder);
  fprintf (out->stream, "%s%s%s\n", segue_term_style (out, SEGUE_STYLE_BOLD), folder,
           segue_term_reset (out));
  for (guint i = 0; i < SEGUE_CACHE_N_PARTS; i++) {
    const SegueCacheTally *part = &info->parts[i];
    g_autofree char *age = part->n > 0 ? age_text (part->oldest) : NULL;
    g_autofree char *doc = g_strdup_printf ("%s%s%s%s", part_doc (i), age ? " (oldest used " : "",
                                            age ? age : "", age ? ")" : "");
    print_part (out, segue_cache_part_to_string (i), part->n, part->bytes, doc);
    if (i == SEGUE_CACHE_WORK)
      print_work (out, info->work);
  }
  g_autofree char *bytes = g_format_size (info->bytes);
  g_autofree char *limit = g_format_size (info->limit);
  g_autofree char *left = g_format_size (info->disk_free);
  g_autofree char *size = g_format_size (info->disk_size);
  fprintf (out->stream, "%s of at most %s (%s)\n", bytes, limit,
           info->limit_is_set ? "$SEGUE_CACHE_SIZE" : "set $SEGUE_CACHE_SIZE to change it");
  fprintf (out->stream, "%s of %s are free on this disk\n", left, size);
  if (info->n_users > 0)
    fprintf (out->stream, "%u run%s using it now\n", info->n_users,
             info->n_users == 1 ? " is" : "s are");
}

static gboolean
info (SegueCli *cli, const Options *options, GError **error)
{
  Work work = { .cli = cli, .name = "info" };
  if (!run_job (&work, info_job, error))
    return FALSE;
  if (options->json)
    print_info_json (cli, work.info);
  else
    print_info (&cli->out, work.info);
  segue_cache_info_free (work.info);
  return TRUE;
}

/* ---- gc ---- */

static gboolean
gc_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Work *work = data;
  work->freed.struct_size = sizeof work->freed;
  return segue_cache_gc (NULL, &work->gc, &work->freed, cancellable, error);
}

static void
print_freed (const SegueTerm *out, const SegueCacheFreed *freed, gboolean dry_run)
{
  g_autofree char *bytes = g_format_size (freed->bytes);
  g_autofree char *left = g_format_size (freed->left);
  g_autofree char *limit = g_format_size (freed->limit);
  for (guint i = 0; i < SEGUE_CACHE_N_PARTS; i++)
    if (freed->parts[i].n > 0)
      print_part (out, segue_cache_part_to_string (i), freed->parts[i].n, freed->parts[i].bytes,
                  part_doc (i));
  fprintf (out->stream, "%s %s, %s left (limit: %s)\n", bytes,
           dry_run ? "would be removed" : "removed", left, limit);
  if (freed->in_use > 0) {
    g_autofree char *kept = g_format_size (freed->in_use);
    fprintf (out->stream, "%s kept for active runs\n", kept);
  }
}

static gboolean
gc (SegueCli *cli, const Options *options, GError **error)
{
  guint64 limit;
  Work work = { .cli = cli, .name = "gc" };
  if (options->max && !segue_cache_parse_size (options->max, &limit, error)) {
    g_prefix_error (error, "--max: ");
    return FALSE;
  }
  work.gc = (SegueCacheGcOptions) SEGUE_INIT (
    SegueCacheGcOptions, .limit = options->max ? &limit : NULL, .older = (guint) options->older,
    .all = options->all, .check_files = TRUE, .dry_run = options->dry_run, .progress = on_progress,
    .data = &work);
  gboolean ok = run_job (&work, gc_job, error);
  /* Also for a cancelled job: what it removed stays removed. */
  const SegueCacheFreed *freed = &work.freed;
  if (ok && options->json)
    print_json (cli, json_pack ("{s:b, s:o, s:I, s:I, s:I, s:I, s:I}", "dry_run", options->dry_run,
                                "parts", parts_json (freed->parts, FALSE), "entries",
                                (json_int_t) freed->n, "bytes", (json_int_t) freed->bytes, "left",
                                (json_int_t) freed->left, "in_use", (json_int_t) freed->in_use,
                                "limit", (json_int_t) MIN (freed->limit, G_MAXINT64)));
  else if (ok || freed->n > 0)
    print_freed (ok ? &cli->out : &cli->err, freed, options->dry_run);
  return ok;
}

/* ---- verify ---- */

static void
on_damaged (gpointer data, const char *path, const char *reason)
{
  Work *work = data;
  g_autofree char *shown = segue_text_printable (path);
  g_autofree char *why = segue_text_printable (reason);
  if (work->damaged) {
    json_array_append_new (work->damaged, json_pack ("{s:s, s:s}", "path", shown, "reason", why));
    return;
  }
  segue_progress_clear (work->cli->progress);
  fprintf (work->cli->out.stream, "%s: %s\n", shown, why);
}

static gboolean
verify_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Work *work = data;
  work->verified.struct_size = sizeof work->verified;
  return segue_cache_verify (NULL, &work->verify, &work->verified, cancellable, error);
}

static gboolean
verify (SegueCli *cli, const Options *options, GError **error)
{
  Work work = { .cli = cli, .name = "verify", .unit = SEGUE_UNIT_BYTES };
  work.verify = (SegueCacheVerifyOptions) SEGUE_INIT (
    SegueCacheVerifyOptions, .repair = options->repair, .damaged = on_damaged,
    .progress = on_progress, .data = &work);
  work.damaged = options->json ? json_array () : NULL;
  gboolean ok = run_job (&work, verify_job, error);
  const SegueCacheVerified *verified = &work.verified;
  if (ok && options->json)
    print_json (cli, json_pack ("{s:I, s:I, s:I, s:O}", "entries", (json_int_t) verified->n,
                                "bytes", (json_int_t) verified->bytes, "removed",
                                (json_int_t) verified->n_removed, "damaged", work.damaged));
  else if (ok) {
    g_autofree char *bytes = g_format_size (verified->bytes);
    fprintf (cli->out.stream,
             "%" G_GUINT64_FORMAT " entries, %s: %" G_GUINT64_FORMAT " damaged, %" G_GUINT64_FORMAT
             " removed\n",
             verified->n, bytes, verified->n_damaged, verified->n_removed);
  }
  json_decref (work.damaged);
  if (!ok || verified->n_damaged == verified->n_removed)
    return ok;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
               " entries of the cache are damaged; segue cache verify --repair removes them, and "
               "the next run recomputes what it needs",
               verified->n_damaged, verified->n);
  return FALSE;
}

/* ---- The verb ---- */

static gboolean
check_options (const Options *options, const char *action, GError **error)
{
  gboolean is_gc = g_str_equal (action, "gc");
  const struct {
    const char *name;
    gboolean given, fits;
  } given[] = {
    { "--max", options->max != NULL, is_gc },
    { "--older", options->older > 0, is_gc },
    { "--all", options->all, is_gc },
    { "--dry-run", options->dry_run, is_gc },
    { "--repair", options->repair, g_str_equal (action, "verify") },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (given); i++)
    if (given[i].given && !given[i].fits)
      return segue_usage_error (&segue_verb_cache, error, "%s can't be used with ‘%s’",
                                given[i].name, action);
  if (options->all && (options->max || options->older > 0))
    return segue_usage_error (&segue_verb_cache, error,
                              "--all can't be combined with --max or --older");
  return TRUE;
}

static gboolean
verb_cache (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  static const struct {
    const char *name;
    gboolean (*run) (SegueCli *cli, const Options *options, GError **error);
  } actions[] = { { "info", info }, { "gc", gc }, { "verify", verify } };
  const char *word = arguments[0] ? arguments[0] : "info";
  if (!segue_refuse_arguments (&segue_verb_cache, arguments, 1, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (word, actions[i].name))
      return check_options (data, word, error) && actions[i].run (cli, data, error);
  g_autofree char *shown = segue_text_printable (word);
  return segue_usage_error (&segue_verb_cache, error, "‘%s’ is not info, gc or verify", shown);
}

static const SegueOption rows[] = {
  { "max", 0, SEGUE_OPTION_STRING, offsetof (Options, max), "SIZE", 0, 0,
    "gc: maximum size to keep, such as 50G (default: the limit that info shows)" },
  { "older", 0, SEGUE_OPTION_COUNT, offsetof (Options, older), "DAYS", 1, 36500,
    "gc: also remove entries not used for this many days" },
  { "all", 0, SEGUE_OPTION_FLAG, offsetof (Options, all), NULL, 0, 0,
    "gc: remove everything that no run is using, checkpoints included" },
  { "dry-run", 'n', SEGUE_OPTION_FLAG, offsetof (Options, dry_run), NULL, 0, 0,
    "gc: only show what would be removed" },
  { "repair", 0, SEGUE_OPTION_FLAG, offsetof (Options, repair), NULL, 0, 0,
    "verify: remove damaged entries; the next run recomputes what it needs" },
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0, "the result as JSON" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue cache", "its folder, size and limit" },
  { "segue cache gc --max 20G", "remove the least recently used entries until 20 GB are left" },
  { "segue cache verify", "check every entry, and list damaged ones" },
  { "SEGUE_CACHE_SIZE=200G segue run mine.yaml", "a limit above a fifth of the disk" },
  { NULL, NULL },
};

const SegueVerb segue_verb_cache = {
  .name = "cache",
  .summary = "inspect, prune or verify the cache",
  .synopsis =
    "[info|gc|verify] [--json] [--max SIZE] [--older DAYS] [--all] [--dry-run] [--repair]",
  .doc = "Results are cached in one folder, $SEGUE_CACHE or ~/.cache/segue, shared by all runs. "
         "All of them can be recomputed, except checkpoints of unfinished training.\n\ninfo prints "
         "the folder, its contents and its limit: $SEGUE_CACHE_SIZE (such as 50G), else a fifth of "
         "the disk, but at most half of the space that would be free without it. After each run "
         "that adds to it, the least recently used entries are removed until it is within the "
         "limit; entries that the run itself used stay.\n\ngc does the same immediately, and also "
         "removes leftovers of killed runs, hashes of missing files, and checkpoints that were not "
         "used for 30 days. Entries that an active run has used are never removed; while any run "
         "is active, neither are checkpoints.\n\nverify reads every entry and checks it against "
         "its checksums; the exit status is 65 if an entry is damaged and was not removed.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_cache,
};
