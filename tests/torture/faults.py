"""Makes each call that can fail fail, in order: the first, the second, the third … open, read, write, fsync,
rename, allocation, with each errno in order.

  python3 tests/torture/faults.py [--sample N] [--only PATTERN] [--messages] [--every-call]

A call is known by its class and by the stack that leads to it; of those with the same stack (one for each song,
each file of a folder, each step) the first, one in the middle and the last fail, unless told otherwise. Whatever
fails, the command ends in time, with an exit status and one line that state the error, or as without the failure;
nothing on disk is damaged, and no failure is recorded for a song: a plain rerun ends with the bytes of an
undisturbed run.

Harmless: a file that can't be removed or closed, a hash that can't be cached, free space that can't be queried,
one thread less, a reason (`chains/`) that is lost. An unreadable song or folder (EACCES) is skipped, by name.
GLib ends the process where its own small allocations fail; then only what is on disk counts."""
import argparse
import collections
import dataclasses
import fnmatch
import re

import faultbench
import torture

# Class, errno (or `short`), whether it has to end well.
FAULTS = [
    ("open", "EIO", False),
    ("open", "EACCES", False),
    ("open", "EMFILE", False),
    ("list", "EIO", False),
    ("read", "EIO", False),
    ("read", "EINTR", True),
    ("read", "short", True),
    ("write", "ENOSPC", False),
    ("write", "EIO", False),
    ("write", "EINTR", True),
    ("write", "short", True),
    ("sync", "EIO", False),
    ("rename", "EIO", False),
    ("rename", "ENOSPC", False),
    ("make", "EACCES", False),
    ("make", "ENOSPC", False),
    ("remove", "EIO", True),
    ("stat", "EIO", False),
    ("lock", "ENOLCK", False),
    ("map", "ENOMEM", False),
    ("memory", "ENOMEM", False),
    ("process", "EMFILE", False),
    ("thread", "EAGAIN", False),
    ("close", "EIO", True),
]
# No songs left, not found, can't create, I/O and resources.
STATUSES = {65, 66, 73, 74}
# How many of them CI has time for.
SAMPLE = 45


@dataclasses.dataclass
class Scenario:
    name: str
    bench: faultbench.Bench
    begins: str  # the content of the working folder; None: empty
    command: list
    reference: object = None

    def run(self, **faults):
        return self.bench.run(self.command, **faults)

    def observe(self, result):
        """Data that has to be the same, whatever happened during the run."""
        return result.out if self.command[0] == "predict" else self.bench.artefacts()


def is_glib_abort(result):
    """GLib ends the process for a small allocation, or for a thread of its own ("gmain")."""
    size = re.search(r"GLib.*failed to allocate (\d+) bytes", result.err)
    small = size is not None and int(size[1]) < faultbench.PAYLOAD
    return small or re.search(r"GLib-ERROR.*creating thread 'g", result.err) is not None


def judge(scenario, fault, result):
    """Errors in the way the command ended."""
    kind, error, harmless = fault
    if kind in ("memory", "thread") and is_glib_abort(result):
        return []
    found = result.problems()
    if found:
        return found
    if result.status == 0:
        left_out = "skipped" in result.err and (error == "EACCES" or re.search(faultbench.AGAIN, result.err))
        same = scenario.observe(result) == scenario.reference
        return [] if same or left_out else ["it claims success, with another result"]
    if harmless:
        return ["it failed, although it could go on"]
    line = result.error()
    # A worker that ended before it could report the reason.
    if result.status == 1 and kind in ("memory", "process") and "segue-worker" in (line or ""):
        return []
    if result.status not in STATUSES:
        return ["its exit status does not say what happened"]
    if scenario.command[0] == "predict" and result.out:
        return []  # the answer in the song's place reports it
    if not line:
        return ["not one line says what went wrong"]
    return [] if re.search("‘.+’|memory|thread", line) else ["the line names nothing"]


def judge_rerun(scenario, failed):
    """@failed: the calls that failed. What they kept from being removed is harmless."""
    again = scenario.run()
    if again.status != 0:
        return [f"the rerun fails: {again}"]
    found = []
    if scenario.observe(again) != scenario.reference:
        found.append("the rerun has another result")
    if "skipped" in again.err:
        found.append(f"the rerun leaves songs out: {again.err}")
    left = [name for name in scenario.bench.temporaries() if name not in failed]
    if left:
        found.append(f"temporary files are left: {left}")
    return found


