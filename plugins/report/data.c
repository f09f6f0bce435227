/* data.js: songs and segments for the page's script, written one by one. */
#include "page.h"

#include <math.h>
#include <segue/file.h>
#include <string.h>

#define CHUNK (256 * 1024)

typedef struct {
  SegueFileWriter *writer;
  GString *text;
} Data;

static void
data_clear (Data *data)
{
  g_clear_pointer (&data->writer, segue_file_writer_free);
  g_string_free (data->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Data, data_clear)

static gboolean
flush (Data *data, gsize least, GError **error)
{
  if (data->text->len < least)
    return TRUE;
  gboolean ok = segue_file_writer_write (data->writer, data->text->str, data->text->len, error);
  g_string_truncate (data->text, 0);
  return ok;
}

/* As in JSON, with all but plain ASCII escaped; `<` too. */
static void
append_string (GString *text, const char *value)
{
  g_string_append_c (text, '"');
  for (; *value != '\0'; value = g_utf8_next_char (value)) {
    gunichar c = g_utf8_get_char (value);
    if (c == '"' || c == '\\')
      g_string_append_printf (text, "\\%c", (char) c);
    else if (c >= 0x20 && c < 0x7f && c != '<')
      g_string_append_c (text, (char) c);
    else if (c < 0x10000)
      g_string_append_printf (text, "\\u%04x", c);
    else
      g_string_append_printf (text, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                              0xdc00 + ((c - 0x10000) & 0x3ff));
  }
  g_string_append_c (text, '"');
}

static void
append_name (GString *text, const char *name)
{
  g_string_append_printf (text, "\"%s\":", name);
}

static void
append_number (GString *text, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append (text, isfinite (value) ? g_ascii_formatd (number, sizeof number, "%.7g", value)
                                          : "null");
}

/* Identifies the report that changes collected in a page belong to. */
static void
append_identity (const Report *report, GString *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 0; i < report->table->songs->len; i++) {
    const ReportSong *song = report_table_song (report->table, i);
    const char *label =
      song->label != REPORT_NO_LABEL ? report_table_label (report->table, (guint) song->label) : "";
    g_checksum_update (checksum, (const guchar *) song->id, (gssize) strlen (song->id) + 1);
    g_checksum_update (checksum, (const guchar *) label, (gssize) strlen (label) + 1);
  }
  append_string (text, g_checksum_get_string (checksum));
}

static void
append_head (const Report *report, GString *text)
{
  const char *source = report_summary_stage_id (report->summary, "scan");
  g_string_append (text, "window.segueReport={");
  append_name (text, "id");
  append_identity (report, text);
  g_string_append_printf (text, ",\"judged\":%d,\"model_labels\":%u,", (int) report->judged,
                          report->table->n_model);
  append_name (text, "source");
  append_string (text, source ? source : "songs");
  g_string_append (text, ",\n\"labels\":[");
  for (guint i = 0; i < report->table->labels->len; i++) {
    g_string_append (text, i > 0 ? "," : "");
    append_string (text, report_table_label (report->table, i));
  }
  g_string_append (text, "],\n\"songs\":[");
}

/* [id, set, label, answer, confidence, first segment, count, whether it is unsure] */
static void
append_song (const Report *report, GString *text, const ReportSong *song)
{
  g_string_append_c (text, '[');
  append_string (text, song->id);
  g_string_append_printf (text, ",%d,%d,%u,", song->set, song->label, song->answer);
  append_number (text, (double) song->confidence);
  g_string_append_printf (text, ",%u,%u,%d]", song->first, song->n,
                          report_figures_is_unsure (report->figures, song));
}

/* [song, start, duration, answer, confidence] */
static void
append_segment (GString *text, const ReportSegment *segment)
{
  g_string_append_printf (text, "[%u,", segment->song);
  append_number (text, segment->start);
  g_string_append_c (text, ',');
  append_number (text, segment->duration);
  g_string_append_printf (text, ",%u,", segment->answer);
  append_number (text, (double) segment->confidence);
  g_string_append_c (text, ']');
}

