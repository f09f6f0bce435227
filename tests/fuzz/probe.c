/* Containers of audio: whatever the bytes, a share that is whole and a duration, soon. */
#include "probe.h"
#include "scratch.h"
#include "standalone.h"

#include <math.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_auto (Probe) probe = { 0 };
  g_autoptr (GError) error = NULL;
  if (!probe_file (fuzz_fd (data, size), &probe, NULL, &error))
    g_assert_not_reached ();
  g_assert_true (probe.intact >= 0 && probe.intact <= 1);
  g_assert_true (isnan (probe.declared) || (probe.declared >= 0 && isfinite (probe.declared)));
  g_assert_true (probe.intact == 1 || g_utf8_validate (probe.damage, -1, NULL));
  g_assert_cmpuint (probe.parts->len, >, 0);
  for (guint i = 0; i < probe.parts->len; i++)
    g_assert_true (g_array_index (probe.parts, guint64, i) < MAX (size, 1));
  return 0;
}
