#include "layout.h"

#include "names.h"

#include <segue/error.h>
#include <string.h>

/* A level: text, field, text, field, … text; n_fields + 1 texts, some of them empty. */
typedef struct {
  GPtrArray *texts;
  GPtrArray *fields;
} Part;

struct _Layout {
  char *text;
  GPtrArray *parts;
};

static void
part_free (gpointer data)
{
  Part *part = data;

  g_ptr_array_unref (part->texts);
  g_ptr_array_unref (part->fields);
  g_free (part);
}

static gboolean
fail (GError **error, const char *layout, const char *what)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "layout ‘%s’ %s; it should look like {artist}/{album}/{title}", layout, what);
  return FALSE;
}

static gboolean
is_field_name (const char *name)
{
  if (!g_ascii_islower (*name))
    return FALSE;
  return strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen (name);
}

/* Fields that the core and later stages set themselves. */
static gboolean
is_reserved (const char *name)
{
  static const char *const reserved[] = { "source",    "song", "start", "duration",
                                          "recording", "set",  "fold",  NULL };

  return g_strv_contains (reserved, name);
}

static gboolean
add_field (Layout *self, Part *part, const char *text, const char *name, GError **error)
{
  if (!is_field_name (name))
    return fail (error, text,
                 "has a field whose name contains characters other than a-z, 0-9, - and _");
  if (is_reserved (name))
    return fail (error, text,
                 "has a field whose name segue uses itself (source, song, start, "
                 "duration, recording, set, fold)");
  if (layout_has_field (self, name))
    return fail (error, text, "has one field twice");
  for (guint i = 0; i < part->fields->len; i++)
    if (g_str_equal (g_ptr_array_index (part->fields, i), name))
      return fail (error, text, "has one field twice");
  g_ptr_array_add (part->fields, g_strdup (name));
  return TRUE;
}

static gboolean
parse_part (Layout *self, Part *part, const char *text, const char *level, GError **error)
{
  const char *at = level;

  for (;;) {
    const char *open = strpbrk (at, "{}"), *close;
    g_autofree char *name = NULL;

    g_ptr_array_add (part->texts, g_strndup (at, open ? (gsize) (open - at) : strlen (at)));
    if (!open)
      return TRUE;
    if (*open == '}' || !(close = strpbrk (open + 1, "{}")) || *close == '{')
      return fail (error, text, "has an unmatched brace");
    if (part->fields->len > 0 && open == at)
      return fail (error, text, "has two fields with nothing between them");
    name = g_strndup (open + 1, (gsize) (close - open - 1));
    if (!add_field (self, part, text, name, error))
      return FALSE;
    at = close + 1;
  }
}

Layout *
layout_parse (const char *text, GError **error)
{
  g_autoptr (Layout) self = g_new0 (Layout, 1);
  g_autofree char *nfc = name_to_nfc (text);
  g_auto (GStrv) levels = g_strsplit (nfc, "/", -1);

  self->text = g_strdup (text);
  self->parts = g_ptr_array_new_with_free_func (part_free);
  if (!levels[0]) {
    fail (error, text, "is empty");
    return NULL;
  }
  for (guint i = 0; levels[i]; i++) {
    Part *part = g_new0 (Part, 1);

    part->texts = g_ptr_array_new_with_free_func (g_free);
    part->fields = g_ptr_array_new_with_free_func (g_free);
    if (!parse_part (self, part, text, levels[i], error)) {
      part_free (part);
      return NULL;
    }
    g_ptr_array_add (self->parts, part);
    if (*levels[i] == '\0' || g_str_equal (levels[i], ".") || g_str_equal (levels[i], "..")) {
      fail (error, text, "has a level without a name");
      return NULL;
    }
  }
  return g_steal_pointer (&self);
}

void
layout_free (Layout *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->parts, g_ptr_array_unref);
  g_free (self->text);
  g_free (self);
}

gboolean
layout_has_field (const Layout *self, const char *name)
{
  for (guint i = 0; i < self->parts->len; i++) {
    const Part *part = g_ptr_array_index (self->parts, i);

    if (g_ptr_array_find_with_equal_func (part->fields, name, g_str_equal, NULL))
      return TRUE;
  }
  return FALSE;
}

