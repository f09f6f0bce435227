/* Containers of audio: whatever the bytes, an undamaged share and a duration, in short time. */
#include "probe.h"
#include "scratch.h"
#include "standalone.h"

#include <math.h>

/* It can be read from start to end, and nothing after it. */
static void
check_part (const ProbePart *part, size_t size)
{
  guint8 buffer[64];
  guint64 length = probe_part_size (part);
  g_assert_true (part->start <= part->end && part->end <= size);
  g_assert_cmpint (probe_part_read (part, -1, buffer, sizeof buffer, length), ==, 0);
}

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
    check_part (probe_get_part (&probe, i), size);
  return 0;
}
