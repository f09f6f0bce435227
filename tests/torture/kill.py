"""kill -9 at a random moment, then the same command again: it has to end well, with the bytes of an
undisturbed run.

  python3 tests/torture/kill.py [--trials N] [--seed S] [--only I] [--lanes N]

Three kinds of trial alternate: one kill; several consecutive kills; and a cache shared by all of them, with
another seed each time. Moments are drawn uniformly over the length of a run, its start included.  --only repeats
one trial."""
import argparse
import collections
import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import torture

KINDS = ["one kill", "one kill", "kills in a row", "shared cache"]


class Campaign:
    def __init__(self, seed, scratch):
        self.seed = seed
        self.scratch = scratch
        self.music = torture.make_music(scratch)
        self.lock = threading.Lock()
        self.hits = collections.Counter()
        self.leftover_files = self.leftover_processes = self.n_kills = 0
        self.failures = []
        self.reference = torture.Place(scratch, "reference", self.music)
        # GStreamer's plugin registry is created in the first run.
        self.reference.run()
        self.length = 0

    def measure(self, lanes):
        """The duration of an undisturbed run while as many others run."""
        def one(i):
            place = torture.Place(self.scratch, f"measure-{i}", self.music)
            seconds = place.run()
            torture.check_same(place, self.reference)
            return seconds
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            times = list(pool.map(one, range(3 * lanes)))
        self.length = sorted(times)[len(times) // 2]

    def kill_once(self, place, draw, more, length):
        moment = draw.uniform(0, length)
        process = place.start(*more)
        try:
            process.wait(timeout=moment)
            ended = True
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            ended = False
        alone = place.wait_until_alone()
        stage = "had ended" if ended else torture.stage_reached(place) or "start-up"
        with self.lock:
            self.n_kills += not ended
            self.hits[stage] += 1
            self.leftover_processes += not alone
        if not alone:
            raise torture.Failure(f"still running after a kill: {place.processes()}")
        return f"{moment:.4f} s: {stage}"

    def trial(self, index):
        kind = KINDS[index % len(KINDS)]
        draw = random.Random(f"{self.seed}/{index}")
        place = torture.Place(self.scratch, f"trial-{index}", self.music)
        reference, more = self.reference, []
        said = []
        try:
            if kind == "shared cache":
                place.cache = os.path.join(self.scratch, "shared-cache")
                more = ["--set", f"seed={index + 2}"]
                reference = torture.Place(self.scratch, f"reference-{index}", self.music)
                reference.run(*more)
            for i in range(draw.randint(2, 5) if kind == "kills in a row" else 1):
                # Half of it or more is done by then.
                length = self.length / 2 if i else self.length
                said.append(self.kill_once(place, draw, more, length))
            place.run(*more)
            torture.check_same(place, reference)
            with self.lock:
                self.leftover_files += len(place.leftovers())
        except (torture.Failure, subprocess.SubprocessError, OSError) as problem:
            torture.signal_place(place, signal.SIGKILL)
            with self.lock:
                self.failures.append(index)
                print(f"# trial {index} ({kind}) failed: {problem}\n"
                      f"#   kills: {'; '.join(said)}; folder: {place.folder}\n"
                      f"#   again: BUILD={torture.BUILD} python3 tests/torture/kill.py"
                      f" --seed {self.seed} --only {index}", flush=True)
            return
        shutil.rmtree(place.folder)
        if reference is not self.reference:
            shutil.rmtree(reference.folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=torture.amount(4, 16, 1000))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--lanes", type=int, default=2)
    options = parser.parse_args()

    scratch = torture.make_scratch()
    campaign = Campaign(options.seed, scratch)
    campaign.measure(options.lanes)
    indices = range(options.trials) if options.only is None else [options.only]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.lanes) as pool:
        list(pool.map(campaign.trial, indices))

    print(f"# {len(indices)} trials, {campaign.n_kills} kills, {len(campaign.failures)} failed, in"
          f" {time.monotonic() - began:.0f} s; an undisturbed run takes {campaign.length:.2f} s")
    for stage, n in campaign.hits.most_common():
        print(f"#   {n:5} {stage}")
    print(f"# left behind: {campaign.leftover_processes} processes, {campaign.leftover_files}"
          " temporary files in all")
    tap = torture.Tap()
    tap.case("kill -9 and again", lambda: require(campaign))
    torture.keep_or_remove(scratch, campaign.failures)
    tap.end()


def require(campaign):
    if campaign.failures:
        raise torture.Failure(f"trials {campaign.failures} failed")


if __name__ == "__main__":
    main()
