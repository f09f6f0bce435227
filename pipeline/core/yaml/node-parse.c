/* YAML text → tree, from libyaml's events. The text is untrusted until it is a tree: its size, depth
 * and expansion are bounded here, and nothing recurses on its nesting. */
#include "yaml/node.h"
#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

/* A list or map whose end has not been read yet. */
typedef struct {
  SegueNode *node;
  SegueNode *key;   /* MAP: the key whose value comes next */
  GHashTable *seen; /* MAP: key text → SegueNode */
  char *anchor;
} Frame;

typedef struct {
  const char *text;
  gsize length;
  SegueNode *place;    /* represents the file in messages */
  GPtrArray *open;     /* Frame */
  GHashTable *anchors; /* name → SegueNode, borrowed from the tree */
  SegueNodeBudget budget;
  SegueNode *root;
  guint documents;
} Loader;

static void
frame_free (Frame *frame)
{
  segue_node_free (frame->node);
  segue_node_free (frame->key);
  g_clear_pointer (&frame->seen, g_hash_table_unref);
  g_free (frame->anchor);
  g_free (frame);
}

static void
loader_init (Loader *loader, const char *text, gsize length, const char *name)
{
  g_autofree char *shown = g_filename_display_name (name);
  loader->text = text;
  loader->length = length;
  loader->place = segue_node_new (SEGUE_NODE_NULL, NULL);
  loader->place->file = g_ref_string_new (shown);
  loader->open = g_ptr_array_new_with_free_func ((GDestroyNotify) frame_free);
  loader->anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  loader->budget = SEGUE_NODE_BUDGET;
}

static void
loader_clear (Loader *loader)
{
  segue_node_free (loader->place);
  g_ptr_array_unref (loader->open);
  g_hash_table_unref (loader->anchors);
  segue_node_free (loader->root);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loader, loader_clear)

static const SegueNode *
place_at (Loader *loader, gsize line, gsize column)
{
  loader->place->line = (guint) line + 1;
  loader->place->column = (guint) column + 1;
  return loader->place;
}

static const SegueNode *
place_at_byte (Loader *loader, gsize offset)
{
  gsize line = 0, start = 0;
  for (gsize i = 0; i < offset; i++)
    if (loader->text[i] == '\n') {
      line++;
      start = i + 1;
    }
  gsize column = 0;
  for (gsize i = start; i < offset; i++)
    column += (loader->text[i] & 0xc0) != 0x80;
  return place_at (loader, line, column);
}

/* (nullable): the encoding of the text where an editor did not write UTF-8. Without a byte order
 * mark, it begins with an ASCII character, as every pipeline does. */
