/* `segue fetch` from servers that fail or send false data: a specific error, and nothing in the cache. */
#include "hub-server.h"

/* What the server does, the command's exit status, and part of its message; nothing is in the cache. */
typedef struct {
  const char *name;
  int config_status; /* 0: the correct one */
  gboolean more, less;
  int status;
  const char *says;
} Lie;

static const Lie lies[] = {
  { "missing", .config_status = 404, .status = 66, .says = "/org/name/resolve/main/config.json" },
  { "refused", .config_status = 401, .status = 69, .says = "HF_TOKEN" },
  { "more-than-said", .more = TRUE, .status = 65,
    .says = "more bytes than the size that it announced" },
  { "less-than-said", .less = TRUE, .status = 69, .says = "" },
};

static void
test_lie (Hub *f, gconstpointer data)
{
  const Lie *lie = data;
  g_auto (CommandResult) result = { 0 };
  f->config_status = lie->config_status;
  if (lie->less)
    f->linked_size = HUB_WEIGHTS + 1;
  f->more = lie->more;
  hub_fetch (f, lie->status, &result);
  command_assert_says (&result, lie->says);
  hub_assert_nothing (f);
}

static void
test_down (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  /* No server uses port 1. */
  f->env = g_environ_setenv (f->env, "HF_ENDPOINT", "http://127.0.0.1:1", TRUE);
  hub_fetch (f, 69, &result);
  command_assert_says (&result, "can't reach http://127.0.0.1:1/");
}

static void
test_corrupt (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->corrupt = TRUE;
  hub_fetch (f, 65, &result);
  command_assert_says (&result, "checksum");
  hub_assert_nothing (f);
  g_autofree char *partial = g_strconcat ("blobs/", f->weights_sha256, ".incomplete", NULL);
  g_assert_false (hub_has (f, partial));
}

static void
test_huge (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->linked_size = G_MAXINT64 - 1;
  hub_fetch (f, 65, &result);
  command_assert_says (&result, "too large");
  hub_assert_nothing (f);
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 0);
}

/* An endless page, head, or series of interim responses is aborted. */
static void
test_endless (Hub *f, gconstpointer data)
{
  static const char *const answers[] = { "no such file ", "X-Name: value\r\n",
                                         "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    g_auto (CommandResult) result = { 0 };
    f->endless = answers[i];
    f->taken = 0;
    hub_fetch (f, 65, &result);
    g_assert_cmpuint (f->taken, <, 64 << 20);
    hub_assert_nothing (f);
  }
}

static void
test_hostile_names (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const char *const etags[] = { "../../../escaped", "abc", "g" HUB_COMMIT, "" };
  for (gsize i = 0; i < G_N_ELEMENTS (etags); i++) {
    f->etag = etags[i];
    hub_fetch (f, 65, &result);
    hub_assert_nothing (f);
  }
  f->etag = NULL;
  f->commit = "../../../../escaped";
  hub_fetch (f, 65, &result);
  command_assert_says (&result, "X-Repo-Commit");
  f->commit = HUB_COMMIT;
  f->second_commit = HUB_COMMIT2;
  hub_fetch (f, 65, &result);
  command_assert_says (&result, "was requested");
  hub_assert_nothing (f);
}

static void
test_hostile_redirects (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const char *const places[] = { "file:///etc/passwd", "ftp://127.0.0.1/x",
                                        "http://user:password@127.0.0.1/x", "gopher://x",
                                        "ftp://127.0.0.1/x?signed=password" };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    f->location = places[i];
    hub_fetch (f, 69, &result);
    command_assert_says (&result, "not followed");
    g_assert_null (strstr (result.err, "password"));
    hub_assert_nothing (f);
  }
  f->location = "model.safetensors";
  hub_fetch (f, 69, &result);
  command_assert_says (&result, "loop");
  hub_assert_nothing (f);
}

static void
test_pickle (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->pickle_only = TRUE;
  hub_fetch (f, 65, &result);
  command_assert_says (&result, "convert it once");
  command_run (&result, f->folder, f->env, "fetch", "org/name", "--file", "pytorch_model.bin",
               NULL);
  command_assert (&result, 65);
  command_assert_says (&result, "pickle");
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autofree char *path = g_strconcat ("/fetch/", lies[i].name, NULL);
    g_test_add (path, Hub, &lies[i], hub_set_up, test_lie, hub_tear_down);
  }
#define ADD(path, test) g_test_add ("/fetch/" path, Hub, NULL, hub_set_up, test, hub_tear_down)
  ADD ("down", test_down);
  ADD ("corrupt", test_corrupt);
  ADD ("huge", test_huge);
  ADD ("endless", test_endless);
  ADD ("hostile/names", test_hostile_names);
  ADD ("hostile/redirects", test_hostile_redirects);
  ADD ("pickle", test_pickle);
#undef ADD
  return g_test_run ();
}
