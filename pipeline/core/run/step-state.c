/* Why a step is recomputed: compares the last state of a chain or stage with the current one. */
#include "run/step-state.h"

#include <fcntl.h>
#include <segue/file.h>
#include <segue/json.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_STATE (128 * 1024 * 1024) /* bytes: some 100 for a song */

/* components, {metadata name: digest of its values}, {song id: input key} */
#define STATE_TYPE "(asa{ss}a{ss})"

#define FIRST_RUN "first run of this pipeline"

struct _SegueStepState {
  char *path;
  GStrv components;  /* the current ones */
  GHashTable *songs; /* id → input key, this time */
  GHashTable *reads; /* metadata name → digest, this time */
  GVariant *before;  /* nullable: of STATE_TYPE */
  GHashTable *known; /* id → input key, last time; borrowed from @before */
  GHashTable *read;  /* metadata name → digest, last time; likewise */
  GPtrArray *names;  /* the keys of @read, NULL-terminated */
  char *changed;     /* nullable: what has changed in its stages */
  guint place;       /* of the stage of @changed */
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

/* (transfer full) (nullable) */
static json_t *
parse_parameters (const char *text)
{
  return segue_json_parse (text, -1, "parameters", SEGUE_JSON_SETTINGS, NULL, NULL);
}

static char *
describe_parameters (const char *before, const char *now)
{
  json_t *old = parse_parameters (before), *new = parse_parameters (now);
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

/* The difference between the components of one stage, as text; NULL: none. */
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
    { "build", "the plugin" },
    { "model", "the model" },
    { "metrics", "the metrics" },
    { "preparation", "the preparation" },
    { "port", "the input port" },
    { "summary", "the run summary" },
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
compare_chains (const char *const *before, const char *const *now, const char *const *stage_ids,
                guint *place)
{
  *place = 0;
  guint n = g_strv_length ((GStrv) now);
  if (g_strv_length ((GStrv) before) != n)
    return g_strdup ("stages were added or removed");
  for (guint i = 0; i < n; i++) {
    g_autofree char *what = compare_components (before[i], now[i]);
    if (what) {
      *place = i;
      return g_strdup_printf ("%s of stage '%s' changed", what, stage_ids[i]);
    }
  }
  return NULL;
}

/* The members of @values (an `a{ss}`, borrowed) as a table. */
static void
fill_table (GHashTable *table, GVariant *values)
{
  GVariantIter iter;
  const char *name, *value;
  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&s&s}", &name, &value))
    g_hash_table_insert (table, (gpointer) name, (gpointer) value);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
recall (SegueStepState *state, const char *const *stage_ids)
{
  gsize size;
  char *data = segue_file_read (state->path, MAX_STATE, &size, NULL);
  if (!data)
    return;
  (void) utimensat (AT_FDCWD, state->path, NULL, AT_SYMLINK_NOFOLLOW);
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, size);
  g_autoptr (GVariant) before =
    g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (STATE_TYPE), bytes, FALSE));
  if (!g_variant_is_normal_form (before))
    return;
  g_autofree const char **old = NULL;
  g_autoptr (GVariant) reads = NULL;
  g_autoptr (GVariant) songs = NULL;
  g_variant_get (before, "(^a&s@a{ss}@a{ss})", &old, &reads, &songs);
  fill_table (state->read, reads);
  fill_table (state->known, songs);
  state->changed =
    compare_chains (old, (const char *const *) state->components, stage_ids, &state->place);
  state->before = g_steal_pointer (&before);
}

SegueStepState *
segue_step_state_load (const char *cache, const char *pipeline, const char *step,
                       const char *const *components, const char *const *stage_ids)
{
  SegueStepState *state = g_new0 (SegueStepState, 1);
  g_autofree char *name = g_strdup_printf ("%s\n%s", pipeline, step);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  state->path = g_build_filename (cache, "units", digest, NULL);
  state->components = g_strdupv ((GStrv) components);
  state->songs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  state->reads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  state->known = g_hash_table_new (g_str_hash, g_str_equal);
  state->read = g_hash_table_new (g_str_hash, g_str_equal);
  recall (state, stage_ids);
  state->names = g_ptr_array_new ();
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (state->read), compare_strings);
  for (GList *at = names; at; at = at->next)
    g_ptr_array_add (state->names, at->data);
  g_ptr_array_add (state->names, NULL);
  return state;
}