static const char *
other_encoding (const char *text, gsize length)
{
  static const struct {
    char bytes[4];
    gsize n;
    const char *name;
  } starts[] = {
    { "\xff\xfe\0\0", 4, "UTF-32" },
    { "\0\0\xfe\xff", 4, "UTF-32" },
    { "\xff\xfe", 2, "UTF-16" },
    { "\xfe\xff", 2, "UTF-16" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    if (length >= starts[i].n && !memcmp (text, starts[i].bytes, starts[i].n))
      return starts[i].name;
  gboolean two = length >= 4 && length % 2 == 0;
  if (two && ((text[0] && !text[1] && text[2] && !text[3]) ||
              (!text[0] && text[1] && !text[2] && text[3])))
    return "UTF-16";
  return NULL;
}

/* Checks the bytes before they are parsed as YAML. */
static gboolean
check_bytes (Loader *loader, GError **error)
{
  if (loader->length > SEGUE_NODE_MAX_BYTES) {
    loader->place->line = 0;
    return segue_node_error (
      loader->place, error, "larger than 1 MiB, the limit for a pipeline; is this the right file?");
  }
  const char *encoding = other_encoding (loader->text, loader->length);
  if (encoding)
    return segue_node_error (place_at (loader, 0, 0), error,
                             "%s text; save the file with UTF-8 encoding", encoding);
  const char *end;
  if (g_utf8_validate_len (loader->text, loader->length, &end))
    return TRUE;
  const SegueNode *place = place_at_byte (loader, (gsize) (end - loader->text));
  if (*end == '\0')
    return segue_node_error (place, error,
                             "a NUL byte, so this is not text; is this the right file?");
  return segue_node_error (place, error, "not UTF-8 text; save the file with UTF-8 encoding");
}

static char *
line_of_text (Loader *loader, gsize line)
{
  const char *start = loader->text, *end = loader->text + loader->length;
  for (; line > 0 && start < end; line--) {
    const char *newline = memchr (start, '\n', (gsize) (end - start));
    start = newline ? newline + 1 : end;
  }
  const char *stop = memchr (start, '\n', (gsize) (end - start));
  return g_strndup (start, (gsize) ((stop ? stop : end) - start));
}

static const char *
advice_for (const char *problem, const char *at)
{
  static const struct {
    const char *problem, *advice;
  } table[] = {
    { "mapping values are not allowed", "check the indentation, and quote text that has \": \"" },
    { "could not find expected ':'", "write \"key: value\", and check the indentation" },
    { "did not find expected key", "check the indentation of this line and of the one above" },
    { "did not find expected '-'", "check the indentation of this line and of the one above" },
    { "did not find expected ',' or",
      "a bracket is not closed, a comma is missing, or text with \": \" or \" #\" needs quotes" },
    { "did not find expected node content", "a value is missing, or there is an extra comma" },
    { "did not find expected alphabetic", "put quotes around text that begins with * or &" },
    { "unexpected end of stream", "a quote or a bracket is not closed" },
    { "unexpected document indicator", "a quote or a bracket is not closed" },
    { "undefined alias", "write the anchor (&name) before the alias (*name)" },
    { "unknown escape", "use single quotes, or \\\\ for one \\" },
    { "control characters", "remove the control character" },
  };
  if (*at == '\t')
    return "indent with spaces, not with a tab";
  if (*at == '-' && !strchr (" \r\n-", at[1]))
    return "put a space after the -";
  if (g_str_has_prefix (at, "\u2013") || g_str_has_prefix (at, "\u2014"))
    return "write a plain - in place of the long dash";
  if (*at && strchr ("@`%", *at))
    return "put quotes around text that begins with this character";
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (strstr (problem, table[i].problem))
      return table[i].advice;
  return "check this line and the one above";
}

static gboolean
syntax_error (Loader *loader, const yaml_parser_t *yaml, GError **error)
{
  if (yaml->error == YAML_MEMORY_ERROR) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "%s: out of memory",
                 loader->place->file);
    return FALSE;
  }
  const char *problem = yaml->problem ? yaml->problem : "syntax error";
  if (yaml->error == YAML_READER_ERROR)
    return segue_node_error (place_at_byte (loader, MIN (yaml->problem_offset, loader->length)),
                             error, "%s; %s", problem, advice_for (problem, ""));
  /* An unclosed bracket or quote is detected at the end of the file; report where it begins. */
  gboolean unclosed = yaml->context && strstr (problem, "unexpected end of stream");
  yaml_mark_t mark = unclosed ? yaml->context_mark : yaml->problem_mark;
  /* libyaml often detects an unquoted `{artist}/…` only in the line after it. */
  for (gsize back = 0; back <= 1 && back <= mark.line; back++) {
    g_autofree char *line = line_of_text (loader, mark.line - back);
    guint column;
    g_autofree char *hint = segue_node_braces_hint (line, &column);
    if (hint)
      return segue_node_error (place_at (loader, mark.line - back, column - 1), error, "%s", hint);
  }
  g_autofree char *line = line_of_text (loader, mark.line);
  const char *at = line;
  for (gsize i = 0; i < mark.column && *at; i++)
    at = g_utf8_next_char (at);
  return segue_node_error (place_at (loader, mark.line, mark.column), error, "%s%s%s; %s", problem,
                           yaml->context ? " " : "", yaml->context ? yaml->context : "",
                           advice_for (problem, at));
}

static SegueNode *
node_at (Loader *loader, SegueNodeType type, const yaml_event_t *event)
{
  return segue_node_new (type, place_at (loader, event->start_mark.line, event->start_mark.column));
}

static gboolean
add_key (Frame *frame, SegueNode *key, GError **error)
{
  frame->key = key;
  if (key->type != SEGUE_NODE_SCALAR)
    return segue_node_error (
      key, error,
      "a key must be text; put quotes around text that has braces, and write "
      "a variable as \"${name}\"");
  const SegueNode *first = g_hash_table_lookup (frame->seen, key->text);
  if (first)
    return segue_node_error (key, error,
                             "duplicate key '%s' (first in line %u); remove one of them", key->text,
                             first->line);
  if (!strcmp (key->text, "<<"))
    return segue_node_error (key, error,
                             "merge keys (<<) are not part of YAML 1.2; write the keys out");
  g_hash_table_insert (frame->seen, key->text, key);
  return TRUE;
}

