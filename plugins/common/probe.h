/* How much audio a file should contain, according to its container.
 *
 * Decoders stop at the end of a truncated file, or skip damaged parts, without an error (see
 * README.md). A probe reads the container itself, so that a decoder's result can be compared with
 * the declared amount.
 *
 *   WAVE, AIFF, CAF, AU  size of the sample data against the size of the file
 *   ASF                  the play duration in its header
 *   FLAC                 number of samples in STREAMINFO, else in the last frame
 *   MPEG audio           frames in the Xing, Info or VBRI header; bytes that belong to no frame
 *   ADTS, AC-3, DTS      frames; bytes that belong to no frame
 *   Ogg                  granule positions, page numbers, page checksums, the last page
 *   MP4, Matroska        duration of the first audio track, not of the longest track
 *
 * Everything read is checked; a probe never allocates a size that a file specifies.
 */
#pragma once

#include <math.h>
#include <segue/context.h>
#include <segue/error.h>

/**
 * ProbePart: what a decoder gets as a separate file: @header, then bytes @start to @end of the file.
 * @header: (nullable) (owned): of WAVE, AIFF and MP3, with lengths and chunks that every decoder reads
 */
typedef struct {
  guint64 start, end;
  GBytes *header;
} ProbePart;

/**
 * Probe:
 * @container: for messages; %NULL for other formats than those above
 * @declared: s, expected from a decoder; NAN where the file does not declare it
 * @intact: undamaged share of the container, 0 … 1
 * @damage: (nullable) (owned): what is wrong where @intact is below 1
 * @refusal: (nullable) (owned): why it is not a song at all: “is a web page (HTML)”
 * @remark: (nullable) (owned): odd, but nothing is missing
 * @parts: (owned): #ProbePart, each for a separate decoder: without the tags around the sound, one per link of a
 *   chained Ogg file; at least one
 * @trusts_decoder: whether a duration reported by a demuxer is declared in the file (WavPack), not
 *   estimated from the bit rate
 */
typedef struct {
  const char *container;
  double declared;
  double intact;
  char *damage;
  char *refusal;
  char *remark;
  GArray *parts;
  gboolean trusts_decoder;
} Probe;

/** probe_file: @fd is a regular file; its offset is not used. %FALSE only when reading failed or
 * the user cancelled. */
gboolean probe_file (int fd, Probe *probe, GCancellable *cancellable, GError **error);
void probe_clear (Probe *probe);

/** probe_get_part: (transfer none) (nullable): %NULL where there is no part @i. */
const ProbePart *probe_get_part (const Probe *probe, guint i);
/** probe_part_size: bytes, header included. */
guint64 probe_part_size (const ProbePart *part);
/** probe_part_read: as pread(), of @part of the file @fd. */
gssize probe_part_read (const ProbePart *part, int fd, void *buffer, gsize size, guint64 offset);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Probe, probe_clear)
