/* Why songs are made anew: what a chain was, against what it is. */
#include "chain-memory.h"

#include <fcntl.h>
#include <jansson.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_MEMORY (128 * 1024 * 1024) /* bytes: some 100 for a song */

/* components, {song id: input key} */
#define MEMORY_TYPE "(asa{ss})"

struct _SegueChainMemory {
  char *path;
  GStrv components;  /* as they are now */
  GHashTable *songs; /* id → input key, this time */
  GVariant *before;  /* nullable: of MEMORY_TYPE */
  GHashTable *known; /* id → input key, last time */
  char *changed;     /* nullable: what about the chain is not as it was */
};

/* The rest of the line in @component that begins with @name; NULL: there is none. */
static char *
find_line (const char *component, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (component, "\n", -1);
  gsize length = strlen (name);
  for (guint i = 0; lines[i]; i++)
    if (strncmp (lines[i], name, length) == 0 && lines[i][length] == ' ')
      return g_strdup (lines[i] + length + 1);
  return NULL;
}

static char *
describe_parameters (const char *before, const char *now)
{
  json_t *old = json_loads (before, 0, NULL), *new = json_loads (now, 0, NULL);
  g_autoptr (GString) names = g_string_new (NULL);
  const char *key;
  json_t *value;
  guint n = 0;
  json_object_foreach (new, key, value) if (!json_equal (value, json_object_get (old, key)))
    g_string_append_printf (names, "%s%s", n++ ? ", " : "", key);
  json_object_foreach (old, key, value) if (!json_object_get (new, key))
    g_string_append_printf (names, "%s%s", n++ ? ", " : "", key);
  json_decref (old);
  json_decref (new);
  return n == 0 ? g_strdup ("parameters")
                : g_strdup_printf ("parameter%s %s", n > 1 ? "s" : "", names->str);
}

/* What differs between the components of one stage, in words; NULL: nothing. */
static char *
compare_components (const char *before, const char *now)
{
  static const struct {
    const char *line, *words;
  } parts[] = {
    { "type", "the type" },
    { "params", NULL },
    { "seed", "the seed" },
    { "version", "the result version" },
    { "fingerprint", "a library or codec" },
    { "abi", "the plugin interface" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree char *old = find_line (before, parts[i].line);
    g_autofree char *new = find_line (now, parts[i].line);
    if (g_strcmp0 (old, new) == 0)
      continue;
    return parts[i].words ? g_strdup (parts[i].words)
                          : describe_parameters (old ? old : "{}", new ? new : "{}");
  }
  return NULL;
}

static char *
compare_chains (const char *const *before, const char *const *now, const char *const *stage_ids)
{
  guint n = g_strv_length ((GStrv) now);
  if (g_strv_length ((GStrv) before) != n)
    return g_strdup ("stages were added or removed");
  for (guint i = 0; i < n; i++) {
    g_autofree char *what = compare_components (before[i], now[i]);
    if (what)
      return g_strdup_printf ("%s of stage '%s' changed", what, stage_ids[i]);
  }
  return NULL;
}

SegueChainMemory *
segue_chain_memory_load (const char *cache, const char *pipeline, const char *chain,
                         const char *const *components, const char *const *stage_ids)
{
  SegueChainMemory *memory = g_new0 (SegueChainMemory, 1);
  g_autofree char *name = g_strdup_printf ("%s\n%s", pipeline, chain);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  memory->path = g_build_filename (cache, "chains", digest, NULL);
  memory->components = g_strdupv ((GStrv) components);
  memory->songs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  memory->known = g_hash_table_new (g_str_hash, g_str_equal);

  gsize size;
  char *data = segue_file_read (memory->path, MAX_MEMORY, &size, NULL);
  if (!data)
    return memory;
  (void) utimensat (AT_FDCWD, memory->path, NULL, AT_SYMLINK_NOFOLLOW);
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, size);
  g_autoptr (GVariant) before =
    g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (MEMORY_TYPE), bytes, FALSE));
  if (!g_variant_is_normal_form (before))
    return memory;
  g_autofree const char **old = NULL;
  g_autoptr (GVariantIter) songs = NULL;
  const char *id, *key;
  g_variant_get (before, "(^a&sa{ss})", &old, &songs);
  while (g_variant_iter_next (songs, "{&s&s}", &id, &key))
    g_hash_table_insert (memory->known, (gpointer) id, (gpointer) key);
  memory->changed = compare_chains (old, components, stage_ids);
  memory->before = g_steal_pointer (&before);
  return memory;
}

void
segue_chain_memory_free (SegueChainMemory *memory)
{
  if (!memory)
    return;
  g_hash_table_unref (memory->known);
  g_hash_table_unref (memory->songs);
  g_clear_pointer (&memory->before, g_variant_unref);
  g_strfreev (memory->components);
  g_free (memory->changed);
  g_free (memory->path);
  g_free (memory);
}

char *
segue_chain_memory_explain (SegueChainMemory *memory, const char *id, const char *input_key)
{
  const char *before = g_hash_table_lookup (memory->known, id);
  if (!before)
    return g_strdup ("new");
  if (memory->changed)
    return g_strdup (memory->changed);
  if (g_strcmp0 (before, input_key) != 0)
    return g_strdup ("its bytes changed");
  return g_strdup ("its result, or what that depends on, was not in the cache");
}

void
segue_chain_memory_note (SegueChainMemory *memory, const char *id, const char *input_key)
{
  g_hash_table_replace (memory->songs, g_strdup (id), g_strdup (input_key));
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

void
segue_chain_memory_save (SegueChainMemory *memory)
{
  g_auto (GVariantBuilder) songs = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
  g_autoptr (GList) ids = g_list_sort (g_hash_table_get_keys (memory->songs), compare_strings);
  for (GList *at = ids; at; at = at->next)
    g_variant_builder_add (&songs, "{ss}", at->data, g_hash_table_lookup (memory->songs, at->data));
  g_autoptr (GVariant) now = g_variant_ref_sink (
    g_variant_new ("(^as@a{ss})", memory->components, g_variant_builder_end (&songs)));
  if (memory->before && g_variant_equal (memory->before, now))
    return;
  g_autofree char *folder = g_path_get_dirname (memory->path);
  if (segue_file_make_folder (folder, NULL))
    segue_file_write (memory->path, g_variant_get_data (now), (gssize) g_variant_get_size (now),
                      NULL);
}