void
segue_step_state_free (SegueStepState *state)
{
  if (!state)
    return;
  g_hash_table_unref (state->known);
  g_hash_table_unref (state->read);
  g_hash_table_unref (state->songs);
  g_hash_table_unref (state->reads);
  g_ptr_array_unref (state->names);
  g_clear_pointer (&state->before, g_variant_unref);
  g_strfreev (state->components);
  g_free (state->changed);
  g_free (state->path);
  g_free (state);
}

const char *const *
segue_step_state_get_reads (SegueStepState *state)
{
  return (const char *const *) state->names->pdata;
}

void
segue_step_state_note (SegueStepState *state, const char *id, const char *input_key)
{
  g_hash_table_replace (state->songs, g_strdup (id), g_strdup (input_key));
}

void
segue_step_state_note_read (SegueStepState *state, const char *name, const char *digest)
{
  g_hash_table_replace (state->reads, g_strdup (name), g_strdup (digest));
}

const char *
segue_step_state_get_change (SegueStepState *state, guint *place)
{
  *place = state->place;
  return state->changed;
}

char *
segue_step_state_explain_song (SegueStepState *state, const char *id, const char *input_key)
{
  const char *before = g_hash_table_lookup (state->known, id);
  if (!state->before)
    return g_strdup (FIRST_RUN);
  if (!before)
    return g_strdup ("new");
  if (state->changed)
    return g_strdup (state->changed);
  if (g_strcmp0 (before, input_key) != 0)
    return g_strdup ("its bytes changed");
  return g_strdup ("its result, or one that it depends on, was not in the cache");
}

static void
append_songs (GString *text, guint n, const char *one, const char *many)
{
  if (n > 0)
    g_string_append_printf (text, "%s%u %s", text->len > 0 ? ", " : "", n, n == 1 ? one : many);
}

/* "1 song is new, 2 songs changed"; NULL: they are the same. */
static char *
compare_songs (SegueStepState *state)
{
  GHashTableIter iter;
  gpointer id, key;
  guint n_new = 0, n_changed = 0, n_gone = 0;
  g_hash_table_iter_init (&iter, state->songs);
  while (g_hash_table_iter_next (&iter, &id, &key)) {
    const char *before = g_hash_table_lookup (state->known, id);
    n_new += !before;
    n_changed += before && strcmp (before, key) != 0;
  }
  g_hash_table_iter_init (&iter, state->known);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    n_gone += !g_hash_table_contains (state->songs, id);
  g_autoptr (GString) text = g_string_new (NULL);
  append_songs (text, n_new, "song is new", "songs are new");
  append_songs (text, n_changed, "song changed", "songs changed");
  append_songs (text, n_gone, "song was removed", "songs were removed");
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

/* "the metadata ‘label’ changed"; NULL: the values that it reads are the same. */
static char *
compare_reads (SegueStepState *state)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i + 1 < state->names->len; i++) {
    const char *name = g_ptr_array_index (state->names, i);
    const char *now = g_hash_table_lookup (state->reads, name);
    if (now && strcmp (now, g_hash_table_lookup (state->read, name)) != 0)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                              g_str_equal (name, "*") ? "any" : name);
  }
  return names->len > 0 ? g_strdup_printf ("metadata of songs changed: %s", names->str) : NULL;
}

char *
segue_step_state_explain_all (SegueStepState *state)
{
  char *what;
  if (!state->before)
    return g_strdup (FIRST_RUN);
  if (state->changed)
    return g_strdup (state->changed);
  if ((what = compare_songs (state)) || (what = compare_reads (state)))
    return what;
  return g_strdup ("its result was not in the cache");
}

/* (transfer full): floating */
static GVariant *
make_table (GHashTable *table)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (table), compare_strings);
  for (GList *at = names; at; at = at->next) {
    GVariant *entry = g_variant_new ("{ss}", at->data, g_hash_table_lookup (table, at->data));
    (void) g_variant_get_data (entry); /* as bytes, which take less state than a tree */
    g_variant_builder_add_value (&builder, entry);
  }
  return g_variant_builder_end (&builder);
}

void
segue_step_state_save (SegueStepState *state)
{
  g_autoptr (GVariant) now = g_variant_ref_sink (g_variant_new (
    "(^as@a{ss}@a{ss})", state->components, make_table (state->reads), make_table (state->songs)));
  if (state->before && g_variant_equal (state->before, now))
    return;
  g_autofree char *folder = g_path_get_dirname (state->path);
  if (segue_file_make_folder (folder, NULL))
    segue_file_write (state->path, g_variant_get_data (now), (gssize) g_variant_get_size (now),
                      NULL);
}
