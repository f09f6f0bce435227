"""The same bytes in any environment: any number of workers, repeated runs, other folders, other languages, time
zones, rights of new files and orders of folders.

  python3 tests/torture/determinism.py"""
import os
import shutil

import torture


def run(scratch, name, music, reference, *more, cwd=None, **changes):
    place = torture.Place(scratch, name, music)
    place.run(*more, cwd=cwd, **changes)
    if music != reference.music:
        # Each row contains the path of its song.
        table = os.path.join(place.latest(), "predictions.csv")
        with open(table, encoding="utf-8") as file:
            text = file.read()
        if music not in text:
            raise torture.Failure(f"{table} does not say where the songs are")
        with open(table, "w", encoding="utf-8") as file:
            file.write(text.replace(os.path.join(music, ""), os.path.join(reference.music, "")))
    torture.check_same(place, reference)
    shutil.rmtree(place.folder)


def relative(scratch, name, music, reference):
    place = torture.Place(scratch, name, os.path.relpath(music, scratch))
    place.run(cwd=scratch)
    torture.check_same(place, reference)
    shutil.rmtree(place.folder)


def with_other_umask(*arguments):
    before = os.umask(0o077)
    try:
        run(*arguments)
    finally:
        os.umask(before)


def other_circumstances(case, scratch, music, reference):
    # The songs at another path, from another working folder.
    elsewhere = os.path.join(scratch, "other place", "Müsik")
    shutil.copytree(music, elsewhere)
    case("music in another folder", run, elsewhere, reference)
    case("another working folder", run, music, reference, cwd="/")
    case("a relative path", relative, music, reference)
    case("another time zone", run, music, reference, TZ="Pacific/Chatham")
    case("another language", run, music, reference, LC_ALL="de_DE.UTF-8", LANGUAGE="de")
    case("no locale", run, music, reference, LC_ALL="C")
    case("another umask", with_other_umask, music, reference)
    case("threads of BLAS", run, music, reference, OPENBLAS_NUM_THREADS="3")
    shim = os.path.join(torture.BUILD, "tests", "torture", "libreverse-readdir.so")
    if not os.path.exists(shim):
        raise SystemExit(f"{shim} is not there")
    case("folders read backwards", run, music, reference, LD_PRELOAD=shim,
         ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0:abort_on_error=1")


def main():
    scratch = torture.make_scratch()
    music = torture.make_music(scratch)
    reference = torture.Place(scratch, "reference", music)
    reference.run()
    tap = torture.Tap()

    def case(name, function, *arguments, **changes):
        tap.case(name, lambda: function(scratch, f"case-{tap.n}", *arguments, **changes))

    for jobs in [1, 2, 4]:
        for repeat in range(torture.amount(1, 1, 5)):
            case(f"{jobs} workers, run {repeat + 1}", run, music, reference, "-j", str(jobs))
    for repeat in range(torture.amount(1, 5, 20)):
        case(f"run {repeat + 1} of the same", run, music, reference)

    if not torture.SANITIZED:
        other_circumstances(case, scratch, music, reference)
    torture.keep_or_remove(scratch, tap.failed)
    tap.end()


if __name__ == "__main__":
    main()
