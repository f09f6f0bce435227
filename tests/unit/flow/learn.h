/* A plugin of stages with all types of results that the store keeps: folders, items of all kinds, views, messages,
 * curves, counters, skipped items; they count how often they work. */
#pragma once

#include <segue/collect.h>
#include <segue/host/segue.h>

/** Calls since the program began. */
extern gint learn_trained, learn_judged, learn_sifted, learn_tabled, learn_reported;

/** learn_plugin: (transfer none):
 *
 *   learn-scan    SOURCE   `root`, `title`, `style`: files with metadata of these values, label: folder
 *   learn-sift    COLLECT  passes on every item but those of songs with "drop" in their ids, and one
 *                          that derives from each; reads no metadata
 *   learn-train   COLLECT  `epochs`, `into`: a model folder from labels and payloads, live or not
 *   learn-judge   SERIAL   predictions and metrics of audio by a model; skips songs with "odd" (bad
 *                          data) and "late" (a timeout) in their ids
 *   learn-table   COLLECT  predictions as text, with their titles where `titles` requests them
 *   learn-report  COLLECT  copies of the summary of the run (seen.json) and its metrics
 *   learn-stop    COLLECT  ends the run with an error */
const SeguePlugin *learn_plugin (void);
