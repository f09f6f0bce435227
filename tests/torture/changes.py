"""Changes during a run: folders that become read-only or are removed, and songs that vanish, are truncated, grow,
are rewritten or replaced between two reads.

  python3 tests/torture/changes.py

The command is stopped at each of its calls on the song or folder in order, then the change is made, then it
continues. It may end in any well-defined way; and the next run has the result of an empty cache: nothing about
the song was cached wrongly."""
import os
import re
import shutil

import faultbench
import torture

# Maximum number of calls, in full and otherwise.
FULL, SAMPLE = 200, 3


def picks(n):
    k = min(n, FULL if torture.FULL else faultbench.bounded(SAMPLE))
    return [1 + (2 * i + 1) * n // (2 * k) for i in range(k)]


# Changes to a song, by name.

def vanish(path):
    path.unlink()


def cut_short(path):
    os.truncate(path, path.stat().st_size // 2)


def grow(path):
    with open(path, "ab") as file:
        file.write(b"\0" * 4096)


def rewrite(path):
    """In place, as long as before."""
    data = path.read_bytes()
    middle = bytearray(data)
    middle[44:] = bytes(len(data) - 44)
    with open(path, "r+b") as file:
        file.write(middle)


def replace(path):
    """By another song, as a tagger does."""
    other = path.with_suffix(".new")
    faultbench.write_song(other, 3, 3)
    other.rename(path)


def become_folder(path):
    path.unlink()
    path.mkdir()


CHANGES = [vanish, cut_short, grow, rewrite, replace, become_folder]


def check_end(bench, result):
    """It ended: well, without the songs that it lists, or with a clear error."""
    if result.problems():
        raise torture.Failure(f"{result.problems()}: {result}")
    if result.status != 0 and not (result.error() and "‘" in result.error()):
        raise torture.Failure(f"not a clear error: {result}")


def from_scratch(bench, fresh):
    """The result of an empty cache for the current music, whether or not it can be used."""
    fresh.reset()
    command = [str(fresh.out) if word == str(bench.out) else word for word in bench.command]
    result = fresh.run(command)
    return result.status, fresh.artefacts()


def change_song(bench, fresh, song, original, change):
    path = bench.song(*song)

    def restore():
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(original)

    bench.reset()
    n = bench.run(calls="open,read,stat", under=path).calls
    left_out = failed = 0
    for at in picks(n):
        bench.reset()
        result = bench.run_and_stop(lambda: change(path), calls="open,read,stat", under=path, first=at)
        left_out += "skipped" in result.err
        failed += result.status != 0
        try:
            check_end(bench, result)
            again = bench.run()
            status, expected = from_scratch(bench, fresh)
            if (again.status, bench.artefacts() if again.status == 0 else expected) != (status, expected):
                raise torture.Failure(f"the next run has another result than an empty cache: {again}\n"
                                      f"before, with the change: {result}")
            restore()
            again = bench.plain()
            if bench.artefacts() != bench.reference or "skipped" in again.err:
                raise torture.Failure(f"the song as it was has another result: {again}")
        except torture.Failure as problem:
            raise torture.Failure(f"at call {at} ({result.failed.strip()}): {problem}")
        finally:
            restore()
    return f"{len(picks(n))} of {n} moments: {left_out} times skipped, {failed} times an error"


def take_away(bench, folder):
    """rm -rf in the middle of it."""
    bench.reset()
    n = bench.run(calls="open,rename,make", under=folder).calls
    failed = 0
    for at in picks(n):
        bench.reset()
        result = bench.run_and_stop(lambda: shutil.rmtree(folder, ignore_errors=True),
                                    calls="open,rename,make", under=folder, first=at)
        failed += result.status != 0
        try:
            check_end(bench, result)
            bench.plain()
            if bench.artefacts() != bench.reference:
                raise torture.Failure("the rerun has another result")
        except torture.Failure as problem:
            raise torture.Failure(f"at call {at} ({result.failed.strip()}): {problem}")
    return f"{len(picks(n))} of {n} moments: {failed} times an error"


def forbid(bench, folder, template, expect):
    """Not writable from the start."""
    bench.reset(template)
    folder.mkdir(parents=True, exist_ok=True)
    below = [path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]
    for path in [folder, *below]:
        path.chmod(0o555)
    try:
        result = bench.run(humble=True)
    finally:
        for path in [folder, *below]:
            path.chmod(0o755)
    check_end(bench, result)
    if result.status not in expect:
        raise torture.Failure(f"status {result.status}: {result}")
    if result.status != 0 and str(folder) not in result.err:
        raise torture.Failure(f"it does not name the folder: {result}")
    bench.plain()
    if bench.artefacts() != bench.reference:
        raise torture.Failure("the rerun has another result")
    return faultbench.generalise(result.error(), bench)


def hide(bench):
    """An unreadable song is skipped, by name; when it is readable again, it is used again."""
    bench.reset()
    path = bench.song(0, 1)
    path.chmod(0)
    try:
        result = bench.run(humble=True)
    finally:
        path.chmod(0o644)
    if result.status != 0 or not re.search(r"1 skipped:\n.*Artist 0/Song 1.wav", result.err):
        raise torture.Failure(f"it is not skipped by name: {result}")
    again = bench.plain()
    if bench.artefacts() != bench.reference or "skipped" in again.err:
        raise torture.Failure(f"the song as it was has another result: {again}")


def main():
    scratch = torture.make_scratch()
    bench, fresh = faultbench.Bench(scratch), faultbench.Bench(scratch, "fresh")
    shutil.rmtree(fresh.input)
    bench.wait_until_settled()
    bench.reset()
    bench.plain()
    bench.reference = bench.artefacts()
    bench.keep("finished")
    song = (1, 2)
    original = bench.song(*song).read_bytes()

    tap = torture.Tap()
    tap.case("a cache that may not be written", forbid, bench, bench.cache, None, (73, 74))
    tap.case("a full cache that may not be written", forbid, bench, bench.cache, "finished", (0, 73, 74))
    tap.case("an output folder that may not be written", forbid, bench, bench.out, None, (73, 74))
    tap.case("a song that may not be read", hide, bench)
    for change in CHANGES:
        tap.case(f"a song: {change.__name__}", change_song, bench, fresh, song, original, change)
    tap.case("the output folder is removed", take_away, bench, bench.out)
    tap.case("the cache is removed", take_away, bench, bench.cache)
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


main()
