/* A backend with all precisions on any processor, in plain loops: so that what the library does around a backend's
 * kernels is tested where there are none. */
#pragma once

#include <segue/nn/backend.h>

extern const SegueNnBackend portable_backend;
