"""Limits that a shell or an administrator sets: open files, memory, sizes of files, processes.

  python3 tests/torture/limits.py

Under each the command ends like an undisturbed run, or with an exit status and a line that states the limit and
what to do; and without the limit the same command ends with the bytes of an undisturbed run. Below what the
loader and GLib themselves need, these end the process: then only that counts."""
import os
import re
import resource
import signal

import faultbench
import torture

MIB = 1 << 20
# The last messages of the loader, of GLib and of C++ code, which end the process when they get no memory or
# descriptor for themselves.
LIBRARIES = ("error while loading shared libraries|GLib-ERROR|GLib-GIO-ERROR|OpenBLAS|libgcc_s.so.1 must|"
             "terminate called")


def judge(bench, reference, which, result, words):
    given_up = re.search(faultbench.AGAIN, result.err)
    if given_up and which in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE) and result.status in (0, 65) \
            and re.search(words, result.err):
        return "songs were given up, for this time"
    if result.status == 0:
        if bench.artefacts() != reference:
            raise torture.Failure(f"it claims success, with another result: {result}")
        return "as ever"
    if result.status is None:
        raise torture.Failure(f"it hangs: {result}")
    if re.search(LIBRARIES, result.err) and result.error() is None:
        return "ended by a library"
    # GLib allocates memory to report that there is none, until the stack is exhausted, too.
    if which == resource.RLIMIT_AS and result.status in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGTRAP):
        return "ended by a library"
    line = result.error() or ""
    if result.problems() or result.status not in (73, 74) or not re.search(words, line):
        raise torture.Failure(f"not a clear error: {result}")
    return faultbench.generalise(line, bench)


def under(bench, reference, which, values, words):
    said = []
    for value in values:
        bench.reset()
        result = bench.run(limits=[(which, value)])
        try:
            said.append(f"  {value:>10} {judge(bench, reference, which, result, words)}")
            again = bench.plain()
            if bench.artefacts() != reference or bench.temporaries():
                raise torture.Failure(f"the rerun has another result: {again}, {bench.temporaries()}")
        except torture.Failure as problem:
            raise torture.Failure(f"limit {value}: {problem}")
    return "\n".join(said)


def keep_whole(bench):
    """GStreamer's plugin registry lists those that could not be loaded as blocked, and persists after the run."""
    tables = bench.root / "xdg" / "segue"
    whole = tables / "gstreamer-registry.bin"
    for which, value in (resource.RLIMIT_AS, 304 * MIB), (resource.RLIMIT_NOFILE, 15):
        for table in tables.glob("*.bin"):
            table.unlink()
        bench.reset()
        bench.run(limits=[(which, value)])
        left = sorted(path.name for path in tables.glob("*.bin"))
        if whole.exists() or not left:
            raise torture.Failure(f"limit {value}: tables of plugins: {left}")


def main():
    scratch = torture.make_scratch()
    tap = torture.Tap()
    full = torture.FULL
    for decode in "decode-sndfile", "decode-gstreamer":
        bench = faultbench.Bench(scratch, decode, decode)
        bench.reset()
        bench.plain()
        reference = bench.artefacts()
        files = range(4, 65) if full else (8, 12, 16, 32)
        tap.case(f"{decode}: open files", under, bench, reference, resource.RLIMIT_NOFILE, files,
                 r"too many open files.*ulimit -n")
        sizes = [0, 100, 4096, 40000] + list(range(5000, 200000, 5000)) * full
        tap.case(f"{decode}: sizes of files", under, bench, reference, resource.RLIMIT_FSIZE, sizes,
                 r"exceed the file size limit.*ulimit -f")
        if faultbench.is_sanitized():
            print(f"# {decode}: memory: left out, the sanitizer's own tables take terabytes")
            continue
        memory = range(16, 513, 8) if full else (48, 112, 160, 240)
        tap.case(f"{decode}: memory", under, bench, reference, resource.RLIMIT_AS,
                 [n * MIB for n in memory], "memory|thread")
        if decode == "decode-gstreamer":
            tap.case(f"{decode}: plugins are found again", keep_whole, bench)
    if os.geteuid() == 0:
        print("# processes: left out, root has no limit; faults.py fails each thread instead")
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


main()
