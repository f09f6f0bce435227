#!/usr/bin/env python3
"""The first command of README on a library with all kinds of unusual files: it ends with a model, and everything
skipped is reported with its reason. TAP."""

import csv
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SEGUE = os.environ.get("SEGUE") or os.path.join(os.environ["SEGUE_BUILD_ROOT"], "pipeline/cli/segue")
SMALL = ["segment.count=2", "segment.length=4", "train.epochs=1", "train.model.channels=[8]"]

spec = importlib.util.spec_from_file_location("make_library", os.path.join(HERE, "make-library.py"))
library = importlib.util.module_from_spec(spec)
spec.loader.exec_module(library)

n_tests = 0


def ok(condition, name, detail=""):
    global n_tests
    n_tests += 1
    print(f"{'ok' if condition else 'not ok'} {n_tests} - {name}", flush=True)
    if not condition:
        print("\n".join("# " + line for line in str(detail).splitlines()), flush=True)
    return condition


def segue(folder, *arguments):
    env = dict(os.environ, SEGUE_CACHE=os.path.join(folder, "cache"), HOME=folder, LC_ALL="C.UTF-8")
    return subprocess.run([SEGUE, *arguments], cwd=folder, env=env, capture_output=True, timeout=900)


def settings():
    return [word for setting in SMALL for word in ("--set", setting)]


def main():
    failed = False
    with tempfile.TemporaryDirectory(prefix="segue-messy-") as folder:
        music = os.path.join(folder, "Music")
        wanted = library.make(music)
        n_files = sum(len(names) for _, _, names in os.walk(music))
        ok(n_files >= 80, f"{n_files} files")

        seen = segue(folder, "check", "--preset", "artist-cnn", music, "--json", *settings())
        ok(seen.returncode == 0, "check looks at the data", seen.stderr.decode())
        view = json.loads(seen.stdout)

        run = segue(folder, "run", "--preset", "artist-cnn", music, *settings())
        said = run.stderr.decode("utf-8")
        if not ok(run.returncode == 0, "README's command ends well", said):
            sys.exit(1)
        latest = os.path.join(folder, "runs/artist-cnn/latest")
        ok(os.path.exists(os.path.join(latest, "model/model.safetensors")), "there is a model")
        with open(os.path.join(latest, "run.json"), encoding="utf-8") as file:
            record = json.load(file)
        reasons = {item["id"]: item["reason"] for item in record["quarantined"]}
        for path, words in wanted["left_out"].items():
            failed |= not ok(words in reasons.get(path, ""), f"{path!r} is left out with its reason",
                             f"wanted ‘{words}’, got: {reasons.get(path)}")
        more = set(reasons) - set(wanted["left_out"])
        ok(not more, "nothing else is left out", {name: reasons[name] for name in more})
        for label in wanted["labels"]:
            ok(f"‘{label}’" in said, f"label {label!r} is named", said)
        ok(f"{wanted['ignored']} non-audio files ignored" in said, "other files are counted", said)
        ok(".mkv" in said and ".mid" in said, "videos and notes are named", said)
        ok("one recording has two labels" in said, "a recording with two labels is named", said)
        ok(not any(ord(c) < 32 and c != "\n" for c in said), "nothing is written to the terminal as it stands", repr(said))

        with open(os.path.join(latest, "predictions.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        sets = {row["song"]: row["set"] for row in rows}
        ok(len(sets) == wanted["used"], f"{wanted['used']} songs are used", f"{len(sets)}: {sorted(sets)}")
        cover = sets.get("Metallica/Covers/Cover.wav")
        twin = sets.get("Mika/Life in Cartoon Motion/00 Song 0.wav")
        ok(cover is not None and cover == twin, "one recording is in one set", f"{cover}, {twin}")
        labels = {row["label"] for row in view["labels"] if row["train"]}
        ok(labels == {row["label"] for row in rows}, "check saw the same labels", labels)
        ok(len(labels) == 7, "7 labels", labels)
    print(f"1..{n_tests}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
