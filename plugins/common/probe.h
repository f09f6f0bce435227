/* What a file's container says about how much audio there should be.
 *
 * Decoders end at the end of a file that was cut short, or skip what was damaged, without an error
 * (see README.md).  A probe reads the container itself, so that a decoder's result can be compared
 * with what was promised.
 *
 *   WAVE, AIFF   size of the sample data against the size of the file
 *   ASF          the time that it plays, in its header
 *   FLAC         number of samples in STREAMINFO
 *   MPEG audio   number of frames in the Xing, Info or VBRI header; bytes that belong to no frame
 *   Ogg          last granule position, end-of-stream flag, page numbers, page checksums
 *
 * Everything read is checked; a probe never allocates what a file asks for.
 */
#pragma once

#include <segue/segue.h>

/**
 * Probe:
 * @container: for messages; %NULL where it is none of those above
 * @declared: s, of what should come out of a decoder; NAN where the file does not say
 * @intact: share of the container that is whole, 0 … 1
 * @damage: (nullable) (owned): what is wrong where @intact is below 1
 * @parts: (owned): guint64, the offsets in the file at which a decoder should begin: after ID3v2 tags
 *   and, in a chained Ogg file, at each link; one at least
 * @trusts_decoder: whether a duration reported by a demuxer is declared in the file (MP4, Matroska,
 *   WavPack), not estimated from the bit rate
 */
typedef struct {
  const char *container;
  double declared;
  double intact;
  char *damage;
  GArray *parts;
  gboolean trusts_decoder;
} Probe;

/** probe_file: @fd is a regular file; its offset is not used. %FALSE only when reading failed or
 * the user cancelled. */
gboolean probe_file (int fd, Probe *probe, GCancellable *cancellable, GError **error);
void probe_clear (Probe *probe);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Probe, probe_clear)