static void
append_clip (const Report *report, GString *text, guint segment)
{
  const ReportClip *clip = report_clips_get (report->clips, segment);
  g_string_append_printf (text, "[%u,", segment);
  if (clip && clip->file) {
    g_autofree char *path = g_strconcat (REPORT_CLIPS "/", clip->file, NULL);
    append_string (text, path);
  } else {
    g_string_append (text, "null,");
    append_string (text, clip && clip->why ? clip->why : "");
  }
  g_string_append_c (text, ']');
}

/* For each wrong segment its number; for those with clips also the clip, and that of the nearest
 * one: [segment, file] or [segment, null, reason]. */
static void
append_wrong (const Report *report, GString *text)
{
  g_string_append (text, "],\n\"wrong\":[");
  for (guint i = 0; i < report->wrong->len; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? "," : "",
                            g_array_index (report->wrong, guint, i));
  g_string_append (text, "],\n\"clips\":[");
  for (guint i = 0; i < report->nearest->len; i++) {
    guint nearest = g_array_index (report->nearest, guint, i);
    g_string_append (text, i > 0 ? ",\n[" : "\n[");
    append_clip (report, text, g_array_index (report->wrong, guint, i));
    g_string_append_c (text, ',');
    if (nearest != G_MAXUINT)
      append_clip (report, text, nearest);
    else
      g_string_append (text, "null");
    g_string_append_c (text, ']');
  }
}

/* [song, similarity, clip of its own segment or null, clip of the twin's or null] */
static void
append_twin (const Report *report, GString *text, const ReportTwin *twin)
{
  const guint pair[] = { twin->own, twin->segment };
  g_string_append_printf (text, "[%u,", twin->song);
  append_number (text, twin->similarity);
  for (guint i = 0; i < G_N_ELEMENTS (pair); i++) {
    g_string_append_c (text, ',');
    if (pair[i] != G_MAXUINT)
      append_clip (report, text, pair[i]);
    else
      g_string_append (text, "null");
  }
  g_string_append_c (text, ']');
}

/* [song, [twin, …]] */
static void
append_explained (const Report *report, GString *text)
{
  g_string_append (text, "],\n\"explained\":[");
  for (guint i = 0; i < report->explained->len; i++) {
    const ReportExplained *explained = &g_array_index (report->explained, ReportExplained, i);
    g_string_append_printf (text, "%s[%u,[", i > 0 ? ",\n" : "\n", explained->song);
    for (guint k = 0; k < explained->n; k++) {
      g_string_append (text, k > 0 ? "," : "");
      append_twin (report, text, &explained->twins[k]);
    }
    g_string_append (text, "]]");
  }
  g_string_append (text, "]};\n");
}

gboolean
report_data_write (const Report *report, const char *path, GError **error)
{
  g_auto (Data)
    data = { .writer = segue_file_writer_new (path, error), .text = g_string_new (NULL) };
  const ReportTable *table = report->table;
  if (!data.writer)
    return FALSE;
  append_head (report, data.text);
  for (guint i = 0; i < table->songs->len; i++) {
    g_string_append (data.text, i > 0 ? ",\n" : "\n");
    append_song (report, data.text, report_table_song (table, i));
    if (!flush (&data, CHUNK, error))
      return FALSE;
  }
  g_string_append (data.text, "],\n\"segments\":[");
  for (guint i = 0; i < table->segments->len; i++) {
    g_string_append (data.text, i > 0 ? ",\n" : "\n");
    append_segment (data.text, report_table_segment (table, i));
    if (!flush (&data, CHUNK, error))
      return FALSE;
  }
  append_wrong (report, data.text);
  append_explained (report, data.text);
  return flush (&data, 0, error) && segue_file_writer_commit (data.writer, error);
}
