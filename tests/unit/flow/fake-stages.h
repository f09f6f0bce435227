/* The stages of the fake plugin: fake-chain.c, fake-promise.c, fake-readers.c, fake-wrong.c. */
#pragma once

#include "fake.h"

extern const SeguePort *const fake_audio_port[];

extern const SegueStageType fake_scan;
extern const SegueStageType fake_decode;
extern const SegueStageType fake_segment;
extern const SegueStageType fake_noise;
extern const SegueStageType fake_live;
extern const SegueStageType fake_maybe;
extern const SegueStageType fake_cheat;
extern const SegueStageType fake_typo;
extern const SegueStageType fake_copies;
extern const SegueStageType fake_embed;
extern const SegueStageType fake_split;
extern const SegueStageType fake_dump;
extern const SegueStageType fake_dump_live;
extern const SegueStageType fake_predict;
extern const SegueStageType fake_table;
extern const SegueStageType fake_promise;
extern const SegueStageType fake_promise_audio;
extern const SegueStageType fake_wrong;
extern const SegueStageType fake_wrong_live;
extern const SegueStageType fake_wrong_collect;
extern const SegueStageType fake_wrong_serial;
