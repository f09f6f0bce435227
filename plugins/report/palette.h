/* Colours of both themes, for the page and the pictures.
 *
 * Blue and orange differ for every kind of colour vision. Each text colour has a contrast of at least 4.5 to each
 * background that it is used on (see test-report.c). */
#pragma once

#include <glib.h>

#define REPORT_HEAT_STEPS 9

typedef enum {
  REPORT_COLOUR_PAPER, /* the page */
  REPORT_COLOUR_CARD,  /* a section on it */
  REPORT_COLOUR_INK,   /* text */
  REPORT_COLOUR_MUTED, /* secondary text */
  REPORT_COLOUR_RULE,  /* lines and grids */
  REPORT_COLOUR_RIGHT,
  REPORT_COLOUR_WRONG,
  REPORT_COLOUR_ON_DARK, /* text on the upper half of heat, on right and on wrong */
  REPORT_COLOUR_HEAT,    /* and the eight after it */
  REPORT_N_COLOURS = REPORT_COLOUR_HEAT + REPORT_HEAT_STEPS,
} ReportColour;

/** report_colour_name: as in a custom property, without the dashes. */
const char *report_colour_name (ReportColour colour);
/** report_colour_hex: 0xRRGGBB. */
guint report_colour_hex (ReportColour colour, gboolean dark);
/** report_colour_heat: the step for a share from 0 to 1. */
ReportColour report_colour_heat (double share);
/** report_colour_on_heat: the colour of text on it. */
ReportColour report_colour_on_heat (ReportColour heat);
/** report_palette_css: (transfer full): custom properties for both themes, and for each colour one
 * class to fill and one to stroke with. */
char *report_palette_css (void);