class Campaign:
    def __init__(self, scenarios, only, every_call):
        self.messages = collections.defaultdict(set)
        self.injected = collections.Counter()
        self.every_call = every_call
        self.moments = {}
        self.groups = [(s, f) for s in scenarios for f in FAULTS
                       if fnmatch.fnmatch(f"{s.name}-{f[0]}-{f[1]}", only)]
        for scenario in {s.name: s for s, _ in self.groups}.values():
            self.moments[scenario.name] = self.count(scenario)

    def moments_of(self, group):
        """The calls of its class that have to fail, from 1."""
        return self.moments[group[0].name][group[1][0]]

    def count(self, scenario):
        scenario.bench.reset(scenario.begins)
        result = scenario.run(calls=",".join(faultbench.CLASSES), sites=True)
        if result.status != 0 or scenario.observe(result) != scenario.reference:
            raise torture.Failure(f"{scenario.name}: while calls are only counted: {result}")
        return {name: self.choose(sites) for name, sites in result.sites.items()}

    def choose(self, sites):
        if self.every_call:
            return range(1, len(sites) + 1)
        calls = collections.defaultdict(list)
        for at, site in enumerate(sites, 1):
            calls[site].append(at)
        return sorted({at for c in calls.values() for at in (c[0], c[len(c) // 2], c[-1])})

    def note(self, fault, result, bench):
        if not result.status:
            return
        line = result.error() or str(result.err.strip().splitlines()[-1:])
        self.messages[result.status, faultbench.generalise(line, bench)].add(f"{fault[0]} {fault[1]}")

    def inject(self, scenario, fault, at):
        scenario.bench.reset(scenario.begins)
        result = scenario.run(calls=fault[0], first=at, **{"with": fault[1]})
        self.injected[fault[0]] += bool(result.failed)
        self.note(fault, result, scenario.bench)
        found = judge(scenario, fault, result) + judge_rerun(scenario, result.failed)
        return [f"call {at} ({result.failed.strip()}): {problem}\n{result}" for problem in found]

    def cases(self, sample):
        """Groups, and how many of their calls: all groups and calls; or one call of each of @sample groups, fault by
        fault and evenly spread. Which groups have calls depends on timing: one that has none is replaced by the next
        one that has, so that the number of cases is always the same."""
        sizes = [len(self.moments_of(g)) for g in self.groups]
        if not sample:
            return [(index, n) for index, n in enumerate(sizes) if n]
        order = sorted(range(len(sizes)), key=lambda index: FAULTS.index(self.groups[index][1]))
        taken = []
        for part in range(sample):
            begin = part * len(order) // sample
            taken += [i for i in order[begin:] + order[:begin] if sizes[i] and i not in taken][:1]
        return [(index, 1) for index in taken]

    def picks(self, index, k):
        """Selects @k of a group's calls, evenly spread; with another first one in each group."""
        moments = self.moments_of(self.groups[index])
        n = len(moments)
        offset = index * 0.618 % 1 if k < n else 0
        return sorted({moments[int((j + offset) * n / k) % n] for j in range(k)})

    def group(self, index, k):
        scenario, fault = self.groups[index]
        picks = self.picks(index, k)
        found = [problem for at in picks for problem in self.inject(scenario, fault, at)]
        if found:
            raise torture.Failure("\n".join(found[:10]))
        return f"{len(picks)} of {len(self.moments_of(self.groups[index]))} calls"


def make_scenarios(scratch):
    bench = faultbench.Bench(scratch)
    bench.reset()
    bench.plain()
    reference = bench.artefacts()
    bench.keep("first")
    model = bench.root / "first" / "out" / "faults" / "latest" / "model"
    bench.wait_until_settled()
    bench.reset()
    bench.plain()
    bench.keep("finished")
    faultbench.interrupt_training(bench)
    bench.keep("interrupted")
    predict = ["predict", "--json", "--model", str(model), str(bench.song(0, 0)), str(bench.song(1, 1))]
    answer = bench.plain(predict).out

    isolated = faultbench.Bench(scratch, "isolated", "decode-gstreamer")
    isolated.reset()
    isolated.plain()
    return [
        Scenario("fresh", bench, None, bench.command, reference),
        Scenario("resumed", bench, "interrupted", bench.command, reference),
        Scenario("cached", bench, "finished", bench.command, reference),
        Scenario("predict", bench, "finished", predict, answer),
        Scenario("isolated", isolated, None, isolated.command, isolated.artefacts()),
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int, help="so many faults, spread over all; 0: all")
    parser.add_argument("--only", default="*", help="a pattern over SCENARIO-CLASS-ERRNO")
    parser.add_argument("--every-call", action="store_true", help="also those that have the same stack: hours")
    parser.add_argument("--messages", action="store_true", help="list what was said, each once")
    options = parser.parse_args()

    scratch = torture.make_scratch()
    scenarios = make_scenarios(scratch)
    sample = options.sample
    if sample is None:
        sample = 0 if torture.FULL else faultbench.bounded(SAMPLE)
    campaign = Campaign(scenarios, options.only, options.every_call)
    tap = torture.Tap()
    for index, k in campaign.cases(sample):
        scenario, fault = campaign.groups[index]
        tap.case(f"{scenario.name}: {fault[0]} {fault[1]}", campaign.group, index, k)
    print("# calls made fail: " + ", ".join(f"{n} {kind}" for kind, n in campaign.injected.items()))
    for (status, line), causes in sorted(campaign.messages.items()) if options.messages else ():
        print(f"# {status} {line}   [{', '.join(sorted(causes))}]")
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


main()
