"""On a terminal: lines that fit 60 and 80 columns, and no untrusted text that controls it.

TAP on stdout, like every test. The built command runs behind a pseudo-terminal.
"""
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata

BUILD = os.environ["SEGUE_BUILD_ROOT"]
SEGUE = os.path.join(BUILD, "pipeline", "cli", "segue")
MAKE_MUSIC = os.path.join(BUILD, "tests", "e2e", "make-music")

PIPELINE = """segue: 1
name: small
vars: { music: music }
stages:
  - { id: songs, use: scan, with: { root: "${music}", layout: "{artist}/{album}/{title}", label: artist } }
  - { use: decode-sndfile, with: { rate: 16000, channels: mono } }
  - { use: segment, with: { length: 5, count: 2 } }
  - { use: split, with: { by: song, test: 0.2, validation: 0.2, too_few: train_only } }
  - { use: train, with: { model: { use: mel-cnn, channels: [4, 4] }, epochs: 2, batch: 4 } }
  - { use: evaluate }
"""

# Escapes of both kinds, a bell, a carriage return, direction controls, marks of several bytes.
HOSTILE = ["esc \x1b[2J\x1b]0;title\x07", "c1 \x9b31m", "turn \u202egpj", "isolate \u2066x\u2069",
           "back \x08\x08\r over", "tag \U000e0041", "방탄소년단 花樣年華 🎵", "e\u0301 combining"]


def environment(folder, extra):
    kept = {name: value for name, value in os.environ.items()
            if name not in ("COLUMNS", "NO_COLOR", "SEGUE_DEBUG", "SEGUE_CACHE")}
    return {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
            "XDG_CACHE_HOME": os.path.join(folder, "cache"), **(extra or {})}


def on_terminal(arguments, folder, columns, extra=None):
    """The command's output on a terminal with this many columns, and its exit status."""
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            os.execve(SEGUE, [os.fsencode(a) for a in [SEGUE, *arguments]], environment(folder, extra))
        finally:
            os._exit(127)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    output = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(master)
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


OURS = re.compile(r"\x1b\[K|\x1b\[[0-9]{1,2}m")


def width(text):
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf")
               else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def assert_tame(output):
    rest = OURS.sub("", output)
    for c in rest:
        if c in "\r\n":
            continue
        if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c not in "\u200c\u200d":
            raise AssertionError("U+%04X reaches the terminal: %r" % (ord(c), rest[-400:]))


def assert_fits(output, columns, but=()):
    for line in re.split(r"[\r\n]+", OURS.sub("", output)):
        if width(line) > columns and not any(line.startswith(b) for b in but):
            raise AssertionError("%d columns of %d: %r" % (width(line), columns, line))


class Bench:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="segue-terminal-")
        self.music = os.path.join(self.folder, "music")
        subprocess.run([MAKE_MUSIC, self.music, "2", "5"], check=True)
        song = os.path.join(self.music, "Artist 0", "Album 0", "Song 0.wav")
        for i, name in enumerate(HOSTILE):
            place = os.path.join(self.music, name, "Album")
            os.makedirs(place)
            for n in range(2):
                shutil.copy(song, os.path.join(place, "%s %d.wav" % (name, n)))
                with open(os.path.join(place, "%s %d.wav" % (name, n)), "ab") as f:
                    f.write(bytes([i, n]))  # no two alike
        with open(os.path.join(self.music, HOSTILE[0], "Album", "bad \x1b[31m.wav"), "wb") as f:
            f.write(b"rubbish")
        with open(os.path.join(self.folder, "small.yaml"), "w") as f:
            f.write(PIPELINE)
        output, status = on_terminal(["run", "small.yaml"], self.folder, 80)
        assert status == 0, output
        self.first = output

    def files(self):
        return [os.path.join("music", n, "Album", "%s 0.wav" % n) for n in HOSTILE]


def test_run(bench):
    assert_tame(bench.first)
    assert_fits(bench.first, 80, but=("run ", "report ", "model ", "try ", "  "))
    assert "epoch 1/2: loss " in bench.first and "epoch 2/2: loss " in bench.first
    output, status = on_terminal(["run", "small.yaml", "--fresh", "--out", "again"], bench.folder, 60)
    assert status == 0
    assert_tame(output)
    assert_fits(output, 60, but=("run ", "report ", "model ", "try ", "  "))


def test_predict(bench):
    for options in ([], ["--timeline"], ["--json"], ["--csv"], ["--csv", "--timeline"], ["--top", "5"]):
        for columns in (60, 80):
            output, status = on_terminal(["predict", "-m", "runs/small/latest", *options, "--",
                                          *bench.files(), "none\x1b[2J.wav"], bench.folder, columns)
            assert status == 65, output
            assert_tame(output)


def test_arguments(bench):
    """Arguments that a person, or a script with untrusted text, gives to each verb."""
    word = HOSTILE[0] + HOSTILE[2]
    with open(os.path.join(bench.folder, word + ".yaml"), "w") as f:
        f.write("segue: 1\n\"%s\": 1\nstages:\n  - use: \"%s\"\n" % ("k\\e[2J\\u202e", "t\\e[2J\\u202e"))
    for arguments in (["check", word + ".yaml"], ["run", word + ".yaml"], ["check", "small.yaml", "--set", word + "=1"],
                      ["check", "small.yaml", "--set", "train.epochs=" + word], ["run", "small.yaml", word],
                      ["run", "--preset", word], ["presets", word], ["inspect", word], ["schema", word],
                      ["predict", "-m", word, "x.wav"], ["predict", "--" + word], ["predict", "-j", word],
                      ["report", word], ["cache", word], ["fetch", word], ["serve", "-m", word], ["serve", "--port", word],
                      [word], ["help", word], ["predict", "-m", "runs/small/latest", "--aggregation", word, "x"]):
        output, status = on_terminal(arguments, bench.folder, 80, {"HF_HUB_OFFLINE": "1"})
        assert status not in (0, 1) or arguments[0] == "cache", (arguments, status, output)
        assert_tame(output)


def test_plain(bench):
    """NO_COLOR and TERM=dumb: no escape sequences in the first case except the bar's, none in the second."""
    output, _ = on_terminal(["run", "small.yaml"], bench.folder, 80, {"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[0-9]+m", output)
    output, _ = on_terminal(["run", "small.yaml"], bench.folder, 80, {"TERM": "dumb"})
    assert "\x1b" not in output
    output, _ = on_terminal(["run", "--help"], bench.folder, 120, {"COLUMNS": "60"})
    assert_fits(output, 60)


def main():
    tests = [test_run, test_predict, test_arguments, test_plain]
    print("1..%d" % len(tests))
    bench = Bench()
    failed = False
    try:
        for number, test in enumerate(tests, 1):
            try:
                test(bench)
                print("ok %d - %s" % (number, test.__name__), flush=True)
            except Exception as problem:  # whatever the error, the next test is run
                failed = True
                print("not ok %d - %s\n# %s" % (number, test.__name__, ascii(problem)), flush=True)
    finally:
        shutil.rmtree(bench.folder)
    return failed


sys.exit(main())
