/* segue fetch */
#include "base/hub-cache.h"
#include "hub-client.h"
#include "hub-store.h"
#include "hub-url.h"
#include "job.h"

#include <segue/model.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEIGHTS        "model.safetensors"
#define SHARDED        "model.safetensors.index.json"
#define PICKLE         "pytorch_model.bin"
#define MAX_SIZE       ((guint64) 64 << 30)
#define MAX_SMALL_SIZE ((guint64) 64 << 20) /* of a file that git itself stores */

typedef struct {
  char *revision;
  char **files;
} Options;

/* The files that are fetched without --file. */
static const struct {
  const char *name;
  gboolean required;
} default_files[] = {
  { "config.json", TRUE },
  { WEIGHTS, TRUE },
  { "preprocessor_config.json", FALSE },
  { "processor_config.json", FALSE },
  { "segue.json", FALSE },
};

typedef struct {
  SegueCli *cli;
  SegueHubName name;
  GPtrArray *wanted; /* char *, file names */
  gboolean defaults; /* they are the default ones */
  char *endpoint;
  SegueHubStore store;
  SegueHubClient *client;
  char *commit; /* NULL: not known yet */
  char *snapshot;
} Fetch;

static void
fetch_clear (Fetch *fetch)
{
  segue_hub_name_clear (&fetch->name);
  segue_hub_store_clear (&fetch->store);
  g_clear_pointer (&fetch->wanted, g_ptr_array_unref);
  g_clear_pointer (&fetch->client, segue_hub_client_free);
  g_free (fetch->endpoint);
  g_free (fetch->commit);
  g_free (fetch->snapshot);
}

/* ---- Callbacks of the client and the store ---- */

static void
on_progress (gpointer data, guint64 done, guint64 total)
{
  Fetch *fetch = data;
  segue_progress_update (fetch->cli->progress, done, total, NULL);
}

static void
on_notice (gpointer data, const char *line)
{
  Fetch *fetch = data;
  g_autofree char *text = segue_text_printable (line);
  segue_progress_print (fetch->cli->progress, text);
}

static void
on_waiting (gpointer data)
{
  on_notice (data, "another program is fetching this file; waiting for it");
}

/* ---- One file ---- */

/* Downloads the content of @info, verifies it, and gives it its final name. */
static gboolean
bring_locked (Fetch *fetch, const char *name, const SegueHubFile *info, GCancellable *cancellable,
              GError **error)
{
  for (gboolean again = TRUE;; again = FALSE) {
    int fd = segue_hub_store_open_partial (&fetch->store, info->etag, error);
    if (fd < 0)
      return FALSE;
    struct stat partial = { 0 };
    gboolean resumed = fstat (fd, &partial) == 0 && partial.st_size > 0;
    guint64 there = MIN ((guint64) partial.st_size, info->size);
    gboolean same = FALSE;
    gboolean ok = segue_hub_store_check_room (&fetch->store, info->size - there, error) &&
                  segue_hub_client_read (fetch->client, fetch->name.repo, fetch->commit, name,
                                         info->size, fd, cancellable, error) &&
                  segue_hub_store_verify (fd, info->etag, &same, cancellable, error) &&
                  (!same || segue_hub_store_keep (&fetch->store, info->etag, fd, error));
    close (fd);
    if (!ok || same)
      return ok;
    segue_hub_store_drop (&fetch->store, info->etag);
    /* The part from an earlier download may have been damaged. */
    if (!resumed || !again) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                   "‘%s’ was damaged in transfer: its checksum is not %s; try again", name,
                   info->etag);
      return FALSE;
    }
  }
}

static gboolean
bring (Fetch *fetch, const char *name, const SegueHubFile *info, GCancellable *cancellable,
       GError **error)
{
  if (segue_hub_store_has_blob (&fetch->store, info->etag, info->size))
    return TRUE;
  int lock =
    segue_hub_store_lock (&fetch->store, info->etag, on_waiting, fetch, cancellable, error);
  if (lock < 0)
    return FALSE;
  gboolean ok = segue_hub_store_has_blob (&fetch->store, info->etag, info->size) ||
                bring_locked (fetch, name, info, cancellable, error);
  close (lock);
  return ok;
}

static gboolean
check_info (Fetch *fetch, const char *name, const SegueHubFile *info, GError **error)
{
  guint64 most = strlen (info->etag) == 64 ? MAX_SIZE : MAX_SMALL_SIZE;
  if (info->size > most) {
    g_autofree char *size = g_format_size (info->size);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is too large: the server reports %s",
                 name, size);
    return FALSE;
  }
  const char *asked = fetch->commit                                ? fetch->commit
                      : segue_hub_is_commit (fetch->name.revision) ? fetch->name.revision
                                                                   : info->commit;
  if (!g_str_equal (asked, info->commit)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "the server sent commit %s, but %s was requested", info->commit, asked);
    return FALSE;
  }
  return TRUE;
}