char *
layout_list_fields (const Layout *self)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < self->parts->len; i++) {
    const Part *part = g_ptr_array_index (self->parts, i);

    for (guint j = 0; j < part->fields->len; j++)
      g_string_append_printf (list, "%s%s", list->len ? ", " : "",
                              (const char *) g_ptr_array_index (part->fields, j));
  }
  return g_string_free (list, FALSE);
}

guint
layout_get_depth (const Layout *self)
{
  return self->parts->len;
}

/* The shortest match from the left is found without backtracking: as in a glob in which `*` matches
 * at least one character, only the last text has to be at the very end. */
static gboolean
match_part (const Part *part, const char *value, GPtrArray *found)
{
  const char *first = g_ptr_array_index (part->texts, 0), *at;

  if (!g_str_has_prefix (value, first))
    return FALSE;
  at = value + strlen (first);
  if (part->fields->len == 0)
    return *at == '\0';
  for (guint i = 0; i < part->fields->len; i++) {
    const char *text = g_ptr_array_index (part->texts, i + 1), *end;
    gboolean is_last = i + 1 == part->fields->len;

    if (*at == '\0')
      return FALSE;
    if (is_last) {
      if (!g_str_has_suffix (at, text) || strlen (at) == strlen (text))
        return FALSE;
      end = at + strlen (at) - strlen (text);
    } else {
      end = strstr (g_utf8_next_char (at), text);
      if (!end)
        return FALSE;
    }
    g_ptr_array_add (found, g_strndup (at, (gsize) (end - at)));
    at = end + strlen (text);
  }
  return TRUE;
}

/* The folders and the title of @path, one string for each part of the layout that it fills. */
static GPtrArray *
split_path (const Layout *self, const char *path, gboolean any_depth, guint *n_levels)
{
  GPtrArray *levels = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  guint depth = self->parts->len, n = g_strv_length (names);
  char *dot = strrchr (names[n - 1], '.');

  if (dot && dot != names[n - 1])
    *dot = '\0';
  *n_levels = n;
  for (guint i = 0; i < n; i++) {
    gboolean is_surplus = any_depth && n > depth && depth > 1 && i >= depth - 1 && i < n - 1;

    if (is_surplus) {
      char **last = (char **) &levels->pdata[depth - 2];
      g_autofree char *head = *last;

      *last = g_strconcat (head, "/", names[i], NULL);
    } else if (!(any_depth && depth == 1 && i < n - 1)) {
      g_ptr_array_add (levels, g_strdup (names[i]));
    }
  }
  return levels;
}

gboolean
layout_match (const Layout *self, const char *path, gboolean any_depth, LayoutFieldFunc func,
              gpointer data, char **reason)
{
  guint depth = self->parts->len, n_levels;
  g_autoptr (GPtrArray) levels = split_path (self, path, any_depth, &n_levels);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  if (n_levels != depth && !any_depth) {
    *reason = g_strdup_printf ("does not fit the layout %s: it is %u deep, not %u" SEGUE_ADVICE (
                                 "; use songs at any depth with ", "any_depth=true"),
                               self->text, n_levels, depth);
    return FALSE;
  }
  for (guint i = 0; i < levels->len; i++) {
    gboolean is_title = i + 1 == levels->len;
    const Part *part = g_ptr_array_index (self->parts, is_title ? depth - 1 : i);
    g_autofree char *value = name_to_nfc (g_ptr_array_index (levels, i));

    if (!match_part (part, value, values)) {
      *reason = g_strdup_printf ("does not fit the layout %s: rename ‘%s’, or change the layout",
                                 self->text, value);
      return FALSE;
    }
    for (guint j = 0; j < part->fields->len; j++)
      g_ptr_array_add (names, g_ptr_array_index (part->fields, j));
  }
  for (guint i = 0; i < names->len; i++)
    func (g_ptr_array_index (names, i), g_ptr_array_index (values, i), data);
  return TRUE;
}
