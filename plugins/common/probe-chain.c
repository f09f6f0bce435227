/* Streams without a container: a chain of frames, each with its length in its header; their number is not
 * stored. */
#include "probe-private.h"

/* The maximum offset of the first frame. */
#define SYNC_RANGE (128 * 1024)

typedef struct {
  ProbeInput *input;
  ProbeFrameFunc read;
  guint64 start, end;
} Chain;

static gboolean
is_chain (const Chain *chain, guint64 offset, ProbeFrame *frame)
{
  ProbeFrame next;

  return chain->read (chain->input, offset, frame) && offset + frame->length < chain->end &&
         chain->read (chain->input, offset + frame->length, &next) && next.key == frame->key;
}

/* Anywhere but at the start four consecutive frames are required: fewer occur by chance in other audio data. */
static gboolean
begins_at (const Chain *chain, guint64 offset, ProbeFrame *first)
{
  guint64 at = offset;
  ProbeFrame frame;

  if (!is_chain (chain, offset, first))
    return FALSE;
  for (guint i = 0; i < 3 && offset > chain->start; i++) {
    if (!is_chain (chain, at, &frame) || frame.key != first->key)
      return FALSE;
    at += frame.length;
  }
  return TRUE;
}

/* Adds up the frames from @at on; bytes between them are lost. */
static void
walk (const Chain *chain, guint64 at, const ProbeFrame *first, Probe *probe)
{
  guint64 lost = 0;
  double seconds = 0;
  ProbeFrame frame;

  while (at < chain->end && !chain->input->failed &&
         !g_cancellable_is_cancelled (chain->input->cancellable)) {
    if (chain->read (chain->input, at, &frame) && at + frame.length <= chain->end &&
        (frame.key == first->key || is_chain (chain, at, &frame))) {
      seconds += frame.seconds;
      at += frame.length;
    } else {
      lost++;
      at++;
    }
  }
  probe->declared = seconds;
  if (lost)
    probe_note (probe, 1 - (double) lost / (double) (chain->end - chain->start),
                "%" G_GUINT64_FORMAT " bytes in it are not audio", lost);
}

gboolean
probe_chain (ProbeInput *input, const char *container, ProbeFrameFunc read, guint64 start,
             guint64 end, gboolean is_exact, Probe *probe)
{
  const Chain chain = { input, read, start, end };
  guint64 at = start, limit = MIN (end, start + (is_exact ? 1 : SYNC_RANGE));
  ProbeFrame first;

  while (at < limit && !begins_at (&chain, at, &first))
    at++;
  if (at >= limit)
    return FALSE;
  probe_add_part (probe, at, end, NULL);
  probe->container = container;
  walk (&chain, at, &first, probe);
  return TRUE;
}
