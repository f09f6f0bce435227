/* Systems that lack a layer of the sandbox, as far as the process and its children can tell. */
#pragma once

#include <glib.h>

/** SystemLack: what there is not. */
typedef enum {
  LACKS_NOTHING = 0,
  LACKS_SECCOMP = 1 << 0,
  LACKS_LANDLOCK = 1 << 1,
  LACKS_NAMESPACES = 1 << 2,
} SystemLack;

/** system_lacks: from here on, for good.  %FALSE: it can't be arranged here. */
gboolean system_lacks (SystemLack lack);
