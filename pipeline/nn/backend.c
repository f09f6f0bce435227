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
  if (!name)
    name = g_getenv ("SEGUE_BACKEND");
  if (name && *name == '\0')
    name = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (backends); i++) {
    if (name && !g_str_equal (backends[i]->name, name))
      continue;
    if (!backends[i]->usable || backends[i]->usable ())
      return backends[i];
  }
  return NULL;
}

const char *const *
segue_nn_backend_names (void)
{
  return names;
}

/* Increased whenever the results of this library's own loops change. */
#define KERNELS 2

/* The clone of this library's loops for this processor; see NN_VECTORISED in nn-private.h. */
static const char *
vector_class (void)
{
#ifdef SEGUE_NN_HAVE_TARGET_CLONES
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512vl") &&
      __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq") &&
      __builtin_cpu_supports ("avx512cd"))
    return "x86-64-v4";
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return "x86-64-v3";
#endif
  return "baseline";
}

char *
segue_nn_fingerprint (void)
{
  const SegueNnBackend *backend = segue_nn_backend_find (NULL);
  if (!backend)
    return g_strdup (vector_class ());
  /* A library chooses its kernels when it is initialised. */
  if (backend->init)
    backend->init ();
  return g_strdup_printf ("%s %s %s/%d", backend->name,
                          backend->fingerprint ? backend->fingerprint () : "", vector_class (),
                          KERNELS);
}
