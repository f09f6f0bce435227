/* Clips: the moments that a report lets people listen to, as files of its own. */
#pragma once

#include "sound.h"
#include "table.h"

#include <segue/context.h>

/** ReportClip: of one segment. @file: its name in the folder, or %NULL; @why: why there is none, or
 * %NULL. */
typedef struct {
  guint segment;
  char *file, *why;
} ReportClip;

typedef struct _ReportClips ReportClips;

ReportClips *report_clips_new (const ReportTable *table);
/** report_clips_free: accepts %NULL. */
void report_clips_free (ReportClips *clips);
/** report_clips_want: a segment that is wanted already is wanted once. */
void report_clips_want (ReportClips *clips, guint segment);
/** report_clips_get: (transfer none) (nullable): %NULL where it was not wanted. */
const ReportClip *report_clips_get (const ReportClips *clips, guint segment);
/** report_clips_count: how many there are in the folder. */
guint report_clips_count (const ReportClips *clips);

/**
 * report_clips_make:
 * @audio: (nullable): the audio that the model used, for songs whose file is gone or can't be read; that the run has a
 *   song at all is what allows to open its file
 * @music: (nullable): the folder that the songs of a finished run lie in.  A run may be a stranger's: without
 *   @audio, nothing outside of this folder is opened
 * @folder: is made where anything is wanted
 *
 * Decodes each song once, several at a time.  What can't be had is noted with the clip; errors of the
 * environment end it.
 */
gboolean report_clips_make (ReportClips *clips, SegueDataset *audio, ReportFormat format,
                            const char *music, const char *folder, SegueContext *context,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportClips, report_clips_free)
