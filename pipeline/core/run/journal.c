/* log.ndjson: each line is one write to a file opened for appending. */
#include "run/journal.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <segue/error.h>
#include <string.h>
#include <unistd.h>

struct _SegueJournal {
  int fd;
};

SegueJournal *
segue_journal_new (const char *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't write", path);
    return NULL;
  }
  SegueJournal *journal = g_new0 (SegueJournal, 1);
  journal->fd = fd;
  return journal;
}

void
segue_journal_free (SegueJournal *journal)
{
  if (!journal)
    return;
  close (journal->fd);
  g_free (journal);
}

const char *
segue_journal_level (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "error";
  if (level & G_LOG_LEVEL_WARNING)
    return "warning";
  return level & G_LOG_LEVEL_DEBUG ? "debug" : "info";
}

static void
write_line (SegueJournal *journal, const char *text)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  gssize n;
  do {
    n = write (journal->fd, line, strlen (line));
  } while (n < 0 && errno == EINTR);
}

/* Progress comes with every step, counters with every song: not recorded. */
static gboolean
is_journalled (const SegueEvent *event)
{
  switch (event->type) {
  case SEGUE_EVENT_LOG:
  case SEGUE_EVENT_SCALAR:
  case SEGUE_EVENT_ITEM_FAILED:
  case SEGUE_EVENT_STARTED:
  case SEGUE_EVENT_FINISHED:
    return TRUE;
  case SEGUE_EVENT_PROGRESS_UNIT:
  case SEGUE_EVENT_PROGRESS:
  case SEGUE_EVENT_COUNT:
  case SEGUE_EVENT_DATA:
    return FALSE;
  }
  return FALSE;
}

static void
write_event (SegueJson *json, const SegueEvent *event)
{
  switch (event->type) {
  case SEGUE_EVENT_LOG:
    segue_json_key_string (json, "level", segue_journal_level (event->level));
    segue_json_key_string (json, "message", event->text);
    break;
  case SEGUE_EVENT_SCALAR:
    segue_json_key_string (json, "scalar", event->text);
    segue_json_key (json, "step");
    segue_json_uint (json, (guint64) event->n);
    segue_json_key (json, "value");
    if (isfinite (event->value))
      segue_json_double (json, event->value);
    else
      segue_json_null (json);
    break;
  case SEGUE_EVENT_ITEM_FAILED:
    segue_json_key_string (json, "failed", event->text);
    segue_json_key_string (json, "reason", event->error->message);
    break;
  case SEGUE_EVENT_STARTED:
    segue_json_key_string (json, "event", "started");
    break;
  case SEGUE_EVENT_FINISHED:
    segue_json_key_string (json, "event", event->n ? "taken from the cache" : "finished");
    break;
  default:
    break;
  }
}

gboolean
segue_journal_take (gpointer data, const SegueEvent *event)
{
  if (!is_journalled (event))
    return TRUE;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
  SegueJson json;
  segue_json_init (&json, FALSE);
  segue_json_open (&json, '{');
  segue_json_key_string (&json, "time", time);
  segue_json_key_string (&json, "stage", event->stage);
  write_event (&json, event);
  segue_json_close (&json, '{');
  g_autofree char *text = segue_json_finish (&json);
  write_line (data, text);
  return TRUE;
}
