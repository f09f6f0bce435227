/* A correct plugin. */
#include <segue/plugin.h>

static gboolean
produce (gpointer instance, SegueContext *context, GError **error)
{
  return TRUE;
}

static const SeguePort *const outputs[] = { SEGUE_PORT ("files", SEGUE_KIND_FILE, "Files."), NULL };
static const SegueStageType nothing = {
  SEGUE_STAGE_TYPE,          .name = "nothing",  .summary = "Emits nothing", .result_version = 1,
  .mode = SEGUE_MODE_SOURCE, .outputs = outputs, .produce = produce,
};
static const SegueStageType *const stages[] = { &nothing, NULL };

SEGUE_PLUGIN (.name = "good", .version = "1.0", .licence = "MIT", .stages = stages)
