/* ASF (WMA): objects, each with a name of 16 bytes and its size; one of those in the header contains the play
 * duration. Demuxers use it only where the file's size matches, that is, when nothing is missing. */
#include "probe-private.h"

#include <string.h>

#define MAX_OBJECTS  64
#define IS_BROADCAST 1 /* the times were not known when the header was written */

static void
read_properties (const guint8 *p, Probe *probe)
{
  double seconds =
    (double) probe_le64 (p + 64) / 1e7 - (double) probe_le64 (p + 80) / 1e3; /* preroll */

  if (probe_le32 (p + 88) & IS_BROADCAST || !(seconds > 0))
    return;
  probe->declared = seconds;
  probe->trusts_decoder = FALSE;
}

void
probe_asf (ProbeInput *input, guint64 start, Probe *probe)
{
  static const guint8 properties[16] = { 0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
                                         0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65 };
  guint64 at = start + 30; /* after the header's own name, size and count */
  const guint8 *p;

  probe->container = "ASF";
  probe->trusts_decoder = TRUE;
  for (guint i = 0; i < MAX_OBJECTS && (p = probe_peek (input, at, 24)); i++) {
    guint64 size = probe_le64 (p + 16);

    if (memcmp (p, properties, sizeof properties) == 0) {
      if (size >= 104 && (p = probe_peek (input, at, 104)))
        read_properties (p, probe);
      return;
    }
    if (size < 24 || size > input->size)
      return;
    at += size;
  }
}
