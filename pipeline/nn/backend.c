#include "backend-openblas.h"

#include <segue/nn/backend.h>

#ifdef SEGUE_NN_HAVE_ONEDNN
#include "backend-onednn.h"
#endif

/* The default first. */
static const SegueNnBackend *const backends[] = {
#ifdef SEGUE_NN_HAVE_ONEDNN
  &segue_nn_backend_onednn,
#endif
  &segue_nn_backend_openblas,
};

static const char *const names[] = {
#ifdef SEGUE_NN_HAVE_ONEDNN
  "onednn",
#endif
  "openblas",
  NULL,
};

const SegueNnBackend *
segue_nn_backend_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (backends); i++) {
    if (name != NULL && !g_str_equal (backends[i]->name, name))
      continue;
    if (backends[i]->usable == NULL || backends[i]->usable ())
      return backends[i];
  }
  return NULL;
}

const char *const *
segue_nn_backend_names (void)
{
  return names;
}
