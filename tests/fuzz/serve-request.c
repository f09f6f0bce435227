/* A client's headers and paths: no request with a foreign host name is accepted, a range is within its file, and
 * paths lead only to a report's files.
 *
 * The input is four texts: Host, Origin, Range, and the part after /reports/SECRET/. */
#include "guard.h"
#include "reply.h"
#include "runs.h"
#include "scratch.h"
#include "standalone.h"

#include <string.h>
#include <unistd.h>

#define SIZE 1000

static void
check_host (const Guard *guard, const char *host)
{
  if (!guard_knows_host (guard, host))
    return;
  gsize n = *host == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":");
  g_autofree char *name = g_ascii_strdown (host, (gssize) n);
  g_assert_true (g_str_equal (name, "localhost") || g_str_equal (name, "127.0.0.1") ||
                 g_str_equal (name, "[::1]") || g_str_equal (name, "music.local"));
  g_assert_true (host[n] == '\0' || host[n] == ':');
}

static void
check_range (const char *range)
{
  ReplyRange parsed;
  if (!reply_parse_range (range, SIZE, &parsed))
    return;
  g_assert_cmpuint (parsed.first, <=, parsed.last);
  g_assert_cmpuint (parsed.last, <, SIZE);
}

static void
check_path (Runs *runs, const char *path)
{
  const char *type = NULL;
  g_auto (GStrv) parts = g_strsplit (path, "/", 3);
  if (g_strv_length (parts) < 2)
    return;
  g_autofree char *secret = runs_report_secret (runs, parts[0], parts[1]);
  g_autofree char *whole = g_strconcat (secret, "/", path, NULL);
  g_assert_cmpint (runs_open_report_file (runs, path, &type), ==, -1);
  int fd = runs_open_report_file (runs, whole, &type);
  if (fd < 0)
    return;
  char text[8] = "";
  g_assert_cmpint (pread (fd, text, sizeof text - 1, 0), ==, 6);
  g_assert_cmpstr (text, ==, "report");
  g_assert_true (type && g_str_has_prefix (path, "name/id/"));
  close (fd);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static Guard guard;
  static Runs *runs;
  if (!runs) {
    char *names[] = { (char *) "music.local", NULL };
    guard_init (&guard, "127.0.0.1", names);
    fuzz_put ("secret.html", "secret", 6);
    fuzz_put ("runs/name/id/run.json", "secret", 6);
    fuzz_put ("runs/name/id/report/index.html", "report", 6);
    fuzz_put ("runs/name/id/report/clips/a.ogg", "report", 6);
    g_autofree char *folder = g_build_filename (fuzz_folder (), "runs", NULL);
    runs = runs_new (folder, NULL);
  }
  FuzzText texts[4];
  char *text[4];
  fuzz_split (data, size, texts, 4);
  for (guint i = 0; i < 4; i++)
    text[i] = g_strndup ((const char *) texts[i].data, texts[i].size);
  check_host (&guard, text[0]);
  if (guard_is_own_page (text[0], text[1], NULL))
    g_assert_true (g_str_has_suffix (text[1], text[0]) ||
                   g_ascii_strcasecmp (strstr (text[1], "://") + 3, text[0]) == 0);
  check_range (text[2]);
  check_path (runs, text[3]);
  for (guint i = 0; i < 4; i++)
    g_free (text[i]);
  return 0;
}
