"""Writes docs/performance.md from the results stored by performance.py."""
import json
import os
import platform
from statistics import median

SEGMENT = 160000
PARTS = ["forward", "answers", "train", "frozen", "memory", "predict", "start", "decode", "small", "growth"]

INTRODUCTION = """\
# Performance

`sh tests/bench/performance.sh` installs the programs to compare with into a virtual environment, measures, and
writes this page. Only the figures of the section “Remaining bottlenecks”, and those of decoding by format, are
typed by hand. The programs alternate: each is started once, warms up, and then does one pass at a time (ours,
theirs, ours, …) over the same segments of real music, so that other load on the machine affects all of them alike.
A figure is the median of a program's passes. A ratio is that of two medians, with the smallest and the largest
ratio of paired passes in parentheses. The model is DistilHuBERT of full size. PyTorch runs with sdpa attention,
`inference_mode`, fused AdamW, `set_flush_denormal` and bfloat16 by autocast, both in eager mode and through
`torch.compile`; the faster one counts. A training step is forward, backward, clipping and AdamW. In the
frozen step the conv encoder is not trained (`freeze: feature-encoder`, `freeze_feature_encoder ()`).

The ceiling is the maximum that the processor can reach: products of registers on both cores, hand-written for the
widest instructions available (`tests/bench/ceiling.c`), the best of six bursts in each round of the same run. A
share of the ceiling counts only the operations of matrix products. Peak memory is the high-water mark of a
separate process, including Python and libraries. Top-1 agreement is measured on segments of songs that the model
was not trained on. No pretrained weights were available, so the model was trained from random weights for some
hundred steps, until its predictions differ between segments. A part can be measured again separately
(`sh tests/bench/performance.sh decode growth`); the page is written from the newest result of each part.
"""

# Of profiles (`perf record`, oneDNN's own timing), on the machine named on the page.
LIMITS = """\
## Remaining bottlenecks

- **Forward in bfloat16**: of a product with packed weights, 87 % is oneDNN's kernel, at 514 Gop/s per core, 5 % is
  rounding the other factor, and 6 % is writing with bias and activation. Of a pass, 78 % are kernels, and 5 % is
  the group norm over 65 MB. These changes raised the share of the ceiling from 69 %: weights packed once; sums
  over 128 rows that stay in the cache, with no gap between rows, for which oneDNN has its better kernel; the
  processor's own instruction for rounding; products that a thread keeps (creating one took 4 %); a workspace in
  large pages (1.5 %).
- **int8**: four of a hundred predictions differ, all for segments whose two most probable labels have float32
  logits less than 0.05 apart: the model was trained for minutes, and its confidence is low. The error of the
  logits is 0.034 (root mean square), in bfloat16 0.008; that of ONNX Runtime's dynamic int8 is 0.092. The error
  comes from the convolutions: with the transformer in bfloat16 it is unchanged, with the last four convolutions in
  bfloat16 it is 0.023, with the last five 0.018, with all six 0.012. What that costs was measured on a busy
  machine only: 6, 16 and 34 % of the time. So int8 is not a default: `auto` uses bfloat16, which gives the same
  predictions as float32.
- **Decoding**: with `decode-gstreamer`, 64 % of the processor time is Debian's libvorbis and libogg, which take
  twice as long for a song as the decoder inside ffmpeg, and GStreamer has no element for that decoder. One problem
  was found and fixed: waking a thread for each buffer took 45 % of the time, and the set took 69 s. `decode-libav`
  has ffmpeg's decoder: libavcodec is 58 % of its time, soxr 11 %, system calls and memory 10 %, SHA-256 4 %,
  averaging channels 2 %, the check of every page 1 %. Fixed: an index for seeking that libavformat builds (3 %),
  small blocks that malloc merges again and again (3 %), channels that were interleaved before they were averaged
  (4 %).
- **Decoding compared with librosa**: a ratio of 4 would require 15.3 s; libavcodec and soxr are 70 % of our 17 s.
- **Memory of an index**: 489 bytes are requested per segment, 0.6 kB are resident: 126 for body and id, 106 for
  items and their pointers, 64 for the segment's own metadata, 40 for the trainer's tables, and the rest for its
  share of the song.
"""

