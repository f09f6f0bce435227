/* A worker that was compromised by its file: it costs that file, and nothing else. */
#include "fixture.h"

#include <string.h>

static const char *const misbehave[] = { "misbehave", NULL };

/* Each is described in hostile-worker.c.
 * @limit: s, of the stage; @code, @says: the error that it costs its song */
typedef struct {
  const char *name;
  double limit;
  int code;
  const char *says;
} Behaviour;

#define CONFUSES(name)                                                                             \
  {                                                                                                \
    name, 20, SEGUE_ERROR_DATA, "confused stage 'misbehave'"                                       \
  }

static const Behaviour hostile[] = {
  CONFUSES ("noise"),
  CONFUSES ("long"),
  CONFUSES ("twisted"),
  CONFUSES ("two-descriptors"),
  CONFUSES ("many-descriptors"),
  CONFUSES ("wrong-way"),
  CONFUSES ("servers-word"),
  CONFUSES ("runs-word"),
  CONFUSES ("no-event"),
  CONFUSES ("descriptor-with-text"),
  CONFUSES ("chatter"),
  CONFUSES ("a-descriptor"),
  CONFUSES ("endless"),
  CONFUSES ("many-bytes"),
  CONFUSES ("not-there"),
  CONFUSES ("short"),
  CONFUSES ("sparse"),
  CONFUSES ("mapped"),
  CONFUSES ("shrinks"),
  CONFUSES ("sealed"),
  CONFUSES ("grows"),
  CONFUSES ("late-buffer"),
  CONFUSES ("no-buffer"),
  CONFUSES ("past-the-end"),
  CONFUSES ("overflow"),
  CONFUSES ("no-rate"),
  CONFUSES ("no-channels"),
  CONFUSES ("odd-frames"),
  CONFUSES ("many-channels"),
  CONFUSES ("too-many-channels"),
  CONFUSES ("wrong-shape"),
  CONFUSES ("endless-shape"),
  CONFUSES ("high-rank"),
  CONFUSES ("no-dtype"),
  CONFUSES ("a-path"),
  CONFUSES ("a-model"),
  CONFUSES ("no-kind"),
  CONFUSES ("another-song"),
  CONFUSES ("an-item-of-its-own"),
  CONFUSES ("an-item-of-no-item"),
  CONFUSES ("a-longer-song"),
  CONFUSES ("bad-metadata"),
  CONFUSES ("the-cores-key"),
  CONFUSES ("much-metadata"),
  CONFUSES ("many-keys"),
  CONFUSES ("many-counters"),
  CONFUSES ("huge-count"),
  CONFUSES ("escape-in-a-counter"),
  CONFUSES ("many-reads"),
  /* A worker that never stops sending has no more time than a silent one. */
  { "flood", 0.05, SEGUE_ERROR_TIMEOUT, "" },
  { "half", 0.5, SEGUE_ERROR_TIMEOUT, "" },
  /* It closes its socket and continues: the core does not wait for it forever. */
  { "closes", 1000, SEGUE_ERROR_TIMEOUT, "" },
  /* Another version, or not a worker: the installation is broken, not the song. */
  { "old", 20, SEGUE_ERROR_FAILED, "" },
  { "early", 20, SEGUE_ERROR_FAILED, "" },
};

static void
test_hostile (gconstpointer data)
{
  const Behaviour *behaviour = data;
  guint handles = isolate_count_handles ();
  g_setenv ("HOSTILE", behaviour->name, TRUE);
  {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, misbehave, NULL, TRUE, behaviour->limit);
    g_autoptr (GError) error = isolate_fixture_refuse (&fixture, "fine");
    g_assert_error (error, SEGUE_ERROR, behaviour->code);
    g_assert_nonnull (strstr (error->message, behaviour->says));
  }
  g_assert_cmpuint (isolate_count_handles (), ==, handles);
}

/* Its log messages are truncated and made printable; that costs no song. */
static void
test_log (void)
{
  for (guint i = 0; i < 2; i++) {
    g_setenv ("HOSTILE", i == 0 ? "talks" : "escapes", TRUE);
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 20);
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) nothing = isolate_fixture_carry (&fixture, "fine", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (fixture.log->len, <, 300 * 1024);
    if (i == 0)
      g_assert_nonnull (strstr (fixture.log->str, "are dropped\n"));
    else
      g_assert_nonnull (strstr (fixture.log->str, "misbehave: one??]0;two??\n"));
  }
}

/* It answers and continues: it has seen its song, and gets no other. */
static void
test_deaf (void)
{
  g_setenv ("HOSTILE", "deaf", TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) nothing = isolate_fixture_carry (&fixture, "fine", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (nothing->len, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autofree char *path = g_strconcat ("/hostile/", hostile[i].name, NULL);
    g_test_add_data_func (path, &hostile[i], test_hostile);
  }
  g_test_add_func ("/hostile/log", test_log);
  g_test_add_func ("/hostile/deaf", test_deaf);
  return g_test_run ();
}
