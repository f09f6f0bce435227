#include "hub-server.h"

#include <string.h>

static void
answer_status (GOutputStream *out, int status)
{
  http_server_write (out, "HTTP/1.1 %d X\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry",
                     status);
}

static char *git_sha1 (const char *text);

/* A small file, as stored by git. */
static void
answer_text (Hub *f, const HttpRequest *request, GOutputStream *out, const char *text)
{
  g_autofree char *sha1 = git_sha1 (text);
  http_server_write (out,
                     "HTTP/1.1 200 OK\r\nX-Repo-Commit: %s\r\nETag: W/\"%s\"\r\nContent-Length: "
                     "%u\r\nConnection: close\r\n\r\n%s",
                     f->commit, sha1, (guint) strlen (text),
                     g_str_equal (request->method, "HEAD") ? "" : text);
}

static void
answer_weights (Hub *f, GOutputStream *out)
{
  g_autofree char *there =
    g_strconcat (http_server_get_url (f->store), "/bytes?signed=a%2Fb", NULL);
  http_server_write (
    out,
    "HTTP/1.1 302 Found\r\nX-Repo-Commit: %s\r\nX-Linked-Etag: "
    "\"%s\"\r\nX-Linked-Size: %" G_GINT64_FORMAT
    "\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    f->second_commit ? f->second_commit : f->commit, f->etag ? f->etag : f->weights_sha256,
    f->linked_size ? f->linked_size : (gint64) HUB_WEIGHTS, f->location ? f->location : there);
}

static void
answer_hub (gpointer data, const HttpRequest *request, GOutputStream *out)
{
  Hub *f = data;
  if ((guint) g_atomic_int_add (&f->asked, 1) < f->fail_first)
    answer_status (out, 500);
  else if (g_str_has_suffix (request->path, "/config.json"))
    f->config_status ? answer_status (out, f->config_status)
                     : answer_text (f, request, out, HUB_CONFIG);
  else if (g_str_has_suffix (request->path, "/processor_config.json") && f->index)
    answer_text (f, request, out, HUB_CONFIG);
  else if (g_str_has_suffix (request->path, "/model.safetensors.index.json") && f->index)
    answer_text (f, request, out, f->index);
  else if (g_str_has_suffix (request->path, "-of-00002.safetensors") && f->index)
    answer_weights (f, out);
  else if (g_str_has_suffix (request->path, "/model.safetensors") && !f->pickle_only && !f->index)
    answer_weights (f, out);
  else if (g_str_has_suffix (request->path, "/pytorch_model.bin") && f->pickle_only)
    answer_weights (f, out);
  else
    answer_status (out, 404);
}

#define ENDLESS ((gsize) 256 << 20) /* bytes: far more than sockets buffer */

static void
answer_endless (Hub *f, GOutputStream *out)
{
  gboolean head = strchr (f->endless, ':') != NULL;
  if (!g_str_has_prefix (f->endless, "HTTP/"))
    http_server_write (out, "HTTP/1.1 403 X\r\n%s", head ? "" : "Connection: close\r\n\r\n");
  g_autoptr (GString) block = g_string_new (NULL);
  while (block->len < 65536)
    g_string_append (block, f->endless);
  while (f->taken < ENDLESS &&
         g_output_stream_write_all (out, block->str, block->len, NULL, NULL, NULL))
    f->taken += block->len;
}

static void
answer_store (gpointer data, const HttpRequest *request, GOutputStream *out)
{
  Hub *f = data;
  if (f->endless) {
    answer_endless (f, out);
    return;
  }
  guint turn = (guint) g_atomic_int_add (&f->served, 1);
  gboolean wrong = f->wrong_range && turn == 1;
  gsize start = request->range > 0 && !f->no_ranges ? (gsize) request->range : 0;
  if (wrong)
    start += 10;
  gsize end = f->cut && turn < f->cuts ? MIN (start + f->cut, HUB_WEIGHTS) : HUB_WEIGHTS;
  if (start > 0)
    http_server_write (out,
                       "HTTP/1.1 206 Partial\r\nContent-Range: bytes %" G_GSIZE_FORMAT
                       "-%u/%u\r\nContent-Length: %" G_GSIZE_FORMAT "\r\nConnection: close\r\n\r\n",
                       start, HUB_WEIGHTS - 1, HUB_WEIGHTS, HUB_WEIGHTS - start);
  else
    http_server_write (out, "HTTP/1.1 200 OK\r\nETag: \"other\"\r\nContent-Length: %u\r\n\r\n",
                       f->more ? HUB_WEIGHTS + 1000 : HUB_WEIGHTS);
  g_autofree guint8 *bytes = g_memdup2 (f->weights, HUB_WEIGHTS);
  if (f->corrupt)
    bytes[HUB_WEIGHTS / 2] ^= 1;
  gsize step = f->slow ? 10000 : HUB_WEIGHTS;
  for (gsize at = start; at < end; at += step) {
    if (!g_output_stream_write_all (out, bytes + at, MIN (step, end - at), NULL, NULL, NULL))
      return;
    if (f->slow)
      g_usleep (f->slow);
  }
  if (f->more)
    g_output_stream_write_all (out, bytes, 1000, NULL, NULL, NULL);
}

