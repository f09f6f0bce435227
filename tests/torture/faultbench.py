"""A bench for the command: a small pipeline in its own folders, its expected output, and the preload
(fail-calls.c) that makes calls fail."""
import ctypes
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import struct
import subprocess
import time
import wave

import torture

SHIM = os.path.join(torture.BUILD, "tests", "torture", "fail-calls.so")
PIPELINE = os.path.join(torture.HERE, "faults.yaml")
ARTEFACTS = [*torture.ARTEFACTS, "data"]
ARTISTS, SONGS, RATE = 2, 4, 8000
# The minimum size of an allocation that counts; songs, segments and tensors of this pipeline are larger.
LEAST = 20000
# Beyond it, nothing uses GLib's g_malloc (), which ends the process.
PAYLOAD = 70000
# Messages about a song that may be intact: GStreamer waits for threads that it did not get, a worker lacks memory.
AGAIN = "try again|tries again"
# A run takes a fraction of a second; under sanitizers and on a busy machine several.
TIMEOUT = 60
STATE_SIZE = 65536
# Calls whose callers the preload records.
MAX_SITES = 65536
# As in fail-calls.c, in this order.
CLASSES = ["open", "list", "read", "write", "sync", "rename", "make", "remove", "stat", "lock", "map",
           "memory", "process", "thread", "close"]
STATE_HEAD = 24 * 8
# linux/prctl.h, linux/capability.h
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
LIBC = ctypes.CDLL(None)


def write_song(path, artist, song):
    """Mono, 16 bits: a tone, square for one artist and round for the other."""
    hz = 200 * (1 + artist) * 2 ** (song / 12)
    tone = (math.sin(2 * math.pi * hz * i / RATE) for i in range((6 + song % 3) * RATE))
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(b"".join(struct.pack("<h", int(12000 * t ** (1 + 2 * artist))) for t in tone))


