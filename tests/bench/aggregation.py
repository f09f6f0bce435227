"""Song accuracy by aggregation and number of segments, from runs' predictions.csv.

    python3 tests/bench/aggregation.py CHART.svg runs/*/latest

Songs of the test set are predicted from 1 … 20 of their segments: random subsets, drawn without replacement, DRAWS
of them per song and size (one where all are taken). Runs are grouped by seed; each run's own song accuracy has to
equal the value computed here for its aggregation, so that the measurement matches segue. A table goes to standard
output. Standard library only.
"""

import csv
import json
import math
import random
import statistics
import sys
from pathlib import Path

DRAWS = 50
SHOWN = (1, 2, 3, 5, 7, 10, 15, 20)
FLT_MIN = 1.1754943508222875e-38
COLOURS = {"mean-probability": "#2f5d8a", "mean-logit": "#c2571a",
           "vote": "#7a8894", "confidence-weighted": "#3a8a5f"}
WAYS = tuple(COLOURS)


class Segment:
    """The summand of one segment in each method."""

    def __init__(self, p):
        entropy = -sum(x * math.log(x) for x in p if x > 0) / math.log(len(p))
        weight = max(1 - entropy, 0)
        best = p.index(max(p))
        self.parts = {"mean-probability": p,
                      "mean-logit": [math.log(max(x, FLT_MIN)) for x in p],
                      "vote": [float(c == best) for c in range(len(p))],
                      "confidence-weighted": [weight * x for x in p]}


def answer(segments, way):
    sums = [sum(column) for column in zip(*(s.parts[way] for s in segments))]
    most = max(sums)
    if way == "vote" and sums.count(most) > 1:
        means = [sum(column) for column in zip(*(s.parts["mean-probability"] for s in segments))]
        return max((c for c in range(len(sums)) if sums[c] == most), key=lambda c: (means[c], -c))
    return sums.index(most)


def read_songs(run):
    """[(truth's number or None, [Segment])] of the test set, in order."""
    csv.field_size_limit(sys.maxsize)
    songs = {}
    with open(run / "predictions.csv", newline="", encoding="utf-8") as file:
        table = csv.reader(file)
        head = next(table)
        labels = [name[2:] for name in head[7:]]
        for row in table:
            if row[0] != "test":
                continue
            truth = labels.index(row[3]) if row[3] in labels else None
            songs.setdefault(row[1], (truth, []))[1].append(Segment([float(x) for x in row[7:]]))
    return list(songs.items())


def accuracy(songs, seed, n):
    """For each method, over draws of at most n segments."""
    right = dict.fromkeys(WAYS, 0.0)
    for name, (truth, segments) in songs:
        whole = n >= len(segments)
        draws = 1 if whole else DRAWS
        chance = random.Random(f"{seed} {name} {n}")
        for _ in range(draws):
            chosen = segments if whole else chance.sample(segments, n)
            for way in WAYS:
                right[way] += (answer(chosen, way) == truth) / draws
    return {way: right[way] / len(songs) for way in WAYS}


def read_runs(folders):
    """seed → songs, after comparing each run with its own figures."""
    seeds = {}
    for folder in map(Path, folders):
        seed = json.load(open(folder / "run.json"))["seed"]
        metrics = json.load(open(folder / "metrics.json"))
        songs = read_songs(folder)
        ours = accuracy(songs, seed, max(len(s) for _, (_, s) in songs))[metrics["aggregation"]]
        theirs = metrics["test"]["song_accuracy"]
        if abs(ours - theirs) > 1e-9:
            sys.exit(f"{folder}: song accuracy by {metrics['aggregation']} is {theirs}, computed here: {ours}")
        seeds[seed] = songs
    return seeds


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else 0.0


