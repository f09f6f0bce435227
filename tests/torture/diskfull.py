"""The disk fills up: after a random number of bytes of a run, writing fails with ENOSPC.

  python3 tests/torture/diskfull.py [--offsets N] [--seed S]

Each time the command reports that the disk is full and names the file; finished work is kept (songs are not
decoded again), results of an earlier run and the checkpoint of an interrupted training are unchanged, and with
space again the same command ends with the bytes of an undisturbed run.

Twice: with a preload that counts bytes, and, where mounting is permitted, on a tmpfs that is filled."""
import argparse
import collections
import os
import random
import re
import subprocess

import faultbench
import torture

FULL_WORDS = "disk is full|disk of the cache|make room|no room|not enough room|space"


def files(bench, *keep):
    """Name → digest of the files below the folders @keep of the working folder."""
    found = {}
    for folder in keep:
        for name, path in torture.files_below(str(folder)).items():
            found[str(folder), name] = faultbench.digest(path)
    return found


class Disk:
    """The result of @prepare has to survive a full disk."""

    def __init__(self, bench, reference):
        self.bench, self.reference = bench, reference
        self.said = collections.Counter()

    def check(self, result, before, records):
        bench = self.bench
        self.said[faultbench.generalise(result.error(), bench)] += 1
        found = result.problems()
        if found:
            raise torture.Failure(f"{found}: {result}")
        if result.status == 0:
            # The log, and data cached for convenience: skipped.
            if bench.artefacts() != self.reference:
                raise torture.Failure(f"it claims success, with another result: {result}")
        elif result.status not in (73, 74) or not re.search(FULL_WORDS, result.error() or ""):
            raise torture.Failure(f"not a clear error: {result}")
        elif not re.search("‘.+’", result.error()):
            raise torture.Failure(f"it does not say where: {result}")
        now = files(bench, *{folder for folder, _ in before})
        changed = [name for name in before if now.get(name) != before[name]]
        if changed:
            raise torture.Failure(f"what was there before changed: {changed[:3]}")

    def again(self, n_records):
        """With space again."""
        result = self.bench.plain()
        if self.bench.artefacts() != self.reference:
            raise torture.Failure(f"the rerun has another result: {result}")
        cached = self.bench.report()["counts"]["cached"]
        if cached < n_records:
            raise torture.Failure(f"{n_records} songs had been finished, {cached} were kept")
        if self.bench.temporaries():
            raise torture.Failure(f"left behind: {self.bench.temporaries()}")


def count_records(bench):
    return sum(1 for path in (bench.cache / "records").rglob("*") if path.is_file())


def earlier_run(bench):
    """An earlier run's folder; and of one that was interrupted, the checkpoint."""
    run = (bench.latest()).resolve() if bench.latest().exists() else None
    return [run] if run else []


def by_bytes(disk, template, offset):
    bench = disk.bench
    bench.reset(template)
    before = files(bench, *earlier_run(bench))
    result = bench.run(calls="lock", budget=offset)
    n = min(count_records(bench), faultbench.ARTISTS * faultbench.SONGS)
    disk.check(result, before, n)
    disk.again(n)


def on_tmpfs(disk, template, room):
    """@room: bytes free on the disk when the run begins."""
    bench = disk.bench
    bench.reset(template)
    ballast = bench.work / "ballast"
    stat = os.statvfs(bench.work)
    fill = stat.f_bavail * stat.f_frsize - room
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(fill, 1))
    before = files(bench, *earlier_run(bench))
    result = bench.run()
    n = min(count_records(bench), faultbench.ARTISTS * faultbench.SONGS)
    ballast.unlink()
    disk.check(result, before, n)
    disk.again(n)


def mount(folder, size):
    """Whether a tmpfs could be mounted there."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                          capture_output=True)
    return done.returncode == 0


def each(function, disk, templates, draws):
    for i, draw in enumerate(draws):
        template = templates[i % len(templates)]
        try:
            function(disk, template, draw)
        except torture.Failure as problem:
            raise torture.Failure(f"{template or 'nothing'} there, {draw} bytes: {problem}")
    said = [f"  {n:4} {line}" for line, n in disk.said.most_common()]
    disk.said.clear()
    return "\n".join([f"{len(draws)} offsets", *said])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--offsets", type=int, default=100 if torture.FULL else faultbench.bounded(6))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)

    scratch = torture.make_scratch()
    bench = faultbench.Bench(scratch)
    bench.reset()
    needed = bench.run(calls="lock", budget=1 << 40).written
    reference = bench.artefacts()
    bench.keep("finished")
    faultbench.interrupt_training(bench)
    bench.keep("interrupted")
    disk = Disk(bench, reference)
    templates = [None, "interrupted", "finished"]

    tap = torture.Tap()
    draws = [draw.randrange(needed) for _ in range(options.offsets)]
    print(f"# an undisturbed run writes {needed} bytes")
    tap.case("by bytes written", each, by_bytes, disk, templates, draws)

    # Space for two runs, and the existing files.
    size = 4 * needed + (4 << 20)
    bench.reset()
    if mount(bench.work, size):
        draws = [draw.randrange(4096, needed) for _ in range(options.offsets)]
        try:
            tap.case("on a small tmpfs", each, on_tmpfs, disk, templates, draws)
        finally:
            subprocess.run(["umount", str(bench.work)], check=True)
    else:
        print("# on a small tmpfs: left out, mounting is not permitted here")
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


main()
