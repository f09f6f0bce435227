#include "palette.h"

static const struct {
  const char *name;
  guint light, dark;
} colours[REPORT_N_COLOURS] = {
  [REPORT_COLOUR_PAPER] = { "paper", 0xf4f5f7, 0x101316 },
  [REPORT_COLOUR_CARD] = { "card", 0xffffff, 0x181c20 },
  [REPORT_COLOUR_INK] = { "ink", 0x1a1d21, 0xe8eaed },
  [REPORT_COLOUR_MUTED] = { "muted", 0x565d66, 0xa3abb5 },
  [REPORT_COLOUR_RULE] = { "rule", 0xd4d8dd, 0x363c43 },
  [REPORT_COLOUR_RIGHT] = { "right", 0x1f66b0, 0x6cb0f0 },
  [REPORT_COLOUR_WRONG] = { "wrong", 0xb04a00, 0xffa45c },
  [REPORT_COLOUR_ON_DARK] = { "on-dark", 0xffffff, 0x101316 },
  [REPORT_COLOUR_HEAT + 0] = { "heat-0", 0xf3f6fa, 0x1c2126 },
  [REPORT_COLOUR_HEAT + 1] = { "heat-1", 0xdce9f6, 0x1f2d3d },
  [REPORT_COLOUR_HEAT + 2] = { "heat-2", 0xc3daf0, 0x223a54 },
  [REPORT_COLOUR_HEAT + 3] = { "heat-3", 0xa6c9e8, 0x25486c },
  [REPORT_COLOUR_HEAT + 4] = { "heat-4", 0x86b6df, 0x285684 },
  [REPORT_COLOUR_HEAT + 5] = { "heat-5", 0x2f74b5, 0x5c9ad6 },
  [REPORT_COLOUR_HEAT + 6] = { "heat-6", 0x215f9e, 0x7ab0e3 },
  [REPORT_COLOUR_HEAT + 7] = { "heat-7", 0x164b83, 0x99c6ef },
  [REPORT_COLOUR_HEAT + 8] = { "heat-8", 0x0b3768, 0xbbdcfa },
};

const char *
report_colour_name (ReportColour colour)
{
  return colours[colour].name;
}

guint
report_colour_hex (ReportColour colour, gboolean dark)
{
  return dark ? colours[colour].dark : colours[colour].light;
}

ReportColour
report_colour_heat (double share)
{
  int step = (int) (share * (REPORT_HEAT_STEPS - 1) + 0.5);
  /* A share above 0 is never drawn like 0. */
  if (step == 0 && share > 0)
    step = 1;
  return REPORT_COLOUR_HEAT + (ReportColour) CLAMP (step, 0, REPORT_HEAT_STEPS - 1);
}

ReportColour
report_colour_on_heat (ReportColour heat)
{
  return heat - REPORT_COLOUR_HEAT < 5 ? REPORT_COLOUR_INK : REPORT_COLOUR_ON_DARK;
}

static void
append_theme (GString *css, gboolean dark)
{
  g_string_append_printf (css, ":root{color-scheme:%s", dark ? "dark" : "light");
  for (guint i = 0; i < REPORT_N_COLOURS; i++)
    g_string_append_printf (css, ";--%s:#%06x", colours[i].name, report_colour_hex (i, dark));
  g_string_append_c (css, '}');
}

char *
report_palette_css (void)
{
  GString *css = g_string_new (NULL);
  append_theme (css, FALSE);
  g_string_append (css, "@media (prefers-color-scheme:dark){");
  append_theme (css, TRUE);
  g_string_append_c (css, '}');
  for (guint i = 0; i < REPORT_N_COLOURS; i++)
    g_string_append_printf (css, ".f-%s{fill:var(--%s)}.s-%s{stroke:var(--%s)}", colours[i].name,
                            colours[i].name, colours[i].name, colours[i].name);
  return g_string_free (css, FALSE);
}
