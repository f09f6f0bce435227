"""How many songs of unknown artists are shown as unsure, and how many songs of known artists.

    python3 tests/bench/strangers.py MUSIC [--folds 10] [--seed 1] [--preset artist-small]
        [--shares 5,10,20] [-- --set train.epochs=2]

The artists of MUSIC (a folder each) are split into folds, one artist each unless --folds says otherwise; each fold in
order is the set of unknown artists and a model is trained on the others, a fifth of their songs for the test and a tenth
for validation. Then `segue predict` classifies all songs of unknown artists and all test songs. Tables go to standard
output: for each measure (distance, where the model has one, and confidence), the area under the ROC curve; for each
share of right answers that --none-of-these allows, how many are lost and how many strangers are told.

SEGUE names the command (default: segue on the path), RUNS the folder for runs (default: runs).
Standard library only.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SEGUE, RUNS = os.environ.get("SEGUE", "segue"), Path(os.environ.get("RUNS", "runs"))


def decode(name):
    """A file's name from its form in predictions.csv."""
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), name.encode())


def test_songs(run):
    """path → artist"""
    with open(run / "predictions.csv", newline="", encoding="utf-8") as file:
        return {decode(row["source"]): row["label"] for row in csv.DictReader(file) if row["set"] == "test"}


def predict(run, share, names):
    """What `segue predict --json` says about each of @names. @share: None: the model's own"""
    command = [SEGUE, "predict", "--model", run, "--json", "--null", "-"]
    command[2:2] = ["--none-of-these", share] if share else []
    result = subprocess.run(command, input=b"\0".join(names), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def nearest(answer):
    return answer["label"] or answer["nearest"]


def familiarity(answer, measure):
    """Larger for songs that are more like those of a label."""
    return -answer["distance"] if measure == "distance" else max(answer["probabilities"].values())


def area(known, strangers):
    """Probability that a known song is more familiar than one of an unknown artist: the area under the ROC curve."""
    wins = sum((k > s) + (k == s) / 2 for k in known for s in strangers)
    return wins / (len(known) * len(strangers))


def train(music, artists, work, name, options):
    folder = work / name
    folder.mkdir()
    for artist in artists:
        (folder / artist).symlink_to(music / artist)
    command = [SEGUE, "run", "--preset", options.preset, folder, "--set", f"name={name}", "--set",
               f"seed={options.seed}", "--set", "report.clips=0", "--out", RUNS, *options.more]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return RUNS / name / "latest"


class Count:
    def __init__(self):
        self.right = self.right_lost = self.wrong = self.wrong_told = self.strangers = self.strangers_told = 0

    def add(self, known, answers, strange):
        for truth, answer in zip(known, answers):
            is_right = nearest(answer) == truth
            self.right += is_right
            self.right_lost += is_right and answer["unsure"]
            self.wrong += not is_right
            self.wrong_told += not is_right and answer["unsure"]
        self.strangers += len(strange)
        self.strangers_told += sum(answer["unsure"] for answer in strange)


class Measure:
    """@known, @strange: familiarities of right test songs and of strangers, by fold"""

    def __init__(self):
        self.known, self.strange = [], []

    def add(self, known, strange):
        self.known.append(known)
        self.strange.append(strange)

    def areas(self):
        return [area(*fold) for fold in zip(self.known, self.strange)]

    def pooled(self):
        return area(sum(self.known, []), sum(self.strange, []))

    def told(self, share):
        """The strangers told where exactly @share of the right test songs of all folds are lost: what a threshold that
        knows them would reach."""
        known = sorted(sum(self.known, []))
        strange = sum(self.strange, [])
        limit = known[int(share * len(known))]
        return sum(s < limit for s in strange) / len(strange)


def share_text(part, whole):
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "none"


def measure(options, work):
    music = options.music.resolve()
    artists = sorted(entry.name for entry in music.iterdir() if entry.is_dir())
    folds = options.folds or len(artists)
    counts, measures, rows = {share: Count() for share in options.shares}, {}, []
    for fold in range(folds):
        away = artists[fold::folds]
        run = train(music, [a for a in artists if a not in away], work,
                    f"strangers-{options.preset}-{options.seed}-{fold}", options)
        known = test_songs(run)
        names = sorted(os.fsencode(path) for a in away for path in (music / a).rglob("*")
                       if path.suffix in (".ogg", ".opus", ".mp3", ".flac", ".wav"))
        for share in options.shares:
            answers, strange = (predict(run, share, list(songs)) for songs in (known, names))
            counts[share].add(list(known.values()), answers, strange)
        right = [answer for truth, answer in zip(known.values(), answers) if nearest(answer) == truth]
        for name in ("distance", "confidence") if "distance" in answers[0] else ("confidence",):
            measures.setdefault(name, Measure()).add([familiarity(a, name) for a in right],
                                                     [familiarity(a, name) for a in strange])
        rows.append((", ".join(away), len(known), len(right), len(strange),
                     [m.areas()[-1] for m in measures.values()]))
        print(f"{fold + 1}/{folds}: {rows[-1]}", file=sys.stderr)
    return counts, measures, rows


def report(counts, measures, rows):
    print("| unknown artists | test songs | right | songs of unknown artists |"
          + "".join(f" area, {name} |" for name in measures))
    print("|---|---|---|---|" + "---|" * len(measures))
    for away, known, right, strange, areas in rows:
        print(f"| {away} | {known} | {right} | {strange} |" + "".join(f" {a:.3f} |" for a in areas))
    print()
    print("| measure | area under the ROC curve: all folds together | mean of folds | least | most "
          "| strangers told with 5 % / 10 % of right answers lost |")
    print("|---|---|---|---|---|---|")
    for name, m in measures.items():
        areas = m.areas()
        print(f"| {name} | {m.pooled():.3f} | {sum(areas) / len(areas):.3f} | {min(areas):.3f} | {max(areas):.3f} "
              f"| {m.told(.05):.0%} / {m.told(.1):.0%} |")
    print()
    print("| `--none-of-these` | right answers lost | wrong answers told | strangers told |")
    print("|---|---|---|---|")
    for share, n in counts.items():
        print(f"| {share or 'as the model states'} | {share_text(n.right_lost, n.right)} | "
              f"{share_text(n.wrong_told, n.wrong)} | {share_text(n.strangers_told, n.strangers)} |")


def main():
    arguments = sys.argv[1:]
    more = arguments[arguments.index("--") + 1:] if "--" in arguments else []
    parser = argparse.ArgumentParser()
    parser.add_argument("music", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="artist-small")
    parser.add_argument("--shares", type=lambda text: text.split(","), default=["5", "10", "20"])
    options = parser.parse_args(arguments[:len(arguments) - len(more) - 1] if "--" in arguments else arguments)
    options.more = more
    with tempfile.TemporaryDirectory() as work:
        report(*measure(options, Path(work)))


main()