/* Later files are requested at the commit of the first one, so that all are of one version. */
static gboolean
fetch_file (Fetch *fetch, const char *name, guint index, GCancellable *cancellable, GError **error)
{
  g_auto (SegueHubFile) info = { 0 };
  segue_progress_start (fetch->cli->progress, name, index, fetch->wanted->len, SEGUE_UNIT_BYTES);
  gint64 began = g_get_monotonic_time ();
  const char *revision = fetch->commit ? fetch->commit : fetch->name.revision;
  if (!segue_hub_client_stat (fetch->client, fetch->name.repo, revision, name, &info, cancellable,
                              error) ||
      !check_info (fetch, name, &info, error))
    return FALSE;
  if (!fetch->commit)
    fetch->commit = g_strdup (info.commit);
  if (!bring (fetch, name, &info, cancellable, error) ||
      !segue_hub_store_link (&fetch->store, fetch->commit, name, info.etag, error))
    return FALSE;
  segue_progress_update (fetch->cli->progress, info.size, info.size, NULL);
  segue_progress_finish (fetch->cli->progress, FALSE,
                         (double) (g_get_monotonic_time () - began) / 1e6);
  return TRUE;
}

/* ---- All files ---- */

static gboolean
server_has (Fetch *fetch, const char *name, GCancellable *cancellable)
{
  g_auto (SegueHubFile) info = { 0 };
  const char *revision = fetch->commit ? fetch->commit : fetch->name.revision;
  return segue_hub_client_stat (fetch->client, fetch->name.repo, revision, name, &info, cancellable,
                                NULL);
}

/* There is no model.safetensors: reports which files exist instead, and what to do. */
static void
explain_no_weights (Fetch *fetch, GCancellable *cancellable, GError **error)
{
  const char *repo = fetch->name.repo;
  g_clear_error (error);
  if (server_has (fetch, PICKLE, cancellable))
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "%s has its weights only as " PICKLE
      ", a pickle, which can run any program when it is opened, so segue never reads it; if you "
      "trust it, convert it once with transformers: python3 -c \"from transformers import "
      "AutoModel; AutoModel.from_pretrained('%s').save_pretrained('model')\" and use the folder "
      "‘model’",
      repo, repo);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "%s has no " WEIGHTS, repo);
}

/* Weights that are split into several files: the index, and then all files in it. */
static gboolean
fetch_shards (Fetch *fetch, guint index, GCancellable *cancellable, GError **error)
{
  if (!fetch_file (fetch, SHARDED, index, cancellable, error))
    return FALSE;
  g_autofree char *path =
    g_build_filename (fetch->store.folder, "snapshots", fetch->commit, SHARDED, NULL);
  g_auto (GStrv) names = segue_model_list_shards (path, error);
  gboolean ok = names != NULL;
  for (guint i = 0; ok && names[i]; i++)
    ok = fetch_file (fetch, names[i], index, cancellable, error);
  return ok;
}

static gboolean
may_be_missing (Fetch *fetch, guint index)
{
  return fetch->defaults && !default_files[index].required;
}

static gboolean
fetch_job (gpointer data, GCancellable *cancellable, GError **error)
{
  Fetch *fetch = data;
  for (guint i = 0; i < fetch->wanted->len; i++) {
    const char *name = g_ptr_array_index (fetch->wanted, i);
    GError *local = NULL;
    if (fetch_file (fetch, name, i, cancellable, &local))
      continue;
    segue_progress_hide (fetch->cli->progress);
    gboolean missing = g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
    if (missing && may_be_missing (fetch, i)) {
      g_clear_error (&local);
      continue;
    }
    gboolean no_weights = missing && fetch->defaults && g_str_equal (name, WEIGHTS);
    if (no_weights && server_has (fetch, SHARDED, cancellable)) {
      g_clear_error (&local);
      if (fetch_shards (fetch, i, cancellable, &local))
        continue;
    } else if (no_weights) {
      explain_no_weights (fetch, cancellable, &local);
    }
    g_propagate_error (error, local);
    return FALSE;
  }
  fetch->snapshot = g_build_filename (fetch->store.folder, "snapshots", fetch->commit, NULL);
  return segue_hub_store_set_ref (&fetch->store, fetch->name.revision, fetch->commit, error);
}

/* ---- The verb ---- */

static gboolean
check_offline (GError **error)
{
  static const char *const yes[] = { "1", "on", "yes", "true", NULL };
  const char *value = g_getenv ("HF_HUB_OFFLINE");
  g_autofree char *lower = g_ascii_strdown (value ? value : "", -1);
  if (!g_strv_contains (yes, lower))
    return TRUE;
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE,
                       "HF_HUB_OFFLINE is set, so nothing is fetched; unset it to let segue reach "
                       "the server");
  return FALSE;
}

