#pragma once

#include <segue/nn/backend.h>

extern const SegueNnBackend segue_nn_backend_onednn;
