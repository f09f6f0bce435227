/* YAML → tree: values, their positions, and refused input with its messages. */
#include "fixture.h"
#include "yaml/node.h"
#include <string.h>

static SegueNode *
parse (const char *text)
{
  GError *error = NULL;
  SegueNode *node = segue_node_parse (text, -1, "t.yaml", &error);
  g_assert_no_error (error);
  return node;
}

static void
assert_refused (const char *text, gssize length, const char *pattern)
{
  GError *error = NULL;
  g_assert_null (segue_node_parse (text, length, "t.yaml", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  fixture_assert_message (&error, pattern);
}

static void
test_tree (void)
{
  g_autoptr (SegueNode) root = parse ("a: 1\nb: [x, \"2\", ~, null, '']\nc:\n  d: {e: f}\n");
  g_assert_cmpint (root->type, ==, SEGUE_NODE_MAP);
  g_assert_cmpstr (segue_node_get (root, "a")->text, ==, "1");
  g_assert_false (segue_node_get (root, "a")->quoted);
  const SegueNode *b = segue_node_get (root, "b");
  g_assert_cmpuint (b->values->len, ==, 5);
  const SegueNode *two = g_ptr_array_index (b->values, 1);
  g_assert_true (two->quoted);
  g_assert_cmpuint (two->line, ==, 2);
  g_assert_cmpuint (two->column, ==, 8);
  g_assert_cmpint (((SegueNode *) g_ptr_array_index (b->values, 2))->type, ==, SEGUE_NODE_NULL);
  g_assert_cmpint (((SegueNode *) g_ptr_array_index (b->values, 3))->type, ==, SEGUE_NODE_NULL);
  g_assert_cmpint (((SegueNode *) g_ptr_array_index (b->values, 4))->type, ==, SEGUE_NODE_SCALAR);
  const SegueNode *d = segue_node_get (segue_node_get (root, "c"), "d");
  g_assert_cmpstr (segue_node_get (d, "e")->text, ==, "f");
  g_assert_null (segue_node_get (d, "x"));
  g_assert_null (segue_node_get (NULL, "x"));
}

static void
test_json (void)
{
  g_autoptr (SegueNode) root = parse ("{\"a\":[1,2.5,\"\\u00e4\\/\"],\"b\":{\"c\":null}}");
  const SegueNode *a = segue_node_get (root, "a");
  g_assert_cmpstr (((SegueNode *) g_ptr_array_index (a->values, 2))->text, ==, "ä/");
}

static void
test_empty (void)
{
  static const char *const empty[] = { "", "\n", "# only a comment\n", "---\n", "\xef\xbb\xbf" };
  for (guint i = 0; i < G_N_ELEMENTS (empty); i++) {
    g_autoptr (SegueNode) root = parse (empty[i]);
    g_assert_cmpint (root->type, ==, SEGUE_NODE_NULL);
  }
}

static void
test_tags (void)
{
  g_autoptr (SegueNode) root = parse ("a: !!str 5\nb: !!int 5\nc: ! null\nd: !!str\n");
  g_assert_true (segue_node_get (root, "a")->quoted);
  g_assert_false (segue_node_get (root, "b")->quoted);
  g_assert_cmpint (segue_node_get (root, "c")->type, ==, SEGUE_NODE_SCALAR);
  g_assert_cmpint (segue_node_get (root, "d")->type, ==, SEGUE_NODE_SCALAR);
  assert_refused ("a: !python/object x", -1, "t.yaml:1:4: tag '!python/object' * remove it");
}

static void
test_aliases (void)
{
  g_autoptr (SegueNode) root = parse ("a: &x [1, {b: 2}]\nc: *x\n? &k key\n: *k\n");
  const SegueNode *c = segue_node_get (root, "c");
  g_assert_cmpuint (c->values->len, ==, 2);
  g_assert_cmpstr (segue_node_get (g_ptr_array_index (c->values, 1), "b")->text, ==, "2");
  g_assert_cmpstr (segue_node_get (root, "key")->text, ==, "key");
  assert_refused ("a: *nothing", -1, "t.yaml:1:4: alias ?nothing has no anchor*quote*");
  assert_refused ("a: &x [*x]", -1, "t.yaml:1:8: alias ?x is inside the value that it refers to");
}

static void
test_laughs (void)
{
  GString *text = g_string_new ("l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
  for (int i = 1; i < 12; i++)
    g_string_append_printf (text,
                            "l%d: &l%d [*l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d]\n", i,
                            i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
  assert_refused (text->str, -1, "t.yaml:*: aliases expand to more than * write fewer of them");
  g_string_free (text, TRUE);

  /* Few nodes, much text. */
  text = g_string_new ("a: &a \"");
  for (int i = 0; i < 600000; i++)
    g_string_append_c (text, 'x');
  g_string_append (text, "\"\nb: [*a, *a, *a, *a, *a]\n");
  assert_refused (text->str, -1, "t.yaml:*: aliases expand to more than *");
  g_string_free (text, TRUE);
}

static void
test_depth (void)
{
  g_autofree char *open = g_strnfill (100000, '[');
  assert_refused (open, -1, "t.yaml:1:65: nested deeper than 64 levels*");
  g_autoptr (GString) nested = g_string_new (NULL);
  for (int i = 0; i < 64; i++)
    g_string_append_c (nested, '[');
  for (int i = 0; i < 64; i++)
    g_string_append_c (nested, ']');
  g_autoptr (SegueNode) deep = parse (nested->str);
  g_assert_nonnull (deep);
  /* Aliases deepen a tree without brackets. */
  g_autoptr (GString) chain = g_string_new ("- &a0 [x]\n");
  for (int i = 1; i < 80; i++)
    g_string_append_printf (chain, "- &a%d [*a%d]\n", i, i - 1);
  assert_refused (chain->str, -1, "t.yaml:*: aliases expand to more than *");
}

static void
test_bytes (void)
{
  assert_refused ("a: b\nc: \0d", 10, "t.yaml:2:4: a NUL byte*");
  assert_refused ("a: \"\xc3\xa4\xff\"", -1, "t.yaml:1:6: not UTF-8 text*UTF-8*");
  assert_refused ("a: \"x\\0y\"", -1, "t.yaml:1:4: text with a NUL*");
  assert_refused ("a: \x01", -1, "t.yaml:1:4: control characters*remove*");
  g_autofree char *large = g_strnfill (SEGUE_NODE_MAX_BYTES + 1, 'x');
  assert_refused (large, -1, "t.yaml: larger than 1 MiB*");
}

/* As saved by editors on other systems. */
static void
test_encodings (void)
{
  static const char *const texts[] = { "\xef\xbb\xbf"
                                       "a: 1\nb: [x]\n",
                                       "a: 1\r\nb: [x]\r\n",
                                       "\xef\xbb\xbf"
                                       "a: 1\r\nb: [x]",
                                       "a: 1\rb: [x]\r" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (SegueNode) root = parse (texts[i]);
    const SegueNode *b = segue_node_get (root, "b");
    g_assert_cmpstr (segue_node_get (root, "a")->text, ==, "1");
    g_assert_cmpuint (segue_node_get (root, "a")->column, ==, 4);
    g_assert_cmpuint (b->line, ==, 2);
    g_assert_cmpstr (((SegueNode *) g_ptr_array_index (b->values, 0))->text, ==, "x");
  }
  assert_refused ("\xef\xbb\xbf"
                  "a: 1\r\n b: 2",
                  -1, "t.yaml:2:3: *");
  assert_refused ("\xff\xfe"
                  "a\0:\0",
                  6, "t.yaml:1:1: UTF-16 text; save the file with UTF-8 encoding");
  assert_refused ("\xfe\xff"
                  "\0a\0:",
                  6, "t.yaml:1:1: UTF-16 text; *");
  assert_refused ("a\0:\0", 4, "t.yaml:1:1: UTF-16 text; *");
  assert_refused ("\0a\0:", 4, "t.yaml:1:1: UTF-16 text; *");
  assert_refused ("\xff\xfe\0\0a\0\0\0", 8, "t.yaml:1:1: UTF-32 text; *");
}

static void
test_count (void)
{
  g_autoptr (GString) many = g_string_new ("[");
  for (int i = 0; i < 70000; i++)
    g_string_append (many, "1,");
  g_string_append (many, "1]");
  assert_refused (many->str, -1, "t.yaml:1:*: more than 65536 values*");
}

static void
test_keys (void)
{
  assert_refused ("a: 1\nb: 2\n\"a\": 3\n", -1, "t.yaml:3:1: duplicate key 'a'*line 1*");
  assert_refused ("{a: 1}: 2", -1, "t.yaml:1:1: a key must be text*");
  assert_refused ("~: 2", -1, "t.yaml:1:1: a key must be text*");
  assert_refused ("a: &x {b: 1}\nc: {<<: *x}", -1, "t.yaml:2:5: merge keys (<<)*");
  assert_refused ("a: 1\n---\nb: 2\n", -1, "t.yaml:2:1: a second document*");
}

static void
test_syntax (void)
{
  static const struct {
    const char *text, *pattern;
  } cases[] = {
    { "a: [1, 2\nb: 3\n", "t.yaml:2:2: *bracket*" },
    { "a: \"open\n", "t.yaml:1:4: *quote*closed*" },
    { "a:\n\t- b\n", "t.yaml:2:1: *spaces*" },
    { "a: @b\n", "t.yaml:1:4: *quotes*" },
    { "a: b: c\n", "t.yaml:1:5: *quote text*" },
    { "a: {b: c: d}\n", "t.yaml:1:*needs quotes" },
    { "a: {b: 1,, c: 2}\n", "t.yaml:1:*an extra comma" },
    { "a: *\n", "t.yaml:1:*put quotes around text that begins with ?*" },
    { "- a\n-b: c\n", "t.yaml:2:1: *put a space after the -" },
    { "- a\n\u2013 b: c\n", "t.yaml:2:1: *write a plain - in place of the long dash" },
    { "a: {{ b }}\n", "t.yaml:1:*write a variable as \"${name}\"" },
    { "a: !include b.yaml\n", "t.yaml:1:*insert the content of the other one here" },
    { "a: 1\n b: 2\n", "t.yaml:2:3: *indentation*" },
    { "a: \"\\q\"\n", "t.yaml:1:*: *single quotes*" },
    { "%YAML 9.9\n---\na: 1\n", "t.yaml:1:*" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, -1, cases[i].pattern);
}

static void
test_braces (void)
{
  static const struct {
    const char *text, *pattern;
  } cases[] = {
    { "with:\n  layout: {artist}/{album}/{title}\n  root: x\n",
      "t.yaml:2:11: text with braces needs quotes: write \"{artist}/{album}/{title}\"" },
    { "with: { root: x, layout: {artist}/{title}, label: artist }\n",
      "t.yaml:1:26: *write \"{artist}/{title}\"" },
    { "with: { root: ${music}, label: a }\n", "t.yaml:1:15: *write \"${music}\"" },
    { "ä: {a}/b # why\n", "t.yaml:1:4: *write \"{a}/b\"" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, -1, cases[i].pattern);
  /* Flow maps and quoted braces are not errors. */
  guint column;
  g_assert_null (segue_node_braces_hint ("with: { rate: 16000 }", &column));
  g_assert_null (segue_node_braces_hint ("root: ${music}/x", &column));
  g_assert_null (segue_node_braces_hint ("layout: {artist} # why", &column));
  g_assert_null (segue_node_braces_hint ("with: { layout: {artist} }", &column));
  g_assert_null (segue_node_braces_hint ("layout: \"{artist}\"", &column));
  g_assert_null (segue_node_braces_hint ("# layout: {artist}", &column));
  g_assert_null (segue_node_braces_hint ("x: 'unclosed {a}", &column));
  g_assert_null (segue_node_braces_hint ("", &column));
}

static void
test_load (void)
{
  GError *error = NULL;
  g_assert_null (segue_node_load ("/nowhere/p.yaml", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  fixture_assert_message (&error, "*/nowhere/p.yaml*");
  g_assert_null (segue_node_load ("/", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_clear_error (&error);
  /* A file without an end is refused as soon as it is too large. */
  g_assert_null (segue_node_load ("/dev/zero", &error));
  fixture_assert_message (&error, "/dev/zero: larger than 1 MiB*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/node/tree", test_tree);
  g_test_add_func ("/node/json", test_json);
  g_test_add_func ("/node/empty", test_empty);
  g_test_add_func ("/node/tags", test_tags);
  g_test_add_func ("/node/aliases", test_aliases);
  g_test_add_func ("/node/laughs", test_laughs);
  g_test_add_func ("/node/depth", test_depth);
  g_test_add_func ("/node/bytes", test_bytes);
  g_test_add_func ("/node/encodings", test_encodings);
  g_test_add_func ("/node/count", test_count);
  g_test_add_func ("/node/keys", test_keys);
  g_test_add_func ("/node/syntax", test_syntax);
  g_test_add_func ("/node/braces", test_braces);
  g_test_add_func ("/node/load", test_load);
  return g_test_run ();
}
