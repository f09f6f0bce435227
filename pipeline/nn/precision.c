#include <segue/nn/precision.h>

static const char *const names[SEGUE_NN_N_PRECISIONS] = {
  [SEGUE_NN_FLOAT32] = "float32",
  [SEGUE_NN_BFLOAT16] = "bfloat16",
  [SEGUE_NN_INT8] = "int8",
};

gboolean
segue_nn_precision_from_name (const char *name, SegueNnPrecision *precision)
{
  for (guint i = 0; i < SEGUE_NN_N_PRECISIONS; i++) {
    if (g_str_equal (names[i], name)) {
      *precision = (SegueNnPrecision) i;
      return TRUE;
    }
  }
  return FALSE;
}

const char *
segue_nn_precision_get_name (SegueNnPrecision precision)
{
  return names[precision];
}
