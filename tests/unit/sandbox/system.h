/* Simulates systems that lack a layer of the sandbox, for the process and its children. */
#pragma once

#include <glib.h>

/** SystemLack: the missing features. */
typedef enum {
  LACKS_NOTHING = 0,
  LACKS_SECCOMP = 1 << 0,
  LACKS_LANDLOCK = 1 << 1,
  LACKS_NAMESPACES = 1 << 2,
} SystemLack;

/** system_lacks: takes effect permanently. %FALSE: not possible here. */
gboolean system_lacks (SystemLack lack);
