#include "names.h"

#include <string.h>

#define MAX_BYTES  160
#define HASH_CHARS 8

struct _Names {
  GHashTable *taken; /* "scope\nfolded name" */
};

/* `datasets`' own words and separators (data_files.py). */
static gboolean
is_set_word (const char *word, gsize length)
{
  static const char *const words[] = { "train", "training",   "validation", "valid",
                                       "dev",   "val",        "test",       "testing",
                                       "eval",  "evaluation", NULL };

  for (guint i = 0; words[i]; i++)
    if (strlen (words[i]) == length && strncmp (words[i], word, length) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_separator (char c)
{
  return c == '\0' || strchr ("-._ 0123456789", c);
}

/* "dev 1" → "dev~ 1" */
static char *
defuse_set_words (const char *name)
{
  GString *out = g_string_new (NULL);

  while (*name) {
    gsize length = 0;

    while (!is_separator (name[length]))
      length++;
    g_string_append_len (out, name, (gssize) length);
    if (is_set_word (name, length))
      g_string_append_c (out, '~');
    name += length;
    if (*name)
      g_string_append_c (out, *name++);
  }
  return g_string_free (out, FALSE);
}

/* Names that Windows reserves for devices, with or without an extension. */
static gboolean
is_device (const char *name)
{
  static const char *const devices[] = { "con", "prn", "aux", "nul", "com", "lpt", NULL };
  gsize length = strcspn (name, ".");

  for (guint i = 0; devices[i]; i++)
    if (g_ascii_strncasecmp (name, devices[i], 3) == 0 &&
        (length == 3 || (length == 4 && i >= 4 && g_ascii_isdigit (name[3]))))
      return TRUE;
  return FALSE;
}

/* `$HOME` and `%TEMP%` are expanded by `datasets` (os.path.expandvars). */
static gboolean
is_forbidden (gunichar c)
{
  return g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_LINE_SEPARATOR ||
         g_unichar_type (c) == G_UNICODE_PARAGRAPH_SEPARATOR ||
         g_unichar_type (c) == G_UNICODE_FORMAT || (c < 128 && strchr ("/\\:*?\"<>|[]$%", (int) c));
}

static void
truncate_utf8 (char *text, gsize bytes)
{
  if (strlen (text) <= bytes)
    return;
  while (bytes > 0 && ((guchar) text[bytes] & 0xc0) == 0x80)
    bytes--;
  text[bytes] = '\0';
}

/* Shortens @name (changed) to leave room for names_make()'s suffix, and sanitises its end and words. */
static char *
shorten (char *name)
{
  const gsize room = MAX_BYTES - HASH_CHARS - 1;

  for (gsize bytes = room;;) {
    g_autofree char *defused = NULL;

    truncate_utf8 (name, bytes);
    g_strchomp (name);
    /* Windows drops dots at the end, and there may be a new one here. */
    if (g_str_has_suffix (name, "."))
      name[strlen (name) - 1] = '_';
    defused = defuse_set_words (name);
    if (strlen (defused) <= room)
      return g_steal_pointer (&defused);
    bytes -= strlen (defused) - room;
  }
}

char *
name_sanitise (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *nfc = g_utf8_normalize (valid, -1, G_NORMALIZE_NFC), *plain = NULL;
  GString *out = g_string_new (NULL);
  const char *at = nfc;

  for (; *at; at = g_utf8_next_char (at))
    if (is_forbidden (g_utf8_get_char (at)))
      g_string_append_c (out, '_');
    else
      g_string_append_len (out, at, g_utf8_next_char (at) - at);
  g_strstrip (out->str);
  out->len = strlen (out->str);
  /* Hidden: `.name`, and `__name` for `datasets`; `~name` is a user's home, `-name` an option. */
  if (strchr (".-~", out->str[0]) && out->len > 0)
    out->str[0] = '_';
  if (out->len > 0 && out->str[out->len - 1] == '.')
    out->str[out->len - 1] = '_';
  while (out->str[0] == '_' && out->str[1] == '_')
    g_string_erase (out, 0, 1);
  if (out->len == 0)
    g_string_append_c (out, '_');
  if (is_device (out->str))
    g_string_prepend_c (out, '_');
  plain = g_string_free (out, FALSE);
  return shorten (plain);
}

Names *
names_new (void)
{
  Names *self = g_new0 (Names, 1);

  self->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
names_free (Names *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->taken);
  g_free (self);
}

static gboolean
take (Names *self, const char *scope, const char *name)
{
  g_autofree char *folded = g_utf8_casefold (name, -1);
  char *key = g_strconcat (scope, "\n", folded, NULL);

  if (g_hash_table_contains (self->taken, key)) {
    g_free (key);
    return FALSE;
  }
  return g_hash_table_add (self->taken, key);
}

char *
names_make (Names *self, const char *scope, const char *text)
{
  g_autofree char *base = name_sanitise (text);

  if (take (self, scope, base))
    return g_steal_pointer (&base);
  for (guint i = 0;; i++) {
    g_autofree char *salted = g_strdup_printf ("%s\n%u", text, i);
    g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, salted, -1);
    g_autofree char *name = g_strdup_printf ("%s~%.*s", base, HASH_CHARS, hash);

    if (take (self, scope, name))
      return g_steal_pointer (&name);
  }
}
