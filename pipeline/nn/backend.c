#include "backend-openblas.h"

#include <segue/nn/backend.h>

/* The default first. */
static const SegueNnBackend *const backends[] = { &segue_nn_backend_openblas };
static const char *const names[] = { "openblas", NULL };

const SegueNnBackend *
segue_nn_backend_find (const char *name)
{
  if (name == NULL)
    return backends[0];
  for (gsize i = 0; i < G_N_ELEMENTS (backends); i++)
    if (g_str_equal (backends[i]->name, name))
      return backends[i];
  return NULL;
}

const char *const *
segue_nn_backend_names (void)
{
  return names;
}
