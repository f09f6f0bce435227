/* What a file plainly is, if no sound: by its first bytes. */
#include <segue/file.h>
#include <string.h>

typedef struct {
  guint offset, length;
  const char *bytes;
  const char *what;
} Magic;

#define AT(offset, bytes, what)                                                                    \
  {                                                                                                \
    offset, sizeof bytes - 1, bytes, what                                                          \
  }

#define MODULE "a tracker module, which has notes and instruments: export it as WAV or FLAC first"
#define CHIP   "a chiptune, which is a program for a sound chip: export it as WAV or FLAC first"

static const Magic magics[] = {
  AT (0, "\x1f\x8b", "a gzip archive: unpack it first"),
  AT (0, "PK\3\4", "a ZIP archive: unpack it first"),
  AT (0, "PK\5\6", "an empty ZIP archive"),
  AT (0, "Rar!\x1a\7", "a RAR archive: unpack it first"),
  AT (0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
  AT (0,
      "\xfd"
      "7zXZ\0",
      "an xz archive: unpack it first"),
  AT (0, "BZh", "a bzip2 archive: unpack it first"),
  AT (0, "\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it first"),
  AT (257, "ustar", "a tar archive: unpack it first"),
  AT (0, "%PDF-", "a PDF document"),
  AT (0, "\xff\xd8\xff", "a picture (JPEG)"),
  AT (0, "\x89PNG\r\n\x1a\n", "a picture (PNG)"),
  AT (0, "GIF8", "a picture (GIF)"),
  AT (0, "II*\0", "a picture (TIFF)"),
  AT (0, "MM\0*", "a picture (TIFF)"),
  AT (8, "WEBP", "a picture (WebP)"),
  AT (4, "ftypavif", "a picture (AVIF)"),
  AT (4, "ftypheic", "a picture (HEIC)"),
  AT (0, "MThd", "a MIDI file, which has notes and no sound"),
  AT (8, "RMID", "a MIDI file, which has notes and no sound"),
  AT (0, "Extended Module: ", MODULE),
  AT (0, "IMPM", MODULE),
  AT (44, "SCRM", MODULE),
  AT (1080, "M.K.", MODULE),
  AT (1080, "M!K!", MODULE),
  AT (1080, "FLT4", MODULE),
  AT (1080, "4CHN", MODULE),
  AT (1080, "6CHN", MODULE),
  AT (1080, "8CHN", MODULE),
  AT (0, "PSID\0", CHIP),
  AT (0, "RSID\0", CHIP),
  AT (0, "NESM\x1a", CHIP),
  AT (0, "SNES-SPC700 Sound File", CHIP),
  AT (0, "Vgm ", CHIP),
  AT (8, "sfbk", "a SoundFont, which has instruments and no song"),
  AT (0,
      "\x7f"
      "ELF",
      "a program"),
  AT (0, "MZ", "a Windows program"),
  AT (0, "SQLite format 3", "an SQLite database"),
  AT (0, "\0\5\x16\7", "what macOS keeps about a file (AppleDouble), not the file itself"),
  AT (0, "\0\0\0\1Bud1", "what macOS keeps about a folder (.DS_Store)"),
  AT (0, "d8:announce", "a BitTorrent file"),
  AT (0, "bplist00", "a property list"),
  AT (0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document"),
  AT (4, "ftypaax ", "an Audible book, which is encrypted"),
};

/* Of text: after white space and without regard to case. */
static const Magic texts[] = {
  AT (0, "<!doctype html", "a web page (HTML)"),
  AT (0, "<html", "a web page (HTML)"),
  AT (0, "<head", "a web page (HTML)"),
  AT (0, "<body", "a web page (HTML)"),
  AT (0, "<!--", "a web page (HTML)"),
  AT (0, "<script", "a web page (HTML)"),
  AT (0, "<?xml", "an XML document"),
  AT (0, "<svg", "a picture (SVG)"),
  AT (0, "#extm3u", "a playlist (M3U)"),
  AT (0, "[playlist]", "a playlist (PLS)"),
  AT (0, "version https://git-lfs", "a Git LFS pointer: run ‘git lfs pull’ to get the file"),
  AT (0, "[internetshortcut]", "a link to a web page"),
};

typedef int (*Compare) (const char *a, const char *b, gsize n);

static int
compare_exactly (const char *a, const char *b, gsize n)
{
  return memcmp (a, b, n);
}

/* (nullable): what the first entry of @table that stands in @start says. */
static const char *
look_up (const Magic *table, guint length, const guint8 *start, gsize n, Compare compare)
{
  for (const Magic *magic = table; magic < table + length; magic++)
    if (n >= magic->offset + magic->length &&
        compare ((const char *) start + magic->offset, magic->bytes, magic->length) == 0)
      return magic->what;
  return NULL;
}

/* A form that a browser or a program sent: two dashes, a boundary, and headers. */
static gboolean
is_multipart (const guint8 *start, gsize n)
{
  return n > 2 && memcmp (start, "--", 2) == 0 && memmem (start, n, "\r\nContent-Disposition:", 22);
}

/* Control characters but those of white space are in no text. */
static gboolean
is_text (const guint8 *start, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (start[i] == 0x7f || (start[i] < 0x20 && !strchr ("\t\n\r\f\x1b", start[i])))
      return FALSE;
  return n > 0 && memchr (start, 0, n) == NULL;
}

static const char *
recognise_text (const guint8 *start, gsize n)
{
  static const char bom[] = "\xef\xbb\xbf";
  gsize at = n >= 3 && memcmp (start, bom, 3) == 0 ? 3 : 0;
  while (at < n && g_ascii_isspace (start[at]))
    at++;
  const char *what = look_up (texts, G_N_ELEMENTS (texts), start + at, n - at, g_ascii_strncasecmp);
  if (what)
    return what;
  if (at < n && (start[at] == '{' || start[at] == '['))
    return "text (JSON?)";
  /* The last character may go on behind the end. */
  const char *end;
  g_utf8_validate ((const char *) start, (gssize) n, &end);
  return (const guint8 *) end + 4 > start + n ? "text" : NULL;
}

const char *
segue_file_recognise (const guint8 *start, gsize n)
{
  n = MIN (n, SEGUE_RECOGNISE_LENGTH);
  const char *what = look_up (magics, G_N_ELEMENTS (magics), start, n, compare_exactly);
  if (what)
    return what;
  if (is_multipart (start, n))
    return "a form (multipart/form-data): send the file alone, as the body of the request";
  return is_text (start, n) ? recognise_text (start, n) : NULL;
}
