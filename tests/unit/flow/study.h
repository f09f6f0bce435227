/* A pipeline of stages whose results are cached, run in a temporary folder. */
#pragma once

#include "fake.h"
#include "learn.h"

/**
 * Study: settings that may differ between runs.
 * @name: of the pipeline; @learn: id of the stage that learns; @title, @style: metadata of all songs
 * @tail: stages after the others, as YAML
 */
typedef struct {
  SegueRegistry *registry;
  char *folder, *music, *cache, *runs;
  const char *name, *learn, *title, *style, *with, *tail;
  guint64 seed;
  guint workers, length;
  gboolean fresh;
  GString *log;    /* "stage: message" lines of the last run */
  GString *cached; /* names of steps read from the store in the last run, one per line */
} Study;

void study_init (Study *study);
void study_clear (Study *study);
void study_add_song (Study *study, const char *path, const char *content);
/** study_run: the newest run's folder is runs/NAME/latest. */
gboolean study_try_load (Study *study, GError **error);
gboolean study_try_run (Study *study, GError **error);
void study_run (Study *study);
/** study_plan: (transfer full): lines "step: cached N" / "step: computed N why" / "step: later why". */
char *study_plan (Study *study);
/** study_read: (transfer full): a file of the newest run. */
char *study_read (Study *study, const char *name);
/** study_list: (transfer full): all files below @folder, sorted; relative. */
GPtrArray *study_list (const char *folder);
/** study_digest: (transfer full): of the stages' output in the newest run. */
char *study_digest (Study *study);
/** study_assert_work: checks how often stages were called since the last check. */
void study_assert_work (guint sifted, guint trained, guint judged, guint tabled);
/** study_assert_why: checks run.json's reason for stage @id. */
void study_assert_why (Study *study, const char *id, const char *why);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Study, study_clear)
