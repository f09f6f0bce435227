"""Shared by the parts of the torture suite: the built command in its own folders, and comparisons of its output
with that of an undisturbed run."""
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SEGUE_BUILD_ROOT") or os.path.abspath(os.environ.get("BUILD", "build"))
SEGUE = os.path.join(BUILD, "pipeline", "cli", "segue")
FULL = os.environ.get("SEGUE_TORTURE") == "full"
SANITIZED = "SEGUE_SANITIZED" in os.environ
# Files guaranteed to be byte-identical; times are stored elsewhere.
ARTEFACTS = ["model", "metrics.json", "predictions.csv"]


class Failure(Exception):
    pass


def amount(few, some, full):
    """The number of repetitions: with sanitizers, in CI, and by run.sh --full."""
    return full if FULL else few if SANITIZED else some


def newest_run(folder):
    """Ids are times, with the suffix -2, -3 within one second; a nonexistent name, if there is none."""
    def age(name):
        return name[:15], int(name[16:] or 1)
    ids = [name for name in os.listdir(folder) if name[0].isdigit()] if os.path.isdir(folder) else []
    return os.path.join(folder, max(ids, key=age) if ids else "none")


def environment(**changes):
    """This process's environment, without user settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SEGUE_", "HF_"))}
    env.update(SEGUE_PLUGIN_PATH=os.path.join(BUILD, "plugins"),
               SEGUE_WORKER=os.path.join(BUILD, "pipeline", "worker", "segue-worker"),
               SEGUE_PRESET_PATH=os.path.join(SOURCE, "examples", "presets"),
               OPENBLAS_NUM_THREADS="1", LC_ALL="C.UTF-8",
               # GStreamer's own table of types is not a leak.
               ASAN_OPTIONS="detect_leaks=0:abort_on_error=1")
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


class Place:
    """A folder with its own music, cache and results."""

    def __init__(self, scratch, name, music, pipeline="pipeline.yaml"):
        self.folder = os.path.join(scratch, name)
        self.music = music
        self.pipeline = os.path.join(HERE, pipeline)
        self.cache = os.path.join(self.folder, "cache")
        self.dataset = os.path.join(self.folder, "dataset")
        self.log = os.path.join(self.folder, "stderr")
        os.makedirs(self.folder)

    def command(self, *more):
        return [SEGUE, "run", self.pipeline, self.music, "--set",
                f"dataset={self.dataset}", "--out", os.path.join(self.folder, "runs"), *more]

    def start(self, *more, cwd=None, **changes):
        # The marker is in the environment of every process that a run leaves.
        changes = {"SEGUE_CACHE": self.cache, "SEGUE_TORTURE_PLACE": self.folder,
                   "SEGUE_WORKER_ENV": "SEGUE_TORTURE_PLACE", **changes}
        with open(self.log, "a") as log:
            return subprocess.Popen(self.command(*more), cwd=cwd or self.folder,
                                    env=environment(**changes), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=log,
                                    start_new_session=True)

    def run(self, *more, cwd=None, **changes):
        """A whole run that has to succeed; returns its duration in seconds."""
        began = time.monotonic()
        status = self.start(*more, cwd=cwd, **changes).wait(timeout=300)
        if status != 0:
            raise Failure(f"exit status {status} in {self.folder}: {tail(self.log)}")
        return time.monotonic() - began

    def latest(self):
        """The newest run, finished or not."""
        return newest_run(os.path.join(self.folder, "runs", "torture"))

    def processes(self):
        """The remaining processes of a run in this place."""
        mark = f"SEGUE_TORTURE_PLACE={self.folder}\0".encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if mark in file.read() + b"\0":
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def wait_until_alone(self, seconds=60):
        """Whether all processes of the run end by themselves."""
        end = time.monotonic() + seconds
        while self.processes():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def leftovers(self):
        """Temporary files, which a kill may leave and which are not needed."""
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.folder)
                for name in names if name.startswith(".segue-tmp-")]


def tail(path, lines=5):
    with open(path, errors="replace") as file:
        return "".join(file.readlines()[-lines:])


def files_below(path):
    if os.path.isfile(path):
        return {"": path}
    return {os.path.relpath(os.path.join(folder, name), path): os.path.join(folder, name)
            for folder, _, names in os.walk(path) for name in names}


def difference(a, b):
    """The first difference between @a and @b, or None."""
    left, right = files_below(a), files_below(b)
    if set(left) != set(right):
        return f"only one has {sorted(set(left) ^ set(right))[:5]}"
    for name in sorted(left):
        if not filecmp.cmp(left[name], right[name], shallow=False):
            return f"{left[name]} and {right[name]} are not the same"
    return None if left else f"there is nothing in {a}"


def check_same(place, reference):
    """Final artefacts of @place are those of @reference, and its run is recorded as finished."""
    pairs = [(os.path.join(place.latest(), name), os.path.join(reference.latest(), name))
             for name in ARTEFACTS] + [(place.dataset, reference.dataset)]
    for a, b in pairs:
        problem = difference(a, b)
        if problem:
            raise Failure(problem)
    with open(os.path.join(place.latest(), "run.json")) as file:
        state = json.load(file)["state"]
    if state != "finished":
        raise Failure(f"the run says that it is {state}")


def stage_reached(place):
    """The current step of the newest run, from its own log; None: it had not begun."""
    try:
        with open(os.path.join(place.latest(), "log.ndjson"), errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return None
    stage = "between stages"
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("event") == "started":
            stage = event["stage"]
        elif event.get("event") == "finished":
            stage = f"after {event['stage']}"
    return stage


def make_scratch():
    """In memory where there is space: leftovers of a kill do not depend on the disk, and syncing to it is most of
    a short run's time."""
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    return tempfile.mkdtemp(prefix="segue-torture-", dir=memory if roomy else None)


def make_music(scratch):
    folder = os.path.join(scratch, "music")
    subprocess.run([os.path.join(BUILD, "tests", "torture", "make-songs"), folder], check=True)
    return folder


def keep_or_remove(scratch, failed):
    if failed:
        print(f"# kept: {scratch}")
    else:
        shutil.rmtree(scratch, ignore_errors=True)


class Tap:
    """Output for meson."""

    def __init__(self):
        self.n = self.failed = 0

    def case(self, name, function, *arguments):
        self.n += 1
        try:
            note = function(*arguments)
        except (Failure, subprocess.SubprocessError, OSError) as problem:
            self.failed += 1
            print(f"# {name}: {problem}".replace("\n", "\n# "))
            print(f"not ok {self.n} - {name}", flush=True)
            return
        if note:
            print("# " + str(note).replace("\n", "\n# "))
        print(f"ok {self.n} - {name}", flush=True)

    def end(self):
        print(f"1..{self.n}", flush=True)
        sys.exit(1 if self.failed else 0)


def signal_place(place, number):
    """To each process of a run; some may just have ended."""
    for pid in place.processes():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
