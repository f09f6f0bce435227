/* A plugin of small, transparent stages for tests of the executor, and a fixture to run pipelines of
 * them in a temporary folder. */
#pragma once

#include <segue/collect.h>
#include <segue/format.h>
#include <segue/host/segue.h>
#include <segue/model.h>

/** Calls of fake-decode's process () since the program began. */
extern gint fake_decoded;
/* Instances of fake-embed, now and ever. */
extern gint fake_embedders, fake_embedders_opened;

/** fake_plugin: (transfer none): fake-scan, fake-decode … */
const SeguePlugin *fake_plugin (void);

/** FakeMistake: of fake-wrong, for a song ‘a/1.song’: the error that it ends with.
 * @in_run: not only the harness finds it */
typedef struct {
  const char *deed;
  SegueErrorCode code;
  const char *says;
  gboolean in_run;
} FakeMistake;

/** fake_mistakes: the last entry has no deed. */
extern const FakeMistake fake_mistakes[];

typedef struct {
  SegueRegistry *registry;
  char *folder, *music, *cache, *runs;
  char *last_run; /* nullable: its folder */
  GCancellable *cancellable;
  GString *failures; /* "stage id: reason" lines as received by the sink */
  GString *log;
  GString *units; /* "stage: what its progress counts" lines */
  GString
    *data; /* "label: train validation test unset left_out" lines and warnings of the preview */
  gint progress_calls;
  guint64 songs_done;
  guint cancel_after; /* songs; 0: never */
  guint stop_after;   /* likewise: by the sink's return value */
  guint max_handles;  /* open files during a run; 0: the system's limit */
} FlowFixture;

void flow_fixture_init (FlowFixture *fixture);
void flow_fixture_clear (FlowFixture *fixture);
/** flow_fixture_write: a song; its possible content: see fake-decode in fake-chain.c. */
void flow_fixture_write (FlowFixture *fixture, const char *path, const char *content);
/** flow_fixture_write_songs: two songs of anna, one of ben. */
void flow_fixture_write_songs (FlowFixture *fixture);
/** flow_fixture_run: the pipeline of @stages (YAML list text) and @settings (YAML top-level lines). */
gboolean flow_fixture_try_run (FlowFixture *fixture, const char *settings, const char *stages,
                               guint workers, SegueRunResult *result, GError **error);
void flow_fixture_run (FlowFixture *fixture, const char *stages, guint workers,
                       SegueRunResult *result);
/** flow_fixture_read: (transfer full): a file of the last run. */
char *flow_fixture_read (FlowFixture *fixture, const char *name);
/** flow_fixture_count_records: files in the store. */
guint flow_fixture_count_records (FlowFixture *fixture);
/** flow_fixture_list_records: (transfer full): their paths, sorted. */
GPtrArray *flow_fixture_list_records (FlowFixture *fixture);
/** flow_fixture_forget_results: removes results of stages that are not chains. */
void flow_fixture_forget_results (FlowFixture *fixture);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlowFixture, flow_fixture_clear)