def print_table(results, sizes):
    print("| segments per song | " + " | ".join(WAYS) + " |")
    print("|---" * (len(WAYS) + 1) + "|")
    for n in sizes:
        means = {way: statistics.mean(r[n][way] for r in results) for way in WAYS}
        cells = []
        for way in WAYS:
            text = f"{means[way]:.3f} ± {spread([r[n][way] for r in results]):.3f}"
            cells.append(f"**{text}**" if means[way] == max(means.values()) else text)
        print(f"| {n} | " + " | ".join(cells) + " |")
    print()
    print("The difference from mean-probability, for each seed:\n")
    print("| segments per song | " + " | ".join(WAYS[1:]) + " |")
    print("|---" * len(WAYS) + "|")
    for n in sizes:
        cells = []
        for way in WAYS[1:]:
            differences = [r[n][way] - r[n]["mean-probability"] for r in results]
            cells.append(f"{statistics.mean(differences):+.3f} ± {spread(differences):.3f}")
        print(f"| {n} | " + " | ".join(cells) + " |")


def draw(results, sizes):
    """Lines over the number of segments; the band is one standard deviation of the default."""
    width, height, left, top, bottom = 720, 380, 64, 74, 44
    means = {way: [statistics.mean(r[n][way] for r in results) for n in sizes] for way in WAYS}
    spreads = [spread([r[n]["mean-probability"] for r in results]) for n in sizes]
    low = min(m - s for m, s in zip(means["mean-probability"], spreads))
    low = math.floor(min(low, *(min(line) for line in means.values())) * 20) / 20
    high = math.ceil(max(m + s for m, s in zip(means["mean-probability"], spreads)) * 20) / 20

    def x(n):
        return left + (n - sizes[0]) / max(sizes[-1] - sizes[0], 1) * (width - left - 30)

    def y(value):
        return top + (high - value) / (high - low) * (height - top - bottom)

    def path(points):
        return " ".join(f"{x(n):.1f},{y(v):.1f}" for n, v in points)

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
           f'aria-label="Song accuracy by number of segments and aggregation" '
           f'font-family="system-ui, sans-serif" font-size="13">')
    yield f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    yield ('<text x="20" y="28" font-size="16" font-weight="600" fill="#1c2733">'
           'Song accuracy by number of segments</text>')
    at = 20
    for way in WAYS:
        yield f'<rect x="{at}" y="42" width="14" height="4" fill="{COLOURS[way]}"/>'
        yield f'<text x="{at + 19}" y="49" fill="#5b6b7b">{way}</text>'
        at += 36 + 7.4 * len(way)
    step = 0.05 if high - low < 0.5 else 0.1
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        yield f'<line x1="{left}" x2="{width - 30}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e3e8ec"/>'
        yield f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#5b6b7b">{value:.0%}</text>'
    for n in sizes:
        if n in SHOWN:
            yield f'<text x="{x(n):.1f}" y="{height - 26}" text-anchor="middle" fill="#5b6b7b">{n}</text>'
    yield (f'<text x="{(left + width) / 2:.0f}" y="{height - 8}" text-anchor="middle" fill="#5b6b7b">'
           f'segments of 10 s a song; mean of {len(results)} splits, band: one standard deviation</text>')
    upper = [(n, m + s) for n, m, s in zip(sizes, means["mean-probability"], spreads)]
    lower = [(n, m - s) for n, m, s in zip(sizes, means["mean-probability"], spreads)]
    yield f'<polygon points="{path(upper + lower[::-1])}" fill="#9dc0de" opacity="0.35"/>'
    for way in WAYS:
        yield (f'<polyline points="{path(zip(sizes, means[way]))}" fill="none" '
               f'stroke="{COLOURS[way]}" stroke-width="2"/>')
    yield "</svg>"


def main(chart, folders):
    seeds = read_runs(folders)
    sizes = range(1, max(len(s) for songs in seeds.values() for _, (_, s) in songs) + 1)
    results = [{n: accuracy(songs, seed, n) for n in sizes} for seed, songs in sorted(seeds.items())]
    print_table(results, [n for n in sizes if n in SHOWN or n == sizes[-1]])
    Path(chart).write_text("\n".join(draw(results, list(sizes))) + "\n", encoding="utf-8")


main(sys.argv[1], sys.argv[2:])