/* Takes ownership of @node: the next value, or key, of the innermost open list or map. */
static gboolean
attach (Loader *loader, SegueNode *node, const char *anchor, GError **error)
{
  if (anchor)
    g_hash_table_replace (loader->anchors, g_strdup (anchor), node);
  if (loader->open->len == 0) {
    loader->root = node;
    return TRUE;
  }
  Frame *frame = g_ptr_array_index (loader->open, loader->open->len - 1);
  if (frame->node->type == SEGUE_NODE_MAP) {
    if (!frame->key)
      return add_key (frame, node, error);
    g_ptr_array_add (frame->node->keys, g_steal_pointer (&frame->key));
  }
  g_ptr_array_add (frame->node->values, node);
  return TRUE;
}

/* Core tags add nothing to the parameter's own type; others would be silently lost. */
static gboolean
check_tag (const SegueNode *node, const char *tag, GError **error)
{
  static const char *const core[] = { "str", "int", "float", "bool", "null", "map", "seq", NULL };
  if (!tag || !strcmp (tag, "!"))
    return TRUE;
  if (g_str_has_prefix (tag, "tag:yaml.org,2002:") && g_strv_contains (core, tag + 18))
    return TRUE;
  gboolean include = g_str_has_prefix (tag, "!include");
  return segue_node_error (
    node, error, "tag '%s' has no meaning here; %s", tag,
    include ? "a pipeline is one file: insert the content of the other one here" : "remove it");
}

static gboolean
on_scalar (Loader *loader, const yaml_event_t *event, GError **error)
{
  static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
  const char *text = (const char *) event->data.scalar.value;
  const char *tag = (const char *) event->data.scalar.tag;
  gsize length = event->data.scalar.length;
  gboolean text_tag = !g_strcmp0 (tag, YAML_STR_TAG) || !g_strcmp0 (tag, "!");
  gboolean plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !text_tag;
  gboolean null = plain && g_strv_contains (nulls, text);
  SegueNode *node = node_at (loader, null ? SEGUE_NODE_NULL : SEGUE_NODE_SCALAR, event);
  node->quoted = !plain;
  node->text = null ? NULL : g_strndup (text, length);
  gboolean ok = check_tag (node, tag, error);
  if (ok && memchr (text, 0, length))
    ok = segue_node_error (node, error, "text with a NUL (\\0) in it; remove it");
  if (!ok) {
    segue_node_free (node);
    return FALSE;
  }
  return attach (loader, node, (const char *) event->data.scalar.anchor, error);
}

static gboolean
on_start (Loader *loader, SegueNodeType type, const yaml_event_t *event, GError **error)
{
  gboolean map = type == SEGUE_NODE_MAP;
  const yaml_char_t *anchor =
    map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
  const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
  Frame *frame = g_new0 (Frame, 1);
  frame->node = node_at (loader, type, event);
  frame->seen = map ? g_hash_table_new (g_str_hash, g_str_equal) : NULL;
  frame->anchor = g_strdup ((const char *) anchor);
  g_ptr_array_add (loader->open, frame);
  if (loader->open->len > SEGUE_NODE_MAX_DEPTH)
    return segue_node_error (frame->node, error, "nested deeper than %d levels; is a bracket open?",
                             SEGUE_NODE_MAX_DEPTH);
  return check_tag (frame->node, (const char *) tag, error);
}

static gboolean
on_end (Loader *loader, GError **error)
{
  Frame *frame = g_ptr_array_steal_index (loader->open, loader->open->len - 1);
  SegueNode *node = g_steal_pointer (&frame->node);
  g_autofree char *anchor = g_steal_pointer (&frame->anchor);
  frame_free (frame);
  return attach (loader, node, anchor, error);
}

