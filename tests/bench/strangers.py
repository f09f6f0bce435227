"""How many songs of unknown artists `--none-of-these` rejects, and how many songs of known artists it rejects
wrongly.

    python3 tests/bench/strangers.py MUSIC [--folds 5] [--seed 1] [--preset artist-cnn]
        [--shares 10,20] [-- --set train.epochs=2]

The artists of MUSIC (a folder each) are split into folds; each fold in order is the set of unknown artists and a
model is trained on the others, a fifth of their songs for validation and a fifth for the test. Then `segue
predict` classifies all songs of unknown artists and all test songs. Tables go to standard output. A share needs 1
/ share − 1 correctly predicted validation songs, in each fold.

SEGUE names the command (default: segue on the path), RUNS the folder for runs (default: runs).
Standard library only.
"""

import argparse
import csv
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SEGUE, RUNS = os.environ.get("SEGUE", "segue"), Path(os.environ.get("RUNS", "runs"))
WAYS = ("mean-probability", "mean-logit", "vote", "confidence-weighted")


def decode(name):
    """A file's name from its form in predictions.csv."""
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), name.encode())


def test_songs(run):
    """path → artist"""
    with open(run / "predictions.csv", newline="", encoding="utf-8") as file:
        return {decode(row["source"]): row["label"] for row in csv.DictReader(file) if row["set"] == "test"}


def predict(run, way, share, names):
    """[(label or "" for none, confidence)] in the order of @names."""
    command = [SEGUE, "predict", "--model", run, "--csv", "--top", "1", "--aggregation", way,
               "--none-of-these", share, "--null", "-"]
    result = subprocess.run(command, input=b"\0".join(names), stdout=subprocess.PIPE, check=True)
    rows = csv.DictReader(io.StringIO(result.stdout.decode()))
    return [(row["label"], row["label_1"], float(row["confidence"])) for row in rows]


def area(known, strangers):
    """Probability that a known song has a higher confidence than one of an unknown artist: the area under the ROC
    curve."""
    wins = sum((k > s) + (k == s) / 2 for k in known for s in strangers)
    return wins / (len(known) * len(strangers))


def train(music, artists, work, name, options):
    folder = work / name
    folder.mkdir()
    for artist in artists:
        (folder / artist).symlink_to(music / artist)
    command = [SEGUE, "run", "--preset", options.preset, folder, "--set", f"name={name}", "--set",
               f"seed={options.seed}", "--set", "split.validation=0.2", "--set", "split.test=0.2",
               "--out", RUNS, *options.more]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return RUNS / name / "latest"


class Count:
    def __init__(self):
        self.right = self.right_lost = self.wrong = self.wrong_told = self.strangers = self.strangers_told = 0

    def add(self, known, answers, strange):
        for truth, (label, nearest, _) in zip(known, answers):
            is_right = nearest == truth
            self.right += is_right
            self.right_lost += is_right and not label
            self.wrong += not is_right
            self.wrong_told += not is_right and not label
        self.strangers += len(strange)
        self.strangers_told += sum(not label for label, _, _ in strange)


def share_text(part, whole):
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "none"


def measure(options, work):
    music = options.music.resolve()
    artists = sorted(entry.name for entry in music.iterdir() if entry.is_dir())
    counts = {(way, share): Count() for way in WAYS for share in options.shares}
    areas = {way: [] for way in WAYS}
    for fold in range(options.folds):
        away = artists[fold::options.folds]
        run = train(music, [a for a in artists if a not in away], work,
                    f"strangers-{options.seed}-{fold}", options)
        known = test_songs(run)
        strange = sorted(os.fsencode(path) for a in away for path in (music / a).rglob("*")
                         if path.suffix in (".ogg", ".opus", ".mp3", ".flac", ".wav"))
        for way in WAYS:
            for share in options.shares:
                answers, others = (predict(run, way, share, list(names)) for names in (known, strange))
                counts[way, share].add(list(known.values()), answers, others)
            sure = [c for truth, (_, nearest, c) in zip(known.values(), answers) if nearest == truth]
            areas[way].append(area(sure, [c for _, _, c in others]))
    return counts, areas


def report(counts, areas):
    print("| aggregation | `--none-of-these` | correct predictions rejected | wrong predictions rejected "
          "| songs of unknown artists rejected |")
    print("|---|---|---|---|---|")
    for (way, share), n in counts.items():
        print(f"| {way} | {share} | {share_text(n.right_lost, n.right)} | "
              f"{share_text(n.wrong_told, n.wrong)} | {share_text(n.strangers_told, n.strangers)} |")
    print()
    print("| aggregation | area under the ROC curve, mean of the folds | least | most |")
    print("|---|---|---|---|")
    for way, values in areas.items():
        print(f"| {way} | {sum(values) / len(values):.3f} | {min(values):.3f} | {max(values):.3f} |")


def main():
    arguments = sys.argv[1:]
    more = arguments[arguments.index("--") + 1:] if "--" in arguments else []
    parser = argparse.ArgumentParser()
    parser.add_argument("music", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="artist-cnn")
    parser.add_argument("--shares", type=lambda text: text.split(","), default=["10", "20"])
    options = parser.parse_args(arguments[:len(arguments) - len(more) - 1] if more else arguments)
    options.more = more
    with tempfile.TemporaryDirectory() as work:
        report(*measure(options, Path(work)))


main()
