/* Transparent stages: small files in, small figures out. */
#include "fake-stages.h"

static const SegueStageType *const stages[] = {
  &fake_scan,         &fake_decode,  &fake_segment,       &fake_noise,      &fake_live,
  &fake_cheat,        &fake_copies,  &fake_split,         &fake_dump,       &fake_dump_live,
  &fake_predict,      &fake_table,   &fake_typo,          &fake_wrong,      &fake_wrong_collect,
  &fake_wrong_serial, &fake_promise, &fake_promise_audio, &fake_wrong_live, &fake_embed,
  &fake_maybe,        NULL
};

static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "fake", .version = "1", .licence = "MIT", .stages = stages);

const SeguePlugin *
fake_plugin (void)
{
  return &plugin;
}