# Printed by decode-formats.py.
BY_FORMAT = """\
Decoding by format: `use: decode` (which tries `decode-libav` first) compared with ffmpeg, for 16 songs of the set
and the files that ffmpeg encodes from them; one run of `python3 tests/bench/decode-formats.py BUILD FOLDER`, medians of five
rounds:

| format | `use: decode` | ffmpeg | ratio | of the rounds |
|---|---|---|---|---|
| as they are (Ogg Vorbis, Opus) | 2.32 s | 3.10 s | 1.33× | 1.14–1.53× |
| MP3 | 2.98 s | 3.97 s | 1.33× | 1.12–1.53× |
| AAC | 1.95 s | 2.71 s | 1.39× | 1.14–1.71× |
| FLAC, 16 bits | 2.78 s | 3.12 s | 1.12× | 0.97–1.22× |

FLAC does not reach 1.2×. The decoder is ffmpeg's own and takes half of the time. According to `perf`, 8 % of the
time is the SHA-256 of the file, which identifies its cached result, and 7 % is the checksums of frames, without
which damage would not be detected.
"""


# The machine and the work.

def machine():
    """What a result depends on apart from the programs."""
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        kib = int(file.readline().split()[1])
    return {"processor": names[0] if names else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(kib / 2**20), "system": platform.freedesktop_os_release()["PRETTY_NAME"]}


def operations(config, length):
    """Operations of matrix products for one segment: in a forward pass, a training step, and one whose conv encoder is
    frozen. The input of the first trained weight needs no gradient."""
    encoder, first, channels = 0, 0, 1
    for i, (width, kernel, stride) in enumerate(zip(config["conv_dim"], config["conv_kernel"], config["conv_stride"])):
        length = (length - kernel) // stride + 1
        encoder += 2 * length * width * channels * kernel
        first, channels = (encoder if i == 0 else first), width
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    groups, kernel = config["num_conv_pos_embedding_groups"], config["num_conv_pos_embeddings"]
    projection = 2 * length * channels * hidden
    positional = 2 * length * hidden * hidden // groups * kernel
    layer = 2 * length * (4 * hidden * hidden + 2 * hidden * inner) + 4 * length * length * hidden
    projector = 2 * length * hidden * config["classifier_proj_size"]
    rest = projection + positional + config["num_hidden_layers"] * layer + projector
    return {"forward": encoder + rest, "train": 3 * (encoder + rest) - first, "frozen": encoder + 3 * rest - projection}


# Figures.

def seconds(at):
    return median(at["values"])


def there(at):
    return at is not None and "missing" not in at


def fastest(results, precision):
    """Of PyTorch without and with compilation."""
    found = [results[name] for name in (f"torch {precision}", f"torch-compiled {precision}") if name in results]
    return min(found, key=seconds) if found else None


def ratio(theirs, ours):
    """(of medians, least and greatest of pairs); None where one is missing."""
    if not there(theirs) or not there(ours):
        return None
    pairs = [t / o for t, o in zip(theirs["values"], ours["values"])]
    return seconds(theirs) / seconds(ours), min(pairs), max(pairs)


def share(ours, ceiling, precision, work):
    """Share of the ceiling, per round."""
    rates = [at.get(precision) for at in ceiling["values"]]
    if not there(ours) or None in rates:
        return None
    return median(work / s / 1e9 / rate for s, rate in zip(ours["values"], rates))


def agreement(a, b):
    """Share of segments with the same prediction."""
    if not there(a) or not there(b):
        return None
    same = [max(range(len(x)), key=x.__getitem__) == max(range(len(y)), key=y.__getitem__)
            for x, y in zip(a["logits"], b["logits"])]
    return sum(same) / len(same)


