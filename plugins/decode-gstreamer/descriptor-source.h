/* A GStreamer element that reads a part of an open file, with random access.
 *
 * GStreamer's filesrc opens a path, which an isolated stage does not have, and its fdsrc only reads forward:
 * elements that read the end of a file first would get a stream instead. This one does what filesrc does. It
 * does not report the file's name, as GStreamer would guess formats by the extension: equal bytes are decoded
 * equally. */
#pragma once

#include "probe.h"

#include <gst/gst.h>

/** descriptor_source_new: (transfer floating): reads @part of the regular file @fd, and copies both; %NULL with
 * errno where no descriptor is available. The file's position is neither used nor moved. */
GstElement *descriptor_source_new (int fd, const ProbePart *part);
