/* The type of a file that is not audio, by its first bytes. */
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

#define MODULE  "a tracker module, which has notes and instruments: export it as WAV or FLAC first"
#define CHIP    "a chiptune, which is a program for a sound chip: export it as WAV or FLAC first"
#define TORRENT "a BitTorrent file, not the files that it downloads"

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
  AT (0, "\x04\x22\x4d\x18", "an LZ4 archive: unpack it first"),
  AT (0, "LZIP", "an lzip archive: unpack it first"),
  AT (0, "MSCF\0\0\0\0", "a cabinet archive (CAB): unpack it first"),
  AT (2, "-lh5-", "an LHA archive: unpack it first"),
  AT (7, "**ACE**", "an ACE archive: unpack it first"),
  AT (0, "!<arch>\n", "an archive (ar, deb): unpack it first"),
  AT (257, "ustar", "a tar archive: unpack it first"),
  AT (0, "PAR2\0PKT", "repair data of an archive (PAR2)"),
  AT (0, "Salted__", "encrypted (OpenSSL): decrypt it first"),
  AT (0, "CTENFDAM", "copy-protected (NetEase)"),
  AT (0, "\x7c\xd5\x32\xeb\x86\x02\x7f\x4b", "copy-protected (KuGou)"),
  AT (8, "CDDA", "a shortcut to a track of a CD (CDA), without audio: rip the CD"),
  AT (0, "%PDF-", "a PDF document"),
  AT (0, "\xff\xd8\xff", "a picture (JPEG)"),
  AT (0, "\x89PNG\r\n\x1a\n", "a picture (PNG)"),
  AT (0, "GIF8", "a picture (GIF)"),
  AT (0, "II*\0", "a picture (TIFF)"),
  AT (0, "MM\0*", "a picture (TIFF)"),
  AT (8, "WEBP", "a picture (WebP)"),
  AT (4, "ftypavif", "a picture (AVIF)"),
  AT (4, "ftypheic", "a picture (HEIC)"),
  AT (0, "\0\0\0\x0cJXL ", "a picture (JPEG XL)"),
  AT (0, "\0\0\0\x0cjP  ", "a picture (JPEG 2000)"),
  AT (0, "8BPS", "a picture (Photoshop)"),
  AT (0, "AT&TFORM", "a scanned document (DjVu)"),
  AT (0, "%!PS", "a document (PostScript)"),
  AT (0, "MThd", "a MIDI file, which contains notes and no audio"),
  AT (8, "RMID", "a MIDI file, which contains notes and no audio"),
  AT (0, "FLhd", "a project of FL Studio: export it as WAV or FLAC first"),
  AT (1, "FICHIER GUITAR PRO", "a tablature (Guitar Pro), which contains notes and no audio"),
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
  AT (0, "\xcf\xfa\xed\xfe", "a macOS program"),
  AT (0, "\xca\xfe\xba\xbe", "a program (Java or macOS)"),
  AT (0, "\0asm\1", "a program (WebAssembly)"),
  AT (0, "FWS", "a Flash film"),
  AT (0, "CWS", "a Flash film"),
  AT (0, "ZWS", "a Flash film"),
  AT (0, "wOFF", "a font"),
  AT (0, "wOF2", "a font"),
  AT (0, "OTTO", "a font"),
  AT (0, "\0\1\0\0\0", "a font"),
  AT (0, "L\0\0\0\1\x14\2\0", "a Windows shortcut (LNK), not the file itself"),
  AT (0, "SQLite format 3", "an SQLite database"),
  AT (0, "\0\5\x16\7", "macOS metadata of a file (AppleDouble), not the file itself"),
  AT (0, "\0\0\0\1Bud1", "macOS metadata of a folder (.DS_Store)"),
  AT (0, "d8:announce", TORRENT),
  AT (0, "d13:announce-list", TORRENT),
  AT (0, "d7:comment", TORRENT),
  AT (0, "d10:created by", TORRENT),
  AT (0, "d13:creation date", TORRENT),
  AT (0, "d4:info", TORRENT),
  AT (0, "bplist00", "a property list"),
  AT (0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document"),
  AT (4, "ftypaax ", "an Audible book, which is encrypted"),
};

