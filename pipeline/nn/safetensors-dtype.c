/* Element types of safetensors files. */
#include "safetensors-private.h"

#include "vector-math.h"

static const struct {
  const char *name;
  gsize size;
} dtypes[] = {
  [SEGUE_SAFETENSORS_F32] = { "F32", 4 },         [SEGUE_SAFETENSORS_F16] = { "F16", 2 },
  [SEGUE_SAFETENSORS_BF16] = { "BF16", 2 },       [SEGUE_SAFETENSORS_F64] = { "F64", 8 },
  [SEGUE_SAFETENSORS_I64] = { "I64", 8 },         [SEGUE_SAFETENSORS_I32] = { "I32", 4 },
  [SEGUE_SAFETENSORS_I16] = { "I16", 2 },         [SEGUE_SAFETENSORS_I8] = { "I8", 1 },
  [SEGUE_SAFETENSORS_U8] = { "U8", 1 },           [SEGUE_SAFETENSORS_BOOL] = { "BOOL", 1 },
  [SEGUE_SAFETENSORS_U16] = { "U16", 2 },         [SEGUE_SAFETENSORS_U32] = { "U32", 4 },
  [SEGUE_SAFETENSORS_U64] = { "U64", 8 },         [SEGUE_SAFETENSORS_F8_E4M3] = { "F8_E4M3", 1 },
  [SEGUE_SAFETENSORS_F8_E5M2] = { "F8_E5M2", 1 }, [SEGUE_SAFETENSORS_C64] = { "C64", 8 },
  [SEGUE_SAFETENSORS_OTHER] = { "?", 0 },
};

const char *
segue_safetensors_dtype_get_name (SegueSafetensorsDtype dtype)
{
  g_return_val_if_fail ((gsize) dtype < G_N_ELEMENTS (dtypes), NULL);
  return dtypes[dtype].name;
}

gsize
segue_safetensors_dtype_get_size (SegueSafetensorsDtype dtype)
{
  g_return_val_if_fail ((gsize) dtype < G_N_ELEMENTS (dtypes), 0);
  return dtypes[dtype].size;
}

SegueSafetensorsDtype
nn_safetensors_dtype_from_name (const char *name)
{
  for (gsize i = 0; i < SEGUE_SAFETENSORS_OTHER; i++)
    if (g_str_equal (dtypes[i].name, name))
      return (SegueSafetensorsDtype) i;
  return SEGUE_SAFETENSORS_OTHER;
}

gboolean
nn_safetensors_size (SegueSafetensorsDtype dtype, guint n_dims, const gsize *shape,
                     gsize *n_elements, gsize *n_bytes)
{
  gsize n = 1;
  for (guint i = 0; i < n_dims; i++)
    if (!g_size_checked_mul (&n, n, shape[i]))
      return FALSE;
  *n_elements = n;
  return g_size_checked_mul (n_bytes, n, segue_safetensors_dtype_get_size (dtype));
}

gboolean
nn_safetensors_is_float (SegueSafetensorsDtype dtype)
{
  return dtype == SEGUE_SAFETENSORS_F32 || dtype == SEGUE_SAFETENSORS_F16 ||
         dtype == SEGUE_SAFETENSORS_BF16 || dtype == SEGUE_SAFETENSORS_F64;
}

static guint16
read_u16 (const guint8 *from)
{
  return (guint16) (from[0] | from[1] << 8);
}

static guint32
read_u32 (const guint8 *from)
{
  return read_u16 (from) | (guint32) read_u16 (from + 2) << 16;
}

/* IEEE 754 binary16. Subnormals are fraction · 2⁻²⁴, exact in float32. */
static float
float_of_half (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16, exponent = half >> 10 & 31;
  guint32 fraction = half & 1023;
  if (exponent == 31)
    return nn_float_of_bits (sign | 0x7F800000u | fraction << 13);
  if (exponent > 0)
    return nn_float_of_bits (sign | (exponent + 112) << 23 | fraction << 13);
  float value = (float) fraction * 0x1p-24f;
  return sign != 0 ? -value : value;
}

static double
read_f64 (const guint8 *from)
{
  guint64 bits = read_u32 (from) | (guint64) read_u32 (from + 4) << 32;
  double value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

void
nn_safetensors_to_f32 (SegueSafetensorsDtype dtype, gsize n, const guint8 *from, float *to)
{
  for (gsize i = 0; i < n; i++) {
    if (dtype == SEGUE_SAFETENSORS_F32)
      to[i] = nn_float_of_bits (read_u32 (from + 4 * i));
    else if (dtype == SEGUE_SAFETENSORS_BF16)
      to[i] = nn_float_of_bits ((guint32) read_u16 (from + 2 * i) << 16);
    else if (dtype == SEGUE_SAFETENSORS_F16)
      to[i] = float_of_half (read_u16 (from + 2 * i));
    else
      to[i] = (float) read_f64 (from + 8 * i);
  }
}