# As text.

def duration(s):
    if s < 1:
        return f"{s * 1e3:.3g} ms" if s < 0.1 else f"{s * 1e3:.0f} ms"
    return f"{s:.2f} s" if s < 100 else f"{s:.0f} s"


def time_of(at):
    return duration(seconds(at)) if there(at) else "not there yet" if at else "–"


def ratio_text(r):
    return f"{r[0]:.2f}× ({r[1]:.2f}–{r[2]:.2f})" if r else "–"


def percent(x):
    return f"{100 * x:.1f} %" if x is not None else "–"


def mebibytes(kib):
    return f"{kib / 1024:.0f} MiB"


def met(*conditions):
    """From conditions that are None where data is missing."""
    return "–" if None in conditions else "yes" if all(conditions) else "**no**"


def at_least(value, limit):
    value = value[0] if isinstance(value, tuple) else value
    return None if value is None else value >= limit


def either(*conditions):
    return True if True in conditions else None if None in conditions else False


def table(heading, rows):
    lines = ["| " + " | ".join(heading) + " |", "|---" * len(heading) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


# Rows of the table of targets: figure, ours, theirs, ratio, share of the ceiling, target, met.

def forward_rows(results, work):
    answers = results.get("answers", {})
    for batch, at in results["forward"].items():
        f32, bf16, int8 = (at[f"segue {p}"] for p in ("float32", "bfloat16", "int8"))
        for precision, ours, limit in (("float32", f32, 0.85), ("bfloat16", bf16, 0.75)):
            theirs = fastest(at, precision)
            r, of_ceiling = ratio(theirs, ours), share(ours, at["ceiling"], precision, int(batch) * work["forward"])
            conditions = [either(at_least(r, 1.5), at_least(of_ceiling, limit))]
            target = f"≥ 1.5×, or ≥ {100 * limit:.0f} % of the ceiling"
            notes = [ratio_text(r)]
            if precision == "bfloat16":
                own = ratio(f32, bf16)
                conditions.append(at_least(own, 1.7))
                target += "; ≥ 1.7× our float32"
                notes += [f"{ratio_text(own)} our float32"] if own else []
            yield (f"forward, {precision}, batch {batch}", time_of(ours), f"PyTorch {time_of(theirs)}",
                   "; ".join(notes), percent(of_ceiling), target, met(*conditions))
        own, same = ratio(bf16, int8), agreement(answers.get("segue float32"), answers.get("segue int8"))
        yield (f"forward, int8, batch {batch}", time_of(int8), f"our bfloat16 {time_of(bf16)}",
               ratio_text(own) + (f"; {percent(same)} the same answers" if same is not None else ""),
               percent(share(int8, at["ceiling"], "int8", int(batch) * work["forward"])),
               "≥ 1.3× our bfloat16, ≥ 99 % the same answers as float32",
               met(at_least(own, 1.3), at_least(same, 0.99)))


def train_rows(results, work):
    for precision, at in results["train"].items():
        ours, theirs = at[f"segue {precision}"], fastest(at, precision)
        r = ratio(theirs, ours)
        yield (f"training step, {precision}, batch 8", time_of(ours), f"PyTorch {time_of(theirs)}", ratio_text(r),
               percent(share(ours, at["ceiling"], precision, 8 * work["train"])), "≥ 1.5×", met(at_least(r, 1.5)))


def frozen_rows(results, work):
    at = results["frozen"]
    for precision in ("float32", "bfloat16"):
        ours, theirs = at[f"segue {precision}"], fastest(at, precision)
        r = ratio(theirs, ours)
        yield (f"frozen conv encoder, {precision}, batch 8", time_of(ours), f"PyTorch {time_of(theirs)}",
               ratio_text(r), percent(share(ours, at["ceiling"], precision, 8 * work["frozen"])), "≥ 2.3×",
               met(at_least(r, 2.3)))
    ours, theirs = at["segue bfloat16"], fastest(at, "float32")
    r = ratio(theirs, ours)
    yield ("frozen conv encoder, ours in bfloat16 against float32", time_of(ours), f"PyTorch {time_of(theirs)}",
           ratio_text(r), "", "≥ 4×", met(at_least(r, 4)))


def memory_rows(results, work):
    for precision in ("float32", "bfloat16"):
        at = results["memory"]["train"]
        ours, theirs = at[f"segue {precision}"], at[f"torch {precision}"]
        r = theirs["peak_kib"] / ours["peak_kib"] if there(ours) else None
        yield (f"peak memory, training, {precision}, batch 8", mebibytes(ours["peak_kib"]) if r else "not there yet",
               f"PyTorch {mebibytes(theirs['peak_kib'])}", f"1/{r:.1f}" if r else "–", "", "≤ 1/3",
               met(at_least(r, 3)))


def predict_rows(results, work):
    at = results["predict"]
    theirs = at["transformers float32"]
    for precision, limit in (("float32", 2), ("auto", 5)):
        ours = at[f"segue {precision}"]
        r = ratio(theirs, ours)
        yield (f"`segue predict`, a song of four minutes, {precision}", time_of(ours),
               f"transformers {time_of(theirs)}", ratio_text(r), "", f"≥ {limit}×", met(at_least(r, limit)))


def start_rows(results, work):
    ours = results["start"]["segue --version"]
    yield ("`segue --version`", time_of(ours), "", "", "", "≤ 10 ms", met(seconds(ours) <= 0.01))


def for_all_songs(one, at):
    """For a program that decoded some of the songs: the time for all of them."""
    scale = at["ffmpeg"]["audio_seconds"] / one["audio_seconds"]
    return {**one, "values": [s * scale for s in one["values"]]}


def decode_rows(results, work):
    """Both decoders; the target is the faster one's."""
    at = results["decode"]
    ours = sorted((name for name in at if name.startswith("segue")), key=lambda name: seconds(at[name]))
    for name, theirs, limit in (("ffmpeg", at["ffmpeg"], 1), ("librosa", for_all_songs(at["librosa"], at), 4)):
        for one in ours:
            r = ratio(theirs, at[one])
            target = (f"≥ {limit}×", met(at_least(r, limit))) if one == ours[0] else ("", "")
            yield (f"`{one.removeprefix('segue ')}`, resample, segment: {at[one]['songs']} songs", time_of(at[one]),
                   f"{name} {time_of(theirs)}", ratio_text(r), "", *target)


def small_rows(results, work):
    ours, theirs = (results["small"][name] for name in ("segue", "librosa, scikit-learn"))
    r = ratio(theirs, ours)
    yield ("`artist-small`: folder to report, cold", time_of(ours), f"librosa, scikit-learn {time_of(theirs)}",
           ratio_text(r), "", "≤ 60 s, ≥ 5×", met(seconds(ours) <= 60, at_least(r, 5)))
    yield ("again with another head", duration(median(ours["again"])), "", "", "", "≤ 5 s",
           met(median(ours["again"]) <= 5))
    yield ("training a head", duration(median(ours["head"])), "", "", "", "≤ 2 s", met(median(ours["head"]) <= 2))


def per_segment(at, n, what):
    return median(at[n][what]) / int(n)


def growth_rows(results, work):
    at = results["growth"]
    sizes = list(at)
    for what, name in (("epoch", "an epoch of training"), ("evaluate", "an evaluation")):
        grown = per_segment(at, sizes[-1], what) / per_segment(at, sizes[-2], what)
        yield (f"{name}: time a segment, 10,000 against 1,000", duration(per_segment(at, sizes[-1], what)),
               duration(per_segment(at, sizes[-2], what)), f"{grown:.2f}×", "", "≤ 1.10×", met(grown <= 1.1))
    peaks = [median(at[n]["peaks"]) for n in sizes]
    yield ("peak memory, 10,000 segments against 100", mebibytes(peaks[-1]), mebibytes(peaks[0]),
           f"{peaks[-1] / peaks[0]:.2f}×", "", "≤ 1.10×", met(peaks[-1] <= 1.1 * peaks[0]))


ROWS = [("forward", forward_rows), ("train", train_rows), ("frozen", frozen_rows), ("memory", memory_rows),
        ("predict", predict_rows), ("start", start_rows), ("decode", decode_rows),
        ("small", small_rows), ("growth", growth_rows)]


# Details by part.

def programs(at, base):
    """Every program of one run, with the reference program of the ratios."""
    for name, one in at.items():
        if name == "ceiling":
            continue
        if not there(one):
            yield (name, "not there yet", "", "", "")
            continue
        yield (name, duration(seconds(one)), len(one["values"]), ratio_text(ratio(one, base)),
               mebibytes(one["peak_kib"]))


PROGRAMS = ["program", "median", "passes", "its time over ours in float32", "peak memory"]


def ceiling_line(at):
    rates = {f: median(v[f] for v in at["ceiling"]["values"]) for f in at["ceiling"]["instructions"]}
    return "Ceilings: " + ", ".join(f"{f} {rate:.0f} Gop/s ({at['ceiling']['instructions'][f]})"
                                    for f, rate in rates.items()) + ".\n"


def turns_detail(title, at, base):
    return f"### {title}\n\n{ceiling_line(at)}\n{table(PROGRAMS, programs(at, at[base]))}"


def forward_detail(results):
    for batch, at in results["forward"].items():
        yield turns_detail(f"Forward, {batch} segment{'s' if batch != '1' else ''} of 10 s", at, "segue float32")


def answers_detail(results):
    at = results["answers"]
    wanted = at["torch float32"]
    rows = [(name, percent(agreement(wanted, one)), percent(agreement(at["segue float32"], one)))
            for name, one in at.items()]
    n = len(wanted["logits"])
    yield f"### Top-1 agreement over {n} segments\n\n" + table(
        ["program", "with PyTorch float32", "with ours in float32"], rows)


def train_detail(results):
    for precision, at in results["train"].items():
        yield turns_detail(f"Training step, batch 8, {precision}", at, f"segue {precision}").replace(
            "ours in float32", f"ours in {precision}")


def frozen_detail(results):
    yield turns_detail("Frozen conv encoder, batch 8", results["frozen"], "segue float32")


def memory_detail(results):
    rows = [({"train": "training", "frozen": "frozen conv encoder"}[what], name,
             mebibytes(one["peak_kib"]) if there(one) else "not there yet")
            for what, at in results["memory"].items() for name, one in at.items()]
    yield "### Peak memory, two steps of batch 8\n\n" + table(["step", "program", "peak"], rows)


def predict_detail(results):
    rows = [(name, time_of(one), mebibytes(median(one["peaks"])) if there(one) else "",
             f"{one['difference']:.2g}" if there(one) else "") for name, one in results["predict"].items()]
    yield "### `segue predict` from start to end: 20 segments of a song of four minutes\n\n" + table(
        ["program", "median", "peak memory", "largest difference of a probability to transformers"], rows)


def start_detail(results):
    yield "### Start-up\n\n" + table(["command", "median"], [(f"`{name}`", time_of(one))
                                                           for name, one in results["start"].items()])


def decode_detail(results):
    rows = [(name, one["songs"], time_of(one), f"{one['audio_seconds'] / seconds(one):.0f}×",
             mebibytes(one["peak_kib"])) for name, one in results["decode"].items()]
    yield ("### Decoding\n\nThe libre music set, decoded to 16 kHz mono float32 on disk, with two processes each. "
           "segue, with each of two decoders, isolates the decoder, checks and hashes each song, syncs it to the cache, "
           "and cuts it into segments of 10 s. ffmpeg runs one process per song, with its soxr resampler. librosa is "
           "`librosa.load` in a pool of two, over every fourth song; the table of targets scales its time to all songs."
           "\n\n" + table(
               ["program", "songs", "median", "real time", "peak of the largest process"], rows) + "\n" + BY_FORMAT)


def small_detail(results):
    rows = [(name, time_of(one), mebibytes(median(one["peak_kib"]))) for name, one in results["small"].items()]
    yield ("### Training on statistics\n\nThe preset `artist-small` on the libre music set, from a folder to a report, "
           "with an empty cache. `tests/bench/small-peer.py` does the same with librosa, soxr and scikit-learn, in a pool "
           "of two: the same segments, copies, features and classifier, without a report. Then the preset again, with "
           "`--set train.model=linear`.\n\n" + table(["program", "median", "peak of the largest process"], rows))


def growth_detail(results):
    rows = [(f"{int(n):,}", duration(median(one["epoch"])), duration(per_segment(results["growth"], n, "epoch")),
             duration(median(one["evaluate"])), duration(per_segment(results["growth"], n, "evaluate")),
             mebibytes(median(one["peaks"]))) for n, one in results["growth"].items()]
    yield ("### Growth\n\nThe small network over segments of 2 s that were decoded before. An epoch is a quarter of the "
           "train stage (4 epochs, including the features that the first one computes, checkpoints and the model's "
           "folder); evaluate is the whole stage.\n\n" +
           table(["segments", "an epoch", "a segment", "evaluate", "a segment", "peak memory"], rows))


DETAILS = {"forward": forward_detail, "answers": answers_detail, "train": train_detail, "frozen": frozen_detail,
           "memory": memory_detail, "predict": predict_detail, "start": start_detail, "decode": decode_detail,
           "small": small_detail, "growth": growth_detail}


# The page.

def libraries(value):
    """Every `library` that programs reported."""
    if isinstance(value, dict):
        found = {value["library"]} if "library" in value else set()
        return found.union(*map(libraries, value.values()))
    return set()


def machines(kept):
    """One line for each machine, with the parts that it measured."""
    parts = {}
    for part, one in kept.items():
        m = one["machine"]
        text = f"{m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}"
        parts.setdefault(text, []).append(part)
    lines = [text if len(parts) == 1 else f"{text} ({', '.join(names)})" for text, names in parts.items()]
    versions = sorted(libraries({part: one["result"] for part, one in kept.items()}))
    return "Measured on: " + "; ".join(lines) + ".\n\nLibraries: " + "; ".join(versions) + ".\n"


def write(folder, path):
    kept = {part: json.loads((folder / f"{part}.json").read_text()) for part in PARTS
            if (folder / f"{part}.json").exists()}
    config = json.loads((folder.parent / "model" / "config.json").read_text())
    results, work = {part: one["result"] for part, one in kept.items()}, operations(config, SEGMENT)
    rows = [row for part, rows_of in ROWS if part in results for row in rows_of(results, work)]
    missing = [part for part in PARTS if part not in results]
    text = [INTRODUCTION, machines(kept),
            f"A segment of 10 s takes {work['forward'] / 1e9:.1f} Gop in a forward pass, {work['train'] / 1e9:.0f} in a "
            f"training step and {work['frozen'] / 1e9:.0f} in a frozen step.\n",
            "## Targets\n",
            table(["figure", "ours", "beside", "ratio", "of the ceiling", "target", "met"], rows)]
    if missing:
        text.append(f"Not measured yet: {', '.join(missing)}.\n")
    text += [LIMITS, "## Details\n"]
    text += [section for part in PARTS if part in results for section in DETAILS[part](results)]
    path.write_text("\n".join(text))
