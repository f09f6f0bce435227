/* JSON documents as text. */
#include <math.h>
#include <segue/json.h>
#include <stdlib.h>

json_t *
segue_json_number (double value)
{
  return isfinite (value) ? json_real (value) : json_null ();
}

char *
segue_json_print (json_t *document, gsize flags)
{
  char *text = json_dumps (document, flags | JSON_ENCODE_ANY);
  char *copy = g_strdup (text ? text : "null");
  free (text);
  json_decref (document);
  return copy;
}
