"""The songs relabelled on the page have their new labels in the next run, or are excluded.

    check-relabel.py RELABEL_CSV PREDICTIONS_CSV
"""
import csv
import sys


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


wanted = {row["song"]: row["label"] for row in rows(sys.argv[1])}
found = {row["song"]: row["label"] for row in rows(sys.argv[2])}
assert len(wanted) == 3, wanted
assert sum(label == "" for label in wanted.values()) == 1, wanted
for song, label in wanted.items():
    assert found.get(song, "") == label, (song, label, found.get(song))
print(f"ok      {len(wanted)} songs have the labels that were set on the page")