static gboolean
parse_name (Fetch *fetch, const char *text, const char *revision, GError **error)
{
  if (!segue_hub_name_parse (text, &fetch->name)) {
    g_autofree char *shown = segue_text_printable (text);
    return segue_usage_error (&segue_verb_fetch, error,
                              "‘%s’ is not a name such as ntu-spml/distilhubert", shown);
  }
  if (!revision)
    return TRUE;
  if (!segue_hub_is_revision (revision)) {
    g_autofree char *shown = segue_text_printable (revision);
    return segue_usage_error (&segue_verb_fetch, error, "‘%s’ is not a revision", shown);
  }
  g_free (fetch->name.revision);
  fetch->name.revision = g_strdup (revision);
  return TRUE;
}

static gboolean
parse_files (Fetch *fetch, char **files, GError **error)
{
  fetch->wanted = g_ptr_array_new_with_free_func (g_free);
  fetch->defaults = !files;
  for (gsize i = 0; !files && i < G_N_ELEMENTS (default_files); i++)
    g_ptr_array_add (fetch->wanted, g_strdup (default_files[i].name));
  for (; files && *files; files++) {
    g_autofree char *shown = segue_text_printable (*files);
    if (!segue_hub_is_file (*files))
      return segue_usage_error (&segue_verb_fetch, error,
                                "‘%s’ is not the name of a file in a model", shown);
    if (g_str_has_suffix (*files, ".bin") || g_str_has_suffix (*files, ".pt") ||
        g_str_has_suffix (*files, ".pth") || g_str_has_suffix (*files, ".pkl")) {
      g_set_error (
        error, SEGUE_ERROR, SEGUE_ERROR_DATA,
        "‘%s’ is a pickle, which can run any program when it is opened; segue fetches and "
        "reads " WEIGHTS " only",
        shown);
      return FALSE;
    }
    g_ptr_array_add (fetch->wanted, g_strdup (*files));
  }
  return TRUE;
}

static gboolean
run_fetch (SegueCli *cli, Fetch *fetch, GError **error)
{
  fetch->endpoint = segue_hub_endpoint (error);
  if (!fetch->endpoint || !segue_hub_store_open (&fetch->store, fetch->name.repo, error))
    return FALSE;
  fetch->client = segue_hub_client_new (fetch->endpoint, g_getenv ("HF_TOKEN"), on_progress,
                                        on_notice, fetch, error);
  if (!fetch->client)
    return FALSE;
  g_autoptr (SegueProgress) progress = segue_progress_new (&cli->err);
  cli->progress = progress;
  segue_job_outlive_readers ();
  gboolean ok = segue_job_run (cli, progress, fetch_job, fetch, error);
  cli->progress = NULL;
  if (ok)
    fprintf (cli->out.stream, "%s\n", fetch->snapshot);
  return ok;
}

static gboolean
verb_fetch (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  if (!arguments[0])
    return segue_usage_error (&segue_verb_fetch, error,
                              "a name is missing, such as ntu-spml/distilhubert");
  if (!segue_refuse_arguments (&segue_verb_fetch, arguments, 1, error))
    return FALSE;
  Fetch fetch = { .cli = cli };
  gboolean ok = parse_name (&fetch, arguments[0], options->revision, error) &&
                parse_files (&fetch, options->files, error) && check_offline (error) &&
                run_fetch (cli, &fetch, error);
  fetch_clear (&fetch);
  return ok;
}

static const SegueOption rows[] = {
  { "revision", 'r', SEGUE_OPTION_STRING, offsetof (Options, revision), "R", 0, 0,
    "a branch, a tag or a commit (default: main)" },
  { "file", 'f', SEGUE_OPTION_LIST, offsetof (Options, files), "F", 0, 0,
    "fetch this file instead of a model's usual ones; may be given many times" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue fetch ntu-spml/distilhubert", "the weights that the preset artist starts from" },
  { "HF_ENDPOINT=https://mirror.example segue fetch ORG/NAME", "from another server" },
  { NULL, NULL },
};

const SegueVerb segue_verb_fetch = {
  .name = "fetch",
  .summary = "download a model from the Hugging Face Hub",
  .synopsis = "ORG/NAME [--revision R] [--file F]...",
  .doc =
    "Downloads config.json, model.safetensors (or its shards) and, if present, "
    "preprocessor_config.json, processor_config.json and segue.json into the Hugging Face cache, "
    "which other Hugging Face programs share, and prints the folder. A pipeline then refers to the "
    "model as ORG/NAME.\n\nAn interrupted download resumes. Each file is verified against its "
    "checksum before it gets its name. Pickles (pytorch_model.bin) are never fetched or opened.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_fetch,
};
