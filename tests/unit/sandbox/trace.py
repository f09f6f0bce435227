"""Writes pipeline/worker/calls.inc: the system calls that the decoders make while they decode.

  meson setup build-trace -Dseccomp=disabled && ninja -C build-trace
  python3 tests/unit/sandbox/trace.py build-trace SONGS [--write]

SONGS: a folder with one folder for each kind of song; include damaged ones (build-trace/tests/torture/
mutate-audio makes some). Needs strace, and a kernel with Landlock: only calls after the Landlock rules are set
count. Calls that take a path, or whose arguments calls.c checks, are not included; new calls are printed, for
review before they are written."""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
LIST = HERE.parents[3] / "pipeline" / "worker" / "calls.inc"
PIPELINE = """segue: 1
name: trace
stages:
  - use: scan
    with: {{ root: "{songs}", layout: "{{format}}/{{title}}", label: format }}
  - id: decode
    use: {decoder}
    with: {{ rate: 8000, channels: mono, completeness: {completeness} }}
  - use: segment
    with: {{ length: 0.5, count: 1 }}
  - use: export
"""
# Judged by their arguments in calls.c.
JUDGED = {"clone", "clone3", "fcntl", "kill", "mmap", "prctl", "prlimit64", "recvfrom", "recvmsg",
          "sched_getaffinity", "sendmsg", "sendto", "socketpair", "tgkill"}
# Tried by libraries, which work without them: they take paths, or change state outside the process.
WITHOUT = {"access", "faccessat2", "get_mempolicy", "getdents64", "mbind", "mlock", "newfstatat", "openat",
           "readlink", "sched_getattr", "sched_setattr", "seccomp", "set_mempolicy", "statx", "umask"}
# The lock itself, after Landlock.
LOCK = {"setgroups", "setresgid", "setresuid", "landlock_restrict_self"}


def trace(build, decoder, songs, completeness, scratch):
    wrapper, trails = scratch / "worker", scratch / "trails"
    trails.mkdir(exist_ok=True)
    wrapper.write_text(f"#!/bin/sh\nexec /usr/bin/strace -D -f -o {trails}/{decoder}.$$ "
                       f"{build}/pipeline/worker/segue-worker \"$@\"\n")
    wrapper.chmod(0o755)
    pipeline = scratch / "trace.yaml"
    pipeline.write_text(PIPELINE.format(songs=songs, decoder=decoder, completeness=completeness))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SEGUE_")}
    environment.update(SEGUE_PLUGIN_PATH=f"{build}/plugins", SEGUE_WORKER=str(wrapper),
                       SEGUE_CACHE=str(scratch / f"cache-{decoder}-{completeness}"))
    subprocess.run([f"{build}/pipeline/cli/segue", "run", str(pipeline), "-j", "2", "--out", str(scratch / "runs")],
                   env=environment, cwd=scratch, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return sorted(trails.glob(f"{decoder}.*"))


def read(trail, made, denied):
    locked = False
    with open(trail, errors="replace") as file:
        for line in file:
            found = re.match(r"\d+ +(\w+)\(", line)
            if not found:
                continue
            if locked:
                (denied if re.search(r"= -1 E(PERM|ACCES|NOSYS) ", line) else made)[found[1]] += 1
            locked = locked or found[1] == "landlock_restrict_self"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("songs", type=pathlib.Path)
    options.add_argument("--write", action="store_true")
    options = options.parse_args()
    build, songs = options.build.resolve(), options.songs.resolve()
    decoders = [name for name in ("decode-gstreamer", "decode-libav", "decode-sndfile")
                if (build / "plugins" / name / f"segue-{name}.so").exists()]
    made, denied = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="segue-trace-") as scratch:
        for decoder in decoders:
            for completeness in ("0.99", "0"):
                for trail in trace(build, decoder, songs, completeness, pathlib.Path(scratch)):
                    read(trail, made, denied)
    drawn = {name for name in made if name not in JUDGED | WITHOUT | LOCK}
    head, *rows = LIST.read_text().splitlines()
    known = set(re.findall(r"CALL \((\w+)\)", "\n".join(rows)))
    print(f"{', '.join(decoders)}: {sum(made.values())} calls of {len(made)} kinds")
    print("new:", *sorted(drawn - known))
    print("not seen this time:", *sorted(known - drawn))
    print("failed, and done without:", *sorted(set(denied)))
    if options.write:
        LIST.write_text("\n".join([head, *(f"CALL ({name})" for name in sorted(drawn | known))]) + "\n")
    return 1 if drawn - known and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
