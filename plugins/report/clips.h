/* Clips: the passages that people can play in a report, as separate files. */
#pragma once

#include "passage.h"
#include "table.h"

#include <segue/context.h>
#include <segue/dataset.h>

/** ReportClip: of one segment. @file: its name in the folder, or %NULL; @why: the reason where
 * there is none, or %NULL. */
typedef struct {
  guint segment;
  char *file, *why;
} ReportClip;

typedef struct _ReportClips ReportClips;

ReportClips *report_clips_new (const ReportTable *table);
/** report_clips_free: accepts %NULL. */
void report_clips_free (ReportClips *clips);
/** report_clips_want: requests a segment; further requests for it have no effect. */
void report_clips_want (ReportClips *clips, guint segment);
/** report_clips_get: (transfer none) (nullable): %NULL where it was not requested. */
const ReportClip *report_clips_get (const ReportClips *clips, guint segment);
/** report_clips_count: how many there are in the folder. */
guint report_clips_count (const ReportClips *clips);

/**
 * report_clips_make:
 * @items: (nullable): the segments that the model used; if they are audio, for songs whose file is missing or
 *   unreadable; a song's file may be opened only because the run contains the song
 * @music: (nullable): the folder of the songs of a finished run. A run may be untrusted: without @items, no file
 *   outside of this folder is opened
 * @folder: created where any clip is requested
 *
 * Decodes each song once, several in parallel. A clip that can't be made records the reason; errors of the
 * environment end the call.
 */
gboolean report_clips_make (ReportClips *clips, SegueDataset *items, PassageFormat format,
                            const char *music, const char *folder, SegueContext *context,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportClips, report_clips_free)
