/* Files generated from the parameter tables and committed: checked against the tables, or written.
 *
 *   generated SOURCE check      checks that schemas/pipeline.schema.json and docs/stages.md are up
 *   to date
 *   generated SOURCE write      write them
 */
#include "registry/registry.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *path; /* below the source root */
  char *(*draw) (SegueRegistry *registry);
} Generated;

static const Generated all[] = {
  { "schemas/pipeline.schema.json", segue_schema_pipeline },
  { "docs/stages.md", segue_docs_stages },
};

/* The first line that differs, for a helpful message. */
static guint
first_difference (const char *a, const char *b)
{
  guint line = 1;
  for (; *a && *a == *b; a++, b++)
    line += *a == '\n';
  return line;
}

static gboolean
check (const char *path, const char *text)
{
  g_autofree char *committed = NULL;
  g_autoptr (GError) error = NULL;
  if (!g_file_get_contents (path, &committed, NULL, &error)) {
    printf ("# %s\n", error->message);
    return FALSE;
  }
  if (!strcmp (committed, text))
    return TRUE;
  printf ("# %s differs from the parameter tables from line %u on; "
          "ninja -C build update-generated writes it again\n",
          path, first_difference (committed, text));
  return FALSE;
}

static gboolean
write_text (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;
  if (g_file_set_contents (path, text, -1, &error))
    return TRUE;
  fprintf (stderr, "%s\n", error->message);
  return FALSE;
}

int
main (int argc, char **argv)
{
  if (argc != 3 || !g_getenv ("SEGUE_PLUGIN_PATH"))
    return 64;
  gboolean writes = !strcmp (argv[2], "write");
  /* Only plugins built here, not others installed on this machine. */
  SegueRegistry *registry = segue_registry_new ();
  segue_registry_load_folder (registry, g_getenv ("SEGUE_PLUGIN_PATH"));
  gboolean ok = TRUE;
  if (!writes)
    printf ("1..%u\n", (guint) G_N_ELEMENTS (all));
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    g_autofree char *path = g_build_filename (argv[1], all[i].path, NULL);
    g_autofree char *text = all[i].draw (registry);
    gboolean good = writes ? write_text (path, text) : check (path, text);
    if (!writes)
      printf ("%s %u - %s\n", good ? "ok" : "not ok", i + 1, all[i].path);
    ok &= good;
  }
  segue_registry_free (registry);
  return ok ? 0 : 1;
}
