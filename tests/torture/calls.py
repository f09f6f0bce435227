"""Checks that the decoders need only the system calls that their sandbox allows.

  python3 tests/torture/calls.py NOTING-WORKER

Songs of every format that can be encoded here, complete, truncated, damaged and random, through each decoder, in a
copy of segue-worker that reports each denied call (tests/unit/sandbox/noting.c). A denied call that libraries
cannot do without is needed by a decoder, and missing in pipeline/worker/calls.c."""
import ctypes
import os
import pathlib
import random
import re
import subprocess
import sys

import torture

DECODERS = [name for name in ("decode-gstreamer", "decode-libav", "decode-sndfile")
            if os.path.exists(os.path.join(torture.BUILD, "plugins", name, f"segue-{name}.so"))]
DAMAGED = torture.amount(16, 64, 1000)
# GLib and GStreamer look for files and settings, C libraries for the layout of memory and processors: these calls
# take paths, or change state outside the process, and the libraries work without them.
WITHOUT = {"access", "faccessat2", "get_mempolicy", "getdents64", "mbind", "mlock", "newfstatat", "openat",
           "readlink", "sched_getattr", "sched_setattr", "set_mempolicy", "statx", "umask"}
PIPELINE = """segue: 1
name: calls
stages:
  - use: scan
    with: {{ root: "{songs}", layout: "{{title}}", label: "" }}
  - id: decode
    use: {decoder}
    with: {{ rate: 8000, channels: mono, completeness: {completeness} }}
  - use: segment
    with: {{ length: 0.1, count: 1 }}
  - use: export
"""


def make_songs(folder):
    tool = os.path.join(torture.BUILD, "tests", "torture", "mutate-audio")
    for more in ([], ["0", str(DAMAGED)]):
        subprocess.run([tool, str(folder), *more], check=True, stdout=subprocess.DEVNULL)
    chance = random.Random(0)
    for song in sorted(folder.glob("whole-*")):
        (folder / f"half-{song.name}").write_bytes(song.read_bytes()[:song.stat().st_size // 2])
        (folder / f"noise-{song.name}").write_bytes(chance.randbytes(5000))
        # Longer than declared, where the format allows concatenation: memory has to grow.
        (folder / f"long-{song.name}").write_bytes(song.read_bytes() * 40)
    return len(list(folder.glob("whole-*")))


def name_of(number):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_char_p
    name = library.seccomp_syscall_resolve_num_arch(ctypes.c_uint32(library.seccomp_arch_native()), number)
    return name.decode() if name else str(number)


def check(decoder, worker, songs, scratch, n_whole):
    denied = set()
    for completeness in ("0.99", "0"):
        pipeline = scratch / "calls.yaml"
        pipeline.write_text(PIPELINE.format(songs=songs, decoder=decoder, completeness=completeness))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SEGUE_")}
        environment.update(SEGUE_PLUGIN_PATH=os.path.join(torture.BUILD, "plugins"), SEGUE_WORKER=worker,
                           SEGUE_CACHE=str(scratch / f"cache-{decoder}-{completeness}"), SEGUE_DEBUG="decode:debug")
        result = subprocess.run([torture.SEGUE, "run", str(pipeline), "-j", "2", "--out", str(scratch / "runs")],
                                env=environment, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = result.stdout.decode(errors="replace")
        if result.returncode != 0 or "calls (" not in text:
            raise torture.Failure(f"{decoder}: exit status {result.returncode}: {text[-2000:]}")
        denied |= {name_of(int(number)) for number in re.findall(r"denied call (\d+)", text)}
        crashed = re.search(r"crashed stage.*", text)
        if crashed:
            raise torture.Failure(f"{decoder}: {crashed[0]}")
    needed = sorted(denied - WITHOUT)
    if needed:
        raise torture.Failure(f"{decoder} makes calls that pipeline/worker/calls.c denies: {', '.join(needed)}; see "
                              "tests/unit/sandbox/trace.py")
    return f"{n_whole} whole songs and their damaged forms; done without: {', '.join(sorted(denied)) or 'nothing'}"


def main():
    tap = torture.Tap()
    scratch = pathlib.Path(torture.make_scratch())
    songs = scratch / "songs"
    n_whole = make_songs(songs)
    for decoder in DECODERS:
        tap.case(f"no call that it needs is denied: {decoder}", check, decoder, os.path.abspath(sys.argv[1]), songs, scratch, n_whole)
    torture.keep_or_remove(str(scratch), tap.failed)
    tap.end()


if __name__ == "__main__":
    main()
