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
begin (SegueJson *json, const char *stage)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
  segue_json_init (json, FALSE);
  segue_json_open (json, '{');
  segue_json_key_string (json, "time", time);
  segue_json_key_string (json, "stage", stage);
}

static void
end (SegueJournal *journal, SegueJson *json)
{
  segue_json_close (json, '{');
  g_autofree char *text = segue_json_finish (json);
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  gssize n;
  do {
    n = write (journal->fd, line, strlen (line));
  } while (n < 0 && errno == EINTR);
}

void
segue_journal_log (SegueJournal *journal, const char *stage, GLogLevelFlags level,
                   const char *message)
{
  SegueJson json;
  begin (&json, stage);
  segue_json_key_string (&json, "level", segue_journal_level (level));
  segue_json_key_string (&json, "message", message);
  end (journal, &json);
}

void
segue_journal_scalar (SegueJournal *journal, const char *stage, const char *tag, guint64 step,
                      double value)
{
  SegueJson json;
  begin (&json, stage);
  segue_json_key_string (&json, "scalar", tag);
  segue_json_key (&json, "step");
  segue_json_uint (&json, step);
  segue_json_key (&json, "value");
  if (isfinite (value))
    segue_json_double (&json, value);
  else
    segue_json_null (&json);
  end (journal, &json);
}

void
segue_journal_failed (SegueJournal *journal, const char *stage, const char *id, const char *reason)
{
  SegueJson json;
  begin (&json, stage);
  segue_json_key_string (&json, "failed", id);
  segue_json_key_string (&json, "reason", reason);
  end (journal, &json);
}

void
segue_journal_event (SegueJournal *journal, const char *stage, const char *event)
{
  SegueJson json;
  begin (&json, stage);
  segue_json_key_string (&json, "event", event);
  end (journal, &json);
}