/* In text: after white space, in any case. */
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
  AT (0, "<asx", "a playlist (ASX)"),
  AT (0, "<smil", "a playlist (SMIL)"),
  AT (0, "<?wpl", "a playlist (WPL)"),
  AT (0, "<?php", "a PHP script"),
  AT (0, "<error", "an error message of a server (XML), not the requested file"),
  AT (0, "#!", "a script"),
  AT (0, "http/1.", "an HTTP response with its header: save only the file"),
  AT (0, "data:", "a data URL: save its content"),
  AT (0, "{\\rtf", "a text document (RTF)"),
  AT (0, "-----begin ", "encrypted or signed text (PGP, PEM)"),
  AT (0, "mime-version:", "an e-mail or a saved web page (MIME)"),
  AT (0, "received:", "an e-mail"),
  AT (0, "return-path:", "an e-mail"),
  AT (0, "from:", "an e-mail or a saved web page (MIME)"),
  AT (0, "file \"", "a cue sheet: the audio is in the file that it names"),
  AT (0, "rem ", "a cue sheet: the audio is in the file that it names"),
  AT (0, "performer \"", "a cue sheet: the audio is in the file that it names"),
  AT (0, "title \"", "a cue sheet: the audio is in the file that it names"),
  AT (0, "[00:", "lyrics (LRC)"),
  AT (0, "[ti:", "lyrics (LRC)"),
  AT (0, "[ar:", "lyrics (LRC)"),
  AT (0, "[al:", "lyrics (LRC)"),
};

typedef int (*Compare) (const char *a, const char *b, gsize n);

static int
compare_exactly (const char *a, const char *b, gsize n)
{
  return memcmp (a, b, n);
}

/* (nullable): the description of the first entry of @table that matches @start. */
static const char *
look_up (const Magic *table, guint length, const guint8 *start, gsize n, Compare compare)
{
  for (const Magic *magic = table; magic < table + length; magic++)
    if (n >= magic->offset + magic->length &&
        compare ((const char *) start + magic->offset, magic->bytes, magic->length) == 0)
      return magic->what;
  return NULL;
}

/* A form that a browser or a program uploaded: two dashes, a boundary, and headers. */
static gboolean
is_multipart (const guint8 *start, gsize n)
{
  return n > 2 && memcmp (start, "--", 2) == 0 && memmem (start, n, "\r\nContent-Disposition:", 22);
}

/* UTF-16 text of Windows: a mark, then two bytes per character, one of which is zero for Latin letters. */
static gboolean
is_wide_text (const guint8 *start, gsize n)
{
  gboolean little = n >= 2 && start[0] == 0xff && start[1] == 0xfe;
  gboolean big = n >= 2 && start[0] == 0xfe && start[1] == 0xff;
  gsize plain = 0;

  for (gsize i = 2; i + 1 < n; i += 2)
    plain += start[i + (little ? 1 : 0)] == 0 && start[i + (little ? 0 : 1)] != 0;
  return (little || big) && n >= 8 && plain >= n / 4;
}

/* Text has no control characters except white space. */
static gboolean
is_text (const guint8 *start, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (start[i] == 0x7f || (start[i] < 0x20 && !strchr ("\t\n\r\f\x1b", start[i])))
      return FALSE;
  return n > 0 && !memchr (start, 0, n);
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
  /* The last character may be truncated. */
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
    return "a form (multipart/form-data): send only the file, as the body of the request";
  if (is_wide_text (start, n))
    return "text (UTF-16)";
  return is_text (start, n) ? recognise_text (start, n) : NULL;
}