static gboolean
on_alias (Loader *loader, const yaml_event_t *event, GError **error)
{
  const char *name = (const char *) event->data.alias.anchor;
  const SegueNode *place = place_at (loader, event->start_mark.line, event->start_mark.column);
  for (guint i = 0; i < loader->open->len; i++) {
    Frame *frame = g_ptr_array_index (loader->open, i);
    if (!g_strcmp0 (frame->anchor, name))
      return segue_node_error (place, error, "alias *%s is inside the value that it refers to",
                               name);
  }
  const SegueNode *anchored = g_hash_table_lookup (loader->anchors, name);
  if (!anchored)
    return segue_node_error (place, error,
                             "alias *%s has no anchor; write &%s before a value above it, or "
                             "quote the text",
                             name, name);
  SegueNode *copy = segue_node_copy (anchored, loader->open->len, &loader->budget);
  if (!copy)
    return segue_node_error (place, error,
                             "aliases expand to more than %d values; write fewer of them",
                             SEGUE_NODE_MAX_NODES);
  return attach (loader, copy, NULL, error);
}

static gboolean
on_event (Loader *loader, const yaml_event_t *event, GError **error)
{
  switch (event->type) {
  case YAML_SCALAR_EVENT:
  case YAML_SEQUENCE_START_EVENT:
  case YAML_MAPPING_START_EVENT:
    if (loader->budget.nodes-- == 0)
      return segue_node_error (place_at (loader, event->start_mark.line, event->start_mark.column),
                               error, "more than %d values; is this the right file?",
                               SEGUE_NODE_MAX_NODES);
    if (event->type == YAML_SCALAR_EVENT)
      return on_scalar (loader, event, error);
    return on_start (loader,
                     event->type == YAML_MAPPING_START_EVENT ? SEGUE_NODE_MAP : SEGUE_NODE_LIST,
                     event, error);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    return on_end (loader, error);
  case YAML_ALIAS_EVENT:
    return on_alias (loader, event, error);
  case YAML_DOCUMENT_START_EVENT:
    if (loader->documents++ == 0)
      return TRUE;
    return segue_node_error (place_at (loader, event->start_mark.line, event->start_mark.column),
                             error, "a second document begins here; a file contains one pipeline");
  default:
    return TRUE;
  }
}

static gboolean
read_events (Loader *loader, yaml_parser_t *yaml, GError **error)
{
  for (gboolean done = FALSE; !done;) {
    yaml_event_t event;
    if (!yaml_parser_parse (yaml, &event))
      return syntax_error (loader, yaml, error);
    done = event.type == YAML_STREAM_END_EVENT;
    gboolean ok = on_event (loader, &event, error);
    yaml_event_delete (&event);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

SegueNode *
segue_node_parse (const char *text, gssize length, const char *name, GError **error)
{
  g_auto (Loader) loader = { 0 };
  gsize n_bytes = length < 0 ? strlen (text) : (gsize) length;
  /* Windows editors also put a byte order mark before UTF-8; libyaml reads it as part of the key. */
  gboolean marked = n_bytes >= 3 && !memcmp (text, "\xef\xbb\xbf", 3);
  text += marked ? 3 : 0;
  loader_init (&loader, text, n_bytes - (marked ? 3 : 0), name);
  if (!check_bytes (&loader, error))
    return NULL;
  yaml_parser_t yaml;
  if (!yaml_parser_initialize (&yaml)) {
    segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_RESOURCE, "can't read", name);
    return NULL;
  }
  yaml_parser_set_input_string (&yaml, (const unsigned char *) text, loader.length);
  yaml_parser_set_encoding (&yaml, YAML_UTF8_ENCODING);
  gboolean ok = read_events (&loader, &yaml, error);
  yaml_parser_delete (&yaml);
  if (!ok)
    return NULL;
  if (!loader.root)
    loader.root = segue_node_new (SEGUE_NODE_NULL, place_at (&loader, 0, 0));
  return g_steal_pointer (&loader.root);
}

SegueNode *
segue_node_load (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
    return NULL;
  }
  /* One extra byte detects a file that is too large, whatever size it reports. */
  g_autofree char *text = g_try_malloc (SEGUE_NODE_MAX_BYTES + 1);
  gsize length = 0;
  gssize n = 1;
  while (n != 0 && length < SEGUE_NODE_MAX_BYTES + 1) {
    errno = ENOMEM;
    n = text ? read (fd, text + length, SEGUE_NODE_MAX_BYTES + 1 - length) : -1;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
      close (fd);
      return NULL;
    }
    length += (gsize) n;
  }
  close (fd);
  return segue_node_parse (text, (gssize) length, path, error);
}
