/* Tensors as the bytes of an NPY file, which NumPy reads: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#pragma once

#include <segue/tensor.h>

/** npy_supports: whether NumPy has @dtype. */
gboolean npy_supports (SegueDtype dtype);

/**
 * npy_encode: (transfer full): @tensors, at least one, as one array [n, …], in the byte order of this machine.
 *
 * %SEGUE_ERROR_DATA if they differ in type or shape.
 */
GBytes *npy_encode (SegueItem *const *tensors, guint n, GError **error);