static char *
git_sha1 (const char *text)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  g_autofree char *head = g_strdup_printf ("blob %u", (guint) strlen (text));
  g_checksum_update (sum, (const guchar *) head, (gssize) strlen (head) + 1);
  g_checksum_update (sum, (const guchar *) text, -1);
  return g_strdup (g_checksum_get_string (sum));
}

void
hub_set_up (Hub *f, gconstpointer data)
{
  f->folder = scratch_new ();
  f->commit = HUB_COMMIT;
  f->weights = g_malloc (HUB_WEIGHTS);
  for (guint i = 0; i < HUB_WEIGHTS; i++)
    f->weights[i] = (guint8) (i * 2654435761u >> 13);
  f->weights_sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, f->weights, HUB_WEIGHTS);
  f->config_sha1 = git_sha1 (HUB_CONFIG);
  f->hub = http_server_new (answer_hub, f);
  f->store = http_server_new (answer_store, f);
  f->env = command_env (f->folder, TRUE);
  f->env = g_environ_setenv (f->env, "HF_ENDPOINT", http_server_get_url (f->hub), TRUE);
  f->env = g_environ_setenv (f->env, "HF_TOKEN", "hf_secret", TRUE);
}

void
hub_tear_down (Hub *f, gconstpointer data)
{
  http_server_free (f->hub);
  http_server_free (f->store);
  scratch_free (f->folder);
  g_strfreev (f->env);
  g_free (f->weights);
  g_free (f->weights_sha256);
  g_free (f->config_sha1);
}

char *
hub_path (Hub *f, const char *below)
{
  return g_build_filename (f->folder, "hub", "models--org--name", below, NULL);
}

gboolean
hub_has (Hub *f, const char *below)
{
  g_autofree char *path = hub_path (f, below);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

void
hub_assert_content (Hub *f, const char *below, const void *bytes, gsize length)
{
  g_autofree char *path = hub_path (f, below);
  g_autofree char *content = NULL;
  gsize n = 0;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &content, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (content, n, bytes, length);
}

void
hub_assert_whole (Hub *f)
{
  hub_assert_content (f, "refs/main", HUB_COMMIT, strlen (HUB_COMMIT));
  hub_assert_content (f, "snapshots/" HUB_COMMIT "/config.json", HUB_CONFIG, strlen (HUB_CONFIG));
  hub_assert_content (f, "snapshots/" HUB_COMMIT "/model.safetensors", f->weights, HUB_WEIGHTS);
  g_autofree char *link = hub_path (f, "snapshots/" HUB_COMMIT "/model.safetensors");
  g_autofree char *target = g_file_read_link (link, NULL);
  g_autofree char *wanted = g_strconcat ("../../blobs/", f->weights_sha256, NULL);
  g_assert_cmpstr (target, ==, wanted);
  g_autofree char *partial = g_strconcat ("blobs/", f->weights_sha256, ".incomplete", NULL);
  g_assert_false (hub_has (f, partial));
}

void
hub_assert_nothing (Hub *f)
{
  g_autofree char *blob = g_strconcat ("blobs/", f->weights_sha256, NULL);
  g_assert_false (hub_has (f, blob));
  g_assert_false (hub_has (f, "refs/main"));
  g_assert_false (hub_has (f, "snapshots/" HUB_COMMIT "/model.safetensors"));
}

void
hub_fetch (Hub *f, int status, CommandResult *result)
{
  command_run (result, f->folder, f->env, "fetch", "org/name", NULL);
  command_assert (result, status);
  g_assert_cmpuint (http_server_count (f->store, "secret"), ==, 0);
}
