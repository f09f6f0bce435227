#include "params/model-version.h"
#include "base/build.h"

char *
segue_model_type_fingerprint (const SegueModelType *type)
{
  g_autofree char *own = type->fingerprint ? type->fingerprint () : NULL;
  g_autofree char *build = segue_build_of ((void (*) (void)) type->create);
  return g_strdup_printf ("%s build %s", own ? own : "", build);
}
