/* An element that reads a part of an open file, from anywhere in it.
 *
 * GStreamer's filesrc opens a path, of which an isolated stage has none, and its fdsrc only reads on:
 * elements that look at the end of a file first would get a stream instead.  This one does what
 * filesrc does.  It does not tell the file's name, by whose ending GStreamer would guess formats:
 * equal bytes are decoded equally. */
#pragma once

#include "probe.h"

#include <gst/gst.h>

/** descriptor_source_new: (transfer floating): reads @part of the regular file @fd, of both of which it
 * makes a copy of its own; %NULL with errno where there is no descriptor to be had.  The file's position
 * is neither used nor moved. */
GstElement *descriptor_source_new (int fd, const ProbePart *part);