def find_stopped(command):
    """@command or a child of it, if one is stopped."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] == "T" and command in (int(name), int(fields[1])):
            return int(name)
    return None


def is_sanitized():
    with open(torture.SEGUE, "rb") as file:
        return b"libasan" in file.read()


def bounded(n):
    """How many of @n CI has time for: fewer in a slow build."""
    return max(1, n // 3) if is_sanitized() else n


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def generalise(line, bench):
    """An error without parts that differ between runs, for counting."""
    if line is None:
        return "(no error)"
    return re.sub(r"[0-9a-f]{16,}|\.segue-tmp-\w+|\d{6,}(-\d+)?|\d+", "#", line.replace(str(bench.root), ""))


@dataclasses.dataclass
class Result:
    status: int  # None: it hung; -N: killed by signal N
    out: str
    err: str
    seconds: float
    calls: int = 0
    written: int = 0
    failed: str = ""  # the calls that the preload made fail, one per line
    by_class: dict = None
    sites: dict = None  # by class: the caller of each call; where `sites` was requested

    def __str__(self):
        return f"status {self.status} after {self.seconds:.1f} s\n{self.err}\n{self.failed}"

    def error(self):
        """The error line; None where there is none, or more than one."""
        lines = [line for line in self.err.splitlines() if line.startswith("segue: ")]
        return lines[0] if len(lines) == 1 and self.err.rstrip().endswith(lines[0]) else None

    def problems(self):
        """Conditions that must not occur, however the command ended."""
        found = []
        if self.status is None:
            found.append("it hangs")
        elif self.status < 0:
            found.append(f"it was killed by signal {-self.status}")
        if re.search(r"(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:", self.err):
            found.append("a sanitizer complains")
        if re.search(r"(?<!GStreamer-)CRITICAL|ERROR:.*assertion", self.err):
            found.append("an assertion failed")
        return found


class Bench:
    def __init__(self, scratch, name="bench", decode="decode-sndfile"):
        self.root = pathlib.Path(scratch) / name
        self.input, self.work = self.root / "input", self.root / "work"
        self.cache, self.out, self.music = self.work / "cache", self.work / "out", self.input / "music"
        self.decode = decode
        self.command = ["run", PIPELINE, str(self.music), "--set", f"decoder={decode}",
                        "--out", str(self.out), "--jobs", "1"]
        self.input.mkdir(parents=True)
        for artist in range(ARTISTS):
            for song in range(SONGS):
                write_song(self.song(artist, song), artist, song)
        # A file's hash is cached once the file has been unchanged for a while.
        self.settled = time.monotonic() + 2.2

    def song(self, artist, song):
        return self.music / f"Artist {artist}" / f"Song {song}.wav"

    def environment(self, faults):
        env = torture.environment(SEGUE_CACHE=str(self.cache), XDG_CACHE_HOME=str(self.root / "xdg"),
                                  NO_COLOR="1")
        # GStreamer's own tables are not a leak, see command_env () of tests/e2e.
        leaks = int(self.decode != "decode-gstreamer")
        env["ASAN_OPTIONS"] = f"detect_leaks={leaks}:abort_on_error=1:allocator_may_return_null=1"
        if self.decode == "decode-gstreamer":
            env.pop("G_DEBUG", None)  # GStreamer's own complaints end nothing
        if faults:
            env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
            env.update(LD_PRELOAD=SHIM, FAIL_STATE=str(self.root / "state"), FAIL_LEAST=str(LEAST),
                       FAIL_UNDER=f"{self.input}:{self.work}:{PIPELINE}")
            if faults.pop("sites", False):
                env["FAIL_SITES"] = str(self.root / "sites")
            env.update({f"FAIL_{k.upper()}": str(v) for k, v in faults.items()})
            env["SEGUE_WORKER_ENV"] = ",".join(name for name in env if name.startswith("FAIL_"))
        return env

    def start(self, command=None, limits=(), humble=False, **faults):
        """Limits: (resource.RLIMIT_…, value); humble: without root's right to bypass permissions; faults: the
        values of FAIL_…."""
        for name, size in ("state", STATE_SIZE), ("sites", MAX_SITES * 8 * faults.get("sites", False)):
            with open(self.root / name, "wb") as file:
                file.truncate(size)

        def set_limits():
            for which, value in limits:
                resource.setrlimit(which, (value, value))
            for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH) if humble else ():
                LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

        return subprocess.Popen([torture.SEGUE, *(command or self.command)], cwd=self.root,
                                env=self.environment(faults), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
                                preexec_fn=set_limits, start_new_session=True)

    def finish(self, process):
        began = time.monotonic()
        try:
            out, err = process.communicate(timeout=TIMEOUT)
            status = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            status = None
        state = (self.root / "state").read_bytes()
        calls, written, length, *by_class = struct.unpack_from("<24Q", state)
        text = state[STATE_HEAD:STATE_HEAD + length].decode(errors="replace")
        return Result(status, out, err, time.monotonic() - began, calls, written, text,
                      dict(zip(CLASSES, by_class)), self.read_sites(calls))

    def read_sites(self, calls):
        raw = (self.root / "sites").read_bytes()
        if calls * 8 > len(raw) > 0:
            raise torture.Failure(f"{calls} calls, and the preload has room for {len(raw) // 8}")
        sites = {name: [] for name in CLASSES}
        for (site,) in struct.iter_unpack("<Q", raw[:calls * 8]):
            sites[CLASSES[site >> 56]].append(site)
        return sites

    def run(self, command=None, limits=(), humble=False, **faults):
        return self.finish(self.start(command, limits, humble, **faults))

    def run_and_stop(self, change, **faults):
        """A run that is stopped, it or its worker, at the call in @faults; then @change is made."""
        process = self.start(**faults, **{"with": "stop"})
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < TIMEOUT:
            stopped = find_stopped(process.pid)
            if stopped:
                change()
                os.kill(stopped, signal.SIGCONT)
                break
            time.sleep(0.005)
        return self.finish(process)

    def plain(self, command=None):
        """A run without faults, which has to succeed."""
        result = self.run(command)
        if result.status != 0:
            raise torture.Failure(f"without any fault: {result}")
        return result

    def keep(self, name):
        """Saves the current working folder as the start of later runs, under that name."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        shutil.copytree(self.work, self.root / name, symlinks=True)

    def reset(self, name=None):
        """Restores a saved state; or an empty one. The working folder may be a mounted one."""
        self.work.mkdir(exist_ok=True)
        for path in self.work.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if name:
            shutil.copytree(self.root / name, self.work, symlinks=True, dirs_exist_ok=True)

    def wait_until_settled(self):
        time.sleep(max(0, self.settled - time.monotonic()))

    def latest(self):
        return pathlib.Path(torture.newest_run(str(self.out / "faults")))

    def artefacts(self):
        """Files that must have the same bytes after every run: name → SHA-256."""
        found = {}
        for top in filter(os.path.exists, (self.latest() / name for name in ARTEFACTS)):
            for name, path in torture.files_below(str(top)).items():
                found[f"{top.name}/{name}"] = digest(path)
        return found

    def report(self):
        return json.loads((self.latest() / "run.json").read_text())

    def temporaries(self):
        return [path.name for path in self.work.rglob(".segue-tmp-*")]


def interrupt_training(bench):
    """Kills a run just after the last but one file in the training's work folder got its name."""
    work = str(bench.cache / "work")
    bench.reset()
    n = bench.run(calls="rename", under=work).calls
    bench.reset()
    bench.run(calls="rename", under=work, first=n - 1, **{"with": "kill"})
    if not list((bench.cache / "work").glob("*/checkpoint*")):
        raise torture.Failure("the training left no checkpoint")
