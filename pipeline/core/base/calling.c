/* What each thread calls outside of the core. */
#include "base/calling.h"

static _Thread_local SegueCalling current;

SegueCalling
segue_calling_begin (const char *what, const char *name, gboolean can_isolate)
{
  SegueCalling outer = current;
  current = (SegueCalling){ what, name, can_isolate };
  return outer;
}

void
segue_calling_end (SegueCalling outer)
{
  current = outer;
}

SegueCalling
segue_calling_get (void)
{
  return current;
}
