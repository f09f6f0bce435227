/* The cost of a JSON text, before it is parsed: a text that passes is parsed within the predicted memory, depth
 * and lengths, and a refusal states the position.
 *
 * The first byte selects whether a value is skipped (the key "big"). No byte follows the last byte of the
 * text. */
#include "base/json-scan.h"
#include "scratch.h"
#include "standalone.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static const SegueJsonLimits limits = { "fuzzing", 4096, 16384, 16, 200, NULL };
static const SegueJsonLimits partly = { "fuzzing", 4096, 16384, 16, 200, "big" };
static gsize held, most;

static void *
take (size_t size)
{
  void *memory = malloc (size);
  held += memory ? malloc_usable_size (memory) : 0;
  most = MAX (most, held);
  return memory;
}

static void
give_back (void *memory)
{
  held -= memory ? malloc_usable_size (memory) : 0;
  free (memory);
}

static guint
depth_of (const json_t *value)
{
  guint depth = 0;
  size_t i;
  const char *key;
  json_t *child;
  if (json_is_object (value))
    json_object_foreach ((json_t *) value, key, child) depth = MAX (depth, depth_of (child));
  else if (json_is_array (value))
    json_array_foreach (value, i, child) depth = MAX (depth, depth_of (child));
  else
    return 0;
  return depth + 1;
}

static void
check_parsed (const char *text, gsize length, gboolean leaves_out)
{
  json_error_t problem;
  held = most = 0;
  json_t *value =
    json_loadb (text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &problem);
  /* jansson's own buffer grows with the longest string or number. */
  g_assert_cmpuint (most, <=, limits.memory + 4096);
  if (!value)
    return;
  g_assert_cmpuint (depth_of (value), <=, limits.depth);
  if (leaves_out && json_is_object (value)) {
    const json_t *big = json_object_get (value, "big");
    /* “[0]” has no room for null, and costs almost nothing. */
    g_assert_cmpuint (json_object_size (big), ==, 0);
    g_assert_cmpuint (json_array_size (big), <=, 1);
  }
  json_decref (value);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static gboolean has_begun;
  if (!has_begun)
    json_set_alloc_funcs (take, give_back);
  has_begun = TRUE;
  if (size < 1)
    return 0;
  gboolean leaves_out = data[0] == '-';
  gsize length = size - 1;
  g_autofree char *text = length ? g_memdup2 (data + 1, length) : NULL;
  g_autoptr (GError) error = NULL;
  if (segue_json_scan (text, length, leaves_out ? &partly : &limits, "a.json", NULL, &error)) {
    g_assert_no_error (error);
    check_parsed (text ? text : "", length, leaves_out);
    return 0;
  }
  fuzz_check_error (error);
  g_assert_true (g_str_has_prefix (error->message, "a.json:"));
  return 0;
}
