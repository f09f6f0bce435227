"""Damaged audio files decoded in separate processes: the runner survives all of them, and each either gives items
or is skipped with a reason. Without isolation the results are identical, including messages: so the sandbox
denies nothing that a decoder needs."""
import json
import os
import re
import shutil
import subprocess
import time

import torture

# In full 20,000 files, in batches that fit into memory.
FILES, BATCH = (20000, 2000) if torture.FULL else (200, 100)
FIRST = int(os.environ.get("SEGUE_TORTURE_SEED", "0"))
DECODERS = [name for name in ("decode-gstreamer", "decode-libav", "decode-sndfile")
            if os.path.exists(os.path.join(torture.BUILD, "plugins", name, f"segue-{name}.so"))]
# For songs that crash a decoder without isolation, or that took too long.
FATAL = re.compile(r"crash|ended|was cancelled|timed out|killed|memory")
# A run reports skipped files in a few lines, for any number of files.
MAX_LINES = 60


def exported(dataset):
    """Songs that gave items."""
    songs = set()
    for folder, _, names in os.walk(dataset):
        if "metadata.jsonl" in names:
            with open(os.path.join(folder, "metadata.jsonl")) as file:
                songs.update(json.loads(line)["song"] for line in file)
    return songs


def check_said(log):
    with open(log, errors="strict") as file:
        text = file.read()
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise torture.Failure(f"{len(lines)} lines for one run: {lines[:20]}")
    noise = [line for line in lines if re.search(r"CRITICAL|GStreamer-|GLib-|ERROR: Address|assert", line)]
    if noise:
        raise torture.Failure(f"libraries talk to the terminal: {noise[:3]}")
    if any(ord(c) < 32 and c != "\n" for c in text):
        raise torture.Failure("a control character was said")


def check_each(place, music):
    with open(os.path.join(place.latest(), "run.json")) as file:
        run = json.load(file)
    given = {os.path.relpath(path, music) for path in torture.files_below(music).values()}
    left_out = {entry["id"]: entry["reason"] for entry in run["quarantined"]}
    items = exported(place.dataset)
    if items & set(left_out):
        raise torture.Failure(f"both items and left out: {sorted(items & set(left_out))[:5]}")
    if items | set(left_out) != given:
        raise torture.Failure(f"neither: {sorted(given - items - set(left_out))[:5]}")
    for song, reason in left_out.items():
        if not reason or "\n" in reason:
            raise torture.Failure(f"{song}: no reason that can be shown: {reason!r}")
    return items, left_out


def compare(scratch, place, music, first, options, left_out):
    """Once more without isolation. A file that crashes or hangs a decoder there ends the run, and is excluded
    from it."""
    fatal = [song for song, reason in left_out.items() if FATAL.search(reason)]
    for song in fatal:
        os.remove(os.path.join(music, song))
    bare = torture.Place(scratch, f"bare-{first}", music, "mutated-audio.yaml")
    bare.run(*options, "--set", "isolate=false", G_DEBUG=None)
    items, reasons = check_each(bare, music)
    kept = {song: reason for song, reason in left_out.items() if song not in fatal}
    other = [song for song in sorted(set(kept) | set(reasons)) if kept.get(song) != reasons.get(song)]
    # How much of a damaged file GStreamer returns before its threads detect an error is random.
    chance = "decoder=decode-gstreamer" in options and len(other) * 1000 <= len(kept) + len(items)
    if not other and (different := torture.difference(place.dataset, bare.dataset)):
        raise torture.Failure(f"isolated and in the process other sound: {different}")
    if other and not chance:
        raise torture.Failure(f"{other[0]}: isolated {kept.get(other[0])!r}, "
                              f"in the process {reasons.get(other[0])!r}; {len(other)} in all")
    shutil.rmtree(bare.folder)


def batch(scratch, decoder, first, count, kinds):
    music = os.path.join(scratch, f"music-{first}")
    made = os.path.join(scratch, "made")
    subprocess.run([os.path.join(torture.BUILD, "tests", "torture", "mutate-audio"), made, str(first),
                    str(count)], check=True, env=torture.environment())
    for name in os.listdir(made):
        folder = os.path.join(music, name.rsplit(".", 1)[1])
        os.makedirs(folder, exist_ok=True)
        os.rename(os.path.join(made, name), os.path.join(folder, name))
    place = torture.Place(scratch, f"place-{first}", music, "mutated-audio.yaml")
    # Every second batch is not probed before decoding, so that the decoders get the worst files.
    trust = first // BATCH % 2 == 1
    options = ["-j", "2", "--set", f"decoder={decoder}", *(["--set", "decode.completeness=0"] if trust else [])]
    seconds = place.run(*options, G_DEBUG=None)
    check_said(place.log)
    items, left_out = check_each(place, music)
    compare(scratch, place, music, first, options, left_out)
    for reason in left_out.values():
        # The errors, without names and numbers.
        kind = re.sub(r"‘[^’]*’|\d+(\.\d+)?", "…", reason.split("’", 1)[-1])[:60].strip()
        kinds[kind] = kinds.get(kind, 0) + 1
    shutil.rmtree(place.folder)
    shutil.rmtree(music)
    return seconds, len(items), len(left_out)


def mutated(scratch, decoder):
    scratch = os.path.join(scratch, decoder)
    os.mkdir(scratch)
    kinds, seconds, whole, damaged = {}, 0, 0, 0
    for first in range(FIRST, FIRST + FILES, BATCH):
        took, items, left_out = batch(scratch, decoder, first, min(BATCH, FIRST + FILES - first), kinds)
        seconds, whole, damaged = seconds + took, whole + items, damaged + left_out
    if min(whole, damaged) * 20 < FILES:
        raise torture.Failure(f"{whole} with items and {damaged} left out: the damage is one-sided")
    top = sorted(kinds.items(), key=lambda entry: -entry[1])[:12]
    return "\n".join([f"{FILES} files from {FIRST}: {whole} with items, {damaged} left out; "
                      f"{FILES / seconds:.0f} a second"] + [f"{n:6} {kind}" for kind, n in top])


def main():
    tap = torture.Tap()
    scratch = torture.make_scratch()
    for decoder in DECODERS:
        tap.case(f"each damaged file ends with items or with a reason: {decoder}", mutated, scratch, decoder)
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


if __name__ == "__main__":
    main()
