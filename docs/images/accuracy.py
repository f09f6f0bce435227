"""Draws the README's picture, test accuracy per artist, from runs' metrics.json to standard output.

    python3 docs/images/accuracy.py runs/*/latest/metrics.json > docs/images/accuracy.svg

Several files (one a seed) are averaged. Standard library only.
"""

import json
import sys
from html import escape

WIDTH, LEFT, ROW, TOP = 720, 170, 30, 58
DARK, LIGHT = "#2f5d8a", "#9dc0de"


def mean(values):
    values = [v for v in values if v is not None]
    return sum(values) / len(values)


def main(paths):
    tests = [json.load(open(path))["test"] for path in paths]
    labels = {}
    for name in sorted({name for test in tests for name in test["labels"]}):
        found = [t["labels"][name] for t in tests if name in t["labels"]]
        labels[name] = (mean(f["segment_accuracy"] for f in found),
                        mean(f["song_accuracy"] for f in found))
    rows = sorted(labels.items(), key=lambda row: (-row[1][1], -row[1][0], row[0]))
    overall = mean(t["segment_accuracy"] for t in tests), mean(t["song_accuracy"] for t in tests)

    height = TOP + ROW * len(rows) + 34
    scale = (WIDTH - LEFT - 64) / 1.0
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
          f'aria-label="Test accuracy per artist" font-family="system-ui, sans-serif" font-size="13">')
    print(f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>')
    print(f'<text x="20" y="28" font-size="16" font-weight="600" fill="#1c2733">'
          f'Which artist is it? {overall[1]:.0%} of whole songs, {overall[0]:.0%} of 10 s segments</text>')
    print(f'<text x="20" y="46" fill="#5b6b7b">Songs that training never saw; '
          f'mean of {len(paths)} random split{"s" if len(paths) > 1 else ""}</text>')
    for i, (name, (segment, song)) in enumerate(rows):
        y = TOP + ROW * i
        print(f'<text x="{LEFT - 10}" y="{y + 18}" text-anchor="end" fill="#1c2733">{escape(name)}</text>')
        print(f'<rect x="{LEFT}" y="{y + 5}" width="{max(2, song * scale):.1f}" height="11" rx="2" fill="{DARK}"/>')
        print(f'<rect x="{LEFT}" y="{y + 17}" width="{max(2, segment * scale):.1f}" height="6" rx="2" fill="{LIGHT}"/>')
        print(f'<text x="{LEFT + song * scale + 6:.1f}" y="{y + 15}" font-size="11" fill="#1c2733">{song:.0%}</text>')
    y = height - 14
    print(f'<rect x="{LEFT}" y="{y - 9}" width="10" height="10" fill="{DARK}"/>'
          f'<text x="{LEFT + 15}" y="{y}" fill="#5b6b7b">songs</text>'
          f'<rect x="{LEFT + 70}" y="{y - 9}" width="10" height="10" fill="{LIGHT}"/>'
          f'<text x="{LEFT + 85}" y="{y}" fill="#5b6b7b">segments</text>')
    print("</svg>")


main(sys.argv[1:])
